-- Registers a subscription, or notes the code of one that exists.
--
-- ?1 text     name
-- ?2 integer  build
-- ?3 integer  fingerprint of the code
-- ?4 integer  number of partitions, if it is new
-- ?5 integer  the time
--
-- Returns one row:
-- partitions  the number that is stored
-- is_stale    whether other code was registered before

insert into subscriptions (name, build, fingerprint, built_with, partitions, is_paused, started_at)
values (?1, ?2, ?3, ?3, ?4, 0, ?5)
on conflict (name, build) do update set
    fingerprint = excluded.fingerprint,
    built_with = case when subscriptions.built_with = excluded.fingerprint then subscriptions.built_with end
returning partitions, built_with is null as is_stale
