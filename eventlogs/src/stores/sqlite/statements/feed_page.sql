-- Reads a page of the feed.
--
-- ?1 integer  position of the cursor
-- ?2 integer  position of the last event that may be read
-- ?3 integer  greatest number of rows
--
-- Returns one row per event, in the order of the feed, beginning with the event of the cursor, if it exists:
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
where position between ?1 and ?2
order by position
limit ?3
