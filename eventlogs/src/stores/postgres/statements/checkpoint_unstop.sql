-- Lets the partitions of a subscription run that have stopped.
--
-- $1 text     name
-- $2 integer  build

update {schema}.checkpoints c set stopped = null where c.name = $1 and c.build = $2 and c.stopped is not null
