-- Reads events of one log for the feed.
--
-- ?1 blob     log
-- ?2 integer  index of the first event
-- ?3 integer  index after the last event
--
-- Returns one row per event, in the order of the log:
-- epoch, tx, position, log_id, event_index, event_id, event_type, event_version, codec, kind, occurred_at, recorded_at
-- payload, metadata

select epoch,
       tx,
       position,
       log_id,
       event_index,
       event_id,
       event_type,
       event_version,
       codec,
       kind,
       payload,
       metadata,
       occurred_at,
       recorded_at
from events
where log_id = ?1 and event_index >= ?2 and event_index < ?3
order by event_index
limit 10000
