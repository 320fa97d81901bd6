-- Registers a subscription, or notes the code of one that exists.
--
-- ?1 text     name
-- ?2 integer  build
-- ?3 integer  fingerprint of the code
-- ?4 integer  number of partitions, if it is new
-- ?5 integer  the time
-- ?6 text     the events that the code knows, if it is new
--
-- Returns one row:
-- partitions  the number that is stored
-- is_stale    whether other code was registered before
-- known_events  the events that are stored as known

insert into subscriptions (name, build, fingerprint, built_with, known_events, partitions, is_paused, started_at)
values (?1, ?2, ?3, ?3, ?6, ?4, 0, ?5)
on conflict (name, build) do update set
    fingerprint = excluded.fingerprint,
    built_with = case when subscriptions.built_with = excluded.fingerprint then subscriptions.built_with end
returning partitions, built_with is null as is_stale, known_events
