-- Asks what a schema has: whether it exists, and which of the tables that this store knows.
--
-- Returns one row:
-- has_schema, meta, events, idempotency_keys, subscriptions, checkpoints, parked_logs, skipped_events,
-- row_keys

select pg_catalog.to_regnamespace('{schema}') is not null as has_schema,
       pg_catalog.to_regclass('{schema}.meta') is not null as meta,
       pg_catalog.to_regclass('{schema}.events') is not null as events,
       pg_catalog.to_regclass('{schema}.idempotency_keys') is not null as idempotency_keys,
       pg_catalog.to_regclass('{schema}.subscriptions') is not null as subscriptions,
       pg_catalog.to_regclass('{schema}.checkpoints') is not null as checkpoints,
       pg_catalog.to_regclass('{schema}.parked_logs') is not null as parked_logs,
       pg_catalog.to_regclass('{schema}.skipped_events') is not null as skipped_events,
       pg_catalog.to_regclass('{schema}.row_keys') is not null as row_keys
