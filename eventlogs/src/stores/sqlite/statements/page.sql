-- Reads a page of a log.
--
-- ?1 blob     log
-- ?2 integer  index of the first event
-- ?3 integer  index of the anchor, the event after which the page starts; then the same as ?2; null if there is no anchor
-- ?4 integer  greatest number of rows
-- ?5 text     names and versions that are not wanted, in the form name/version, as a JSON array; null if all are wanted
--
-- Returns one row per event, in the order of the log:
-- event_index, event_id, event_type, event_version, codec, occurred_at, recorded_at, kind
-- payload, metadata  null for the anchor and for events that are not wanted
--
-- The anchor is read without its payload, only to check that the log still has it.

select event_index,
       event_id,
       event_type,
       event_version,
       codec,
       case when event_index = ?3
                 or ?5 is not null and event_type || '/' || event_version in (select value from json_each(?5))
            then null else payload end as payload,
       occurred_at,
       recorded_at,
       case when event_index = ?3
                 or ?5 is not null and event_type || '/' || event_version in (select value from json_each(?5))
            then null else metadata end as metadata,
       kind
from events
where log_id = ?1 and event_index >= ?2
order by event_index
limit ?4
