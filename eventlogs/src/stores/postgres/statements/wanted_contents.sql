-- Reads a log from an index on, with what most aggregates look at, and without the payloads of events that are not wanted.
--
-- $1 uuid    log
-- $2 bigint  index of the first event
-- $3 text[]  names and versions that are not wanted, in the form name/version
--
-- Returns one row per event, in the order of the log:
-- event_index, event_id, event_type, event_version, codec, recorded_at, kind
-- payload  null for events that are not wanted
--
-- The rows are folded one at a time as they arrive, so their number and their size are not bounded.

select event_index,
       event_id,
       event_type,
       event_version,
       codec,
       case when event_type || '/' || event_version <> all($3) then payload end as payload,
       recorded_at,
       kind
from {schema}.events
where log_id = $1 and event_index >= $2
order by log_id, event_index
