-- Reads the contents of events that a page of the feed has left out.
--
-- $1 uuid[]    logs
-- $2 bigint[]  indices, one per log
--
-- Returns one row per event:
-- log_id, event_index, payload, metadata

select e.log_id,
       e.event_index,
       e.payload,
       e.metadata
from unnest($1::uuid[], $2::bigint[]) wanted(log_id, event_index)
join {schema}.events e on e.log_id = wanted.log_id and e.event_index = wanted.event_index
