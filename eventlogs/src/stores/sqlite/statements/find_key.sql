-- Finds the write of a key.
--
-- ?1 blob  scope of the key
-- ?2 blob  the key
--
-- Returns one row per log that the write is about:
-- key_log_id, key_first_index, key_event_count, key_last_event_id, key_recorded_at, key_request_hash

select log_id as key_log_id,
       first_index as key_first_index,
       event_count as key_event_count,
       event_id as key_last_event_id,
       recorded_at as key_recorded_at,
       request_hash as key_request_hash
from idempotency_keys
where scope = ?1 and key = ?2
order by part
