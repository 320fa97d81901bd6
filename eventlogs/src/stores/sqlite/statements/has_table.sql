-- Checks whether the file has a table, or anything else, with this name.
--
-- ?1 text  name
--
-- Returns one row:
-- has_table

select exists (select 1 from sqlite_schema where name = ?1) as has_table
