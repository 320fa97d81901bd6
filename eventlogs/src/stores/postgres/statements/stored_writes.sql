-- Finds the writes that are stored with all their events at their places.
--
-- $1 bigint[]  number of the write that the event belongs to
-- $2 uuid[]    log of the event
-- $3 bigint[]  its index
-- $4 uuid[]    its id
--
-- Returns one row per write that is stored:
-- write  its number

select v.write
from unnest($1::bigint[], $2::uuid[], $3::bigint[], $4::uuid[]) v (write, log_id, event_index, event_id)
left join {schema}.events e
     on e.log_id = v.log_id and e.event_index = v.event_index and e.event_id = v.event_id
group by v.write
having count(e.event_id) = count(*)
