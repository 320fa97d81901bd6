-- Forgets the keys of some writes that are old enough.
--
-- $1 double precision  age in seconds; older ones are forgotten
-- $2 bigint            greatest number of writes
--
-- Returns one row per row of a key, so that a write to several logs has several:
-- part  number of the row among those of the key, from 0
--
-- The first row of each write decides, so that writes to several logs are forgotten as a whole.

with old as materialized (
    select scope, key from {schema}.idempotency_keys
    where part = 0 and recorded_at < now() - $1 * interval '1 second'
    limit $2)
delete from {schema}.idempotency_keys k using old where k.scope = old.scope and k.key = old.key
returning k.part
