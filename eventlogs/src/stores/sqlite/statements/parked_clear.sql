-- Removes the parked logs of an earlier subscription of the same name.
--
-- ?1 text     name
-- ?2 integer  build

delete from parked_logs where name = ?1 and build = ?2
