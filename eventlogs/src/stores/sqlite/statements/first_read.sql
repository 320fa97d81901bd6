-- Reads something: only then does SQLite open the write-ahead log, and lock the database.
--
-- Returns one row:
-- objects  how many tables, indices and views there are

select count(*) as objects from sqlite_schema
