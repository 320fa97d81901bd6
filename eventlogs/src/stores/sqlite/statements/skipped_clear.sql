-- Removes the skipped events of an earlier subscription of the same name.
--
-- ?1 text     name
-- ?2 integer  build

delete from skipped_events where name = ?1 and build = ?2
