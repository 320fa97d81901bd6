-- Reads the newest events of each of several logs.
--
-- $1 uuid[]   logs
-- $2 bigint   greatest number of rows per log
-- $3 integer  greatest number of bytes of an event that comes along
--
-- Returns one row per event, in the order of the array, the newest event of each log first:
-- nth  the number of the log in the array, from 1
-- event_index, event_id, event_type, event_version, codec, occurred_at, recorded_at, metadata, kind
-- payload  null for events of more than $3 bytes
--
-- Each log takes one descent of the primary key.

select w.nth,
       e.event_index,
       e.event_id,
       e.event_type,
       e.event_version,
       e.codec,
       case when octet_length(e.payload) <= $3 then e.payload end as payload,
       e.occurred_at,
       e.recorded_at,
       e.metadata,
       e.kind
from unnest($1::uuid[]) with ordinality w (log_id, nth)
cross join lateral (
    select l.*
    from {schema}.events l
    where l.log_id = w.log_id
    order by l.event_index desc
    limit $2) e
order by w.nth, e.event_index desc
