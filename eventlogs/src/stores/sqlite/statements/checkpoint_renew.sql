-- Renews all leases of a process.
--
-- ?1 blob     the process
-- ?2 integer  end of the lease

update checkpoints set lease_until = ?2 where owner = ?1
