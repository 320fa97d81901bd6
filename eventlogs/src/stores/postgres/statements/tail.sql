-- Reads a short range of a log.
--
-- $1 uuid     log
-- $2 bigint   index of the first event
-- $3 bigint   index of the last event
-- $4 bigint   index of the event after which the range starts, if it starts after one: then the same as $2, else null
-- $5 integer  greatest number of bytes of an event that comes along
-- $6 bigint   number of rows in the range
--
-- Returns one row per event, in the order of the log:
-- event_index, event_id, event_type, event_version, codec, occurred_at, recorded_at, metadata, kind
-- payload  null for the event $4 and for events of more than $5 bytes
--
-- The event $4 is returned without its payload: it only shows whether the log still has it.
-- With a limit, the server reads the rows in the order of the index, and does not sort them.

select event_index,
       event_id,
       event_type,
       event_version,
       codec,
       case when event_index is distinct from $4 and octet_length(payload) <= $5 then payload end as payload,
       occurred_at,
       recorded_at,
       case when event_index is distinct from $4 then metadata end as metadata,
       kind
from {schema}.events
where log_id = $1 and event_index between $2 and $3
order by log_id, event_index
limit $6
