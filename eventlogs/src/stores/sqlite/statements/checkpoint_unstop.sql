-- Lets the partitions of a subscription run that have stopped.
--
-- ?1 text     name
-- ?2 integer  build

update checkpoints set stopped = null where name = ?1 and build = ?2 and stopped is not null
