-- Reads the version of the tables.
--
-- Returns one row:
-- schema_version

select schema_version from meta
