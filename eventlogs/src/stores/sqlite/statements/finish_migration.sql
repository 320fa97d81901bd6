-- Stores the version that the tables have after a migration.
--
-- ?1 integer  version

update meta set schema_version = ?1
