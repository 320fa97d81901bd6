-- Reads the changes of all logs, from the newest one on.
--
-- ?1 integer  the position before which the changes are
-- ?2 integer  greatest number of changes
--
-- Returns one row per event, from the newest one on:
-- position, log_id, event_index, event_id, recorded_at, kind  the event
-- next_position                                               the position of the next event of its log, if there is one
--
-- The order of the positions is that of the commits, in all epochs. The reader knows which positions existed when it read its
-- first page, and so which event is the last one of its log. Rows are made when they are fetched.

select e.position,
       e.log_id,
       e.event_index,
       e.event_id,
       e.recorded_at,
       e.kind,
       (select n.position from events n where n.log_id = e.log_id and n.event_index = e.event_index + 1) as next_position
from events e
where e.position < ?1
order by e.position desc
limit ?2
