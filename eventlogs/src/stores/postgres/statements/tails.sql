-- Reads a short range of each of several logs.
--
-- $1 uuid[]    logs
-- $2 bigint[]  index of the first event of each
-- $3 bigint[]  index of the last event of each
-- $4 bigint[]  index of the event after which the range of each starts, if it starts after one, else null
-- $5 integer   greatest number of bytes of an event that comes along
--
-- Returns one row per event, in the order of the arrays and of each log:
-- nth  the number of the log in the arrays, from 1
-- event_index, event_id, event_type, event_version, codec, occurred_at, recorded_at, metadata, kind
-- payload  null for the event $4 and for events of more than $5 bytes
--
-- The ranges bound the number of rows, so there is no limit, which a distributed table could not apply per log.

select w.nth,
       e.event_index,
       e.event_id,
       e.event_type,
       e.event_version,
       e.codec,
       case when e.event_index is distinct from w.anchor and octet_length(e.payload) <= $5 then e.payload end as payload,
       e.occurred_at,
       e.recorded_at,
       case when e.event_index is distinct from w.anchor then e.metadata end as metadata,
       e.kind
from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[]) with ordinality w (log_id, first, last, anchor, nth)
join {schema}.events e on e.log_id = w.log_id and e.event_index between w.first and w.last
order by w.nth, e.event_index
