-- Notes why a partition has stopped, and gives up its lease.
--
-- $1 text     name
-- $2 integer  build
-- $3 integer  partition
-- $4 bigint   token of the lease
-- $5 text     the reason

update {schema}.checkpoints c set stopped = $5, owner = null, lease_until = null
where c.name = $1 and c.build = $2 and c.partition = $3 and c.token = $4
