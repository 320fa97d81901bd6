-- Removes the remembered keys of an earlier subscription of the same name.
--
-- ?1 text     name
-- ?2 integer  build

delete from row_keys where name = ?1 and build = ?2
