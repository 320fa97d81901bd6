-- Removes the partitions of a subscription.
--
-- ?1 text     name
-- ?2 integer  build

delete from checkpoints where name = ?1 and build = ?2
