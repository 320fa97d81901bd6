-- Reads the last events of logs.
--
-- $1 uuid[]  the logs
--
-- Returns one row per log, in the order of the array:
-- event_index, event_id  its last event; null if the log does not exist
--
-- Each log takes one descent of the primary key.

select e.event_index, e.event_id
from unnest($1::uuid[]) with ordinality w (log_id, nth)
left join lateral (
    select l.event_index, l.event_id
    from {schema}.events l
    where l.log_id = w.log_id
    order by l.event_index desc
    limit 1) e on true
order by w.nth
