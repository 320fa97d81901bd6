-- Reads something, because SQLite opens the write-ahead log and locks the database only with the first read.
--
-- Returns one row:
-- objects  number of tables, indices and views

select count(*) as objects from sqlite_schema
