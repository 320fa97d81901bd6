-- Reads the changes of all logs, from the newest one on.
--
-- ?1 integer  the position before which the changes are
-- ?2 integer  the position before which all events are that the list knows
-- ?3 integer  greatest number of changes
--
-- Returns one row per event, from the newest one on:
-- position, log_id, event_index, event_id  the event
-- recorded_at, kind                        more of it if it is the last event of its log, else null
--
-- The order of the positions is that of the commits, in all epochs. An event is the last one of its log if the next event does
-- not exist or is not known to the list. Rows are made when they are fetched.
-- The columns of other events are left out because SQLite would walk through their payloads to reach them.

select e.position,
       e.log_id,
       e.event_index,
       e.event_id,
       case when n.position is null or n.position >= ?2 then e.recorded_at end as recorded_at,
       case when n.position is null or n.position >= ?2 then e.kind end as kind
from events e
left join events n on n.log_id = e.log_id and n.event_index = e.event_index + 1
where e.position < ?1
order by e.position desc
limit ?3
