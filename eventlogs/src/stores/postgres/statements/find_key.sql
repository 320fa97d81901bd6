-- Finds the write of a key.
--
-- $1 uuid   scope of the key; the zero id stands for all logs
-- $2 bytea  the key
--
-- Returns one row per log of the write:
-- key_log_id, key_first_index, key_event_count, key_last_event_id, key_recorded_at, key_request_hash
--
-- Times are moved into the range that the driver can read, because it panics at an infinite time. This store writes no such
-- time, and the time does not decide the order, so the nearest one is good enough.

select log_id as key_log_id,
       first_index as key_first_index,
       event_count as key_event_count,
       event_id as key_last_event_id,
       least(greatest(recorded_at, '4713-01-01 00:00+00 BC'), '200000-01-01 00:00+00') as key_recorded_at,
       request_hash as key_request_hash
from {schema}.idempotency_keys
where scope = $1 and key = $2
order by part
