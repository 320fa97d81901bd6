-- Checks whether a stretch of keys has old keys.
--
-- ?1 blob     scope of the key after which the stretch begins
-- ?2 blob     that key
-- ?3 blob     scope of the last key of the stretch
-- ?4 blob     that key
-- ?5 integer  a time; keys that were used before it are old
--
-- Returns one row:
-- has_old

select exists (select 1
               from idempotency_keys
               where (scope, key) > (?1, ?2) and (scope, key) <= (?3, ?4) and part = 0 and recorded_at < ?5) as has_old
