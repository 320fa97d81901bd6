-- Waits until no other process migrates this schema. The lock is held until the end of the transaction.
--
-- Returns one row, of no use:
-- pg_advisory_xact_lock
--
-- The name of the schema is put in with quotes, which are taken off again.

select pg_catalog.pg_advisory_xact_lock(
    pg_catalog.hashtextextended(pg_catalog.concat('eventlogs ', pg_catalog.btrim('{schema}', '"')), 0))
