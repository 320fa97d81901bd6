-- Gives up all leases of a process.
--
-- $1 uuid     the process

update {schema}.checkpoints c set owner = null, lease_until = null where c.owner = $1
