-- Registers a subscription, or notes the code of one that exists.
--
-- $1 text     name
-- $2 integer  build
-- $3 bigint   fingerprint of the code
-- $4 integer  number of partitions, if it is new
-- $5 text     the events that the code knows, if it is new
--
-- Returns one row:
-- is_new
-- partitions  the number that is stored
-- is_stale    whether other code was registered before
-- known_events  the events that are stored as known
--
-- A row that was inserted has no `xmax`.
-- The row stays locked until the end of the transaction, so that of several processes that start at once one creates the
-- tables.

insert into {schema}.subscriptions as s (name, build, fingerprint, built_with, known_events, partitions, is_paused, started_at)
values ($1, $2, $3, $3, $5, $4, false, pg_catalog.now())
on conflict (name, build) do update set
    fingerprint = excluded.fingerprint,
    built_with = case when s.built_with = excluded.fingerprint then s.built_with end
returning s.xmax = 0 as is_new, s.partitions, s.built_with is null as is_stale, s.known_events
