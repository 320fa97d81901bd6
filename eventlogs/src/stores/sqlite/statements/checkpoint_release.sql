-- Gives up all leases of a process.
--
-- ?1 blob     the process

update checkpoints set owner = null, lease_until = null where owner = ?1
