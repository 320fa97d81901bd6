-- Notes why a partition has stopped, and gives up its lease.
--
-- ?1 text     name
-- ?2 integer  build
-- ?3 integer  partition
-- ?4 integer  token of the lease
-- ?5 text     the reason

update checkpoints set stopped = ?5, owner = null, lease_until = null
where name = ?1 and build = ?2 and partition = ?3 and token = ?4
