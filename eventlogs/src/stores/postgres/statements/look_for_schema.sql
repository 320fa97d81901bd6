-- Asks what a schema without tables of this store has: whether it exists, and whether other tables have the names of ours.
--
-- Returns one row:
-- has_schema, meta, events, idempotency_keys

select pg_catalog.to_regnamespace('{schema}') is not null as has_schema,
       pg_catalog.to_regclass('{schema}.meta') is not null as meta,
       pg_catalog.to_regclass('{schema}.events') is not null as events,
       pg_catalog.to_regclass('{schema}.idempotency_keys') is not null as idempotency_keys
