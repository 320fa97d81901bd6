-- Waits until no other process migrates this schema. The lock is held until the end of the transaction.
--
-- Returns one row, which is not used:
-- pg_advisory_xact_lock
--
-- The name of the schema is filled in with quotes, which are removed again.

select pg_catalog.pg_advisory_xact_lock(
    pg_catalog.hashtextextended(pg_catalog.concat('eventlogs ', pg_catalog.btrim('{schema}', '"')), 0))
