-- Checks whether the file is empty.
--
-- Returns one row:
-- is_empty

select count(*) = 0 as is_empty from sqlite_schema
