-- Reads a page of a log.
--
-- ?1 blob     log
-- ?2 integer  index of the first event
-- ?3 integer  index of the event after which the page starts, if it starts after one: then the same as ?2, else null
-- ?4 integer  greatest number of rows
--
-- Returns one row per event, in the order of the log:
-- event_index, event_id, event_type, event_version, codec, occurred_at, recorded_at, kind
-- payload, metadata  null for the event ?3
--
-- The event ?3 comes along without its payload: it only tells whether the log still has it.

select event_index,
       event_id,
       event_type,
       event_version,
       codec,
       case when event_index = ?3 then null else payload end as payload,
       occurred_at,
       recorded_at,
       case when event_index = ?3 then null else metadata end as metadata,
       kind
from events
where log_id = ?1 and event_index >= ?2
order by event_index
limit ?4
