-- Forgets the old keys of a stretch.
--
-- ?1 blob     scope of the key after which the stretch begins
-- ?2 blob     that key
-- ?3 blob     scope of the last key of the stretch
-- ?4 blob     that key
-- ?5 integer  a time; keys that were used before it are old
--
-- Returns one row per deleted row; a write to several logs has several:
-- part  number of the row among those of the key, from 0
--
-- The first row of each write decides, so that writes to several logs are forgotten as a whole.

delete from idempotency_keys
where (scope, key) in (select scope, key
                       from idempotency_keys
                       where (scope, key) > (?1, ?2) and (scope, key) <= (?3, ?4) and part = 0 and recorded_at < ?5)
returning part
