-- Lists logs of all kinds in the order of their ids.
--
-- ?1 blob     the first id that a log may have
-- ?2 integer  greatest number of logs
--
-- Returns one row per log, in the order of the ids, and after the last log of all a row of nulls:
-- log_id                                    the log
-- event_index, event_id, recorded_at, kind  its last event
--
-- Each step of the recursion finds the next log with one search in the index, however many events the log before it has; its
-- last event takes a second one. A row is made when it is fetched, so a reader that stops early costs no more than it reads.

with recursive logs (log_id, number) as (
    select (select min(log_id) from events where log_id >= ?1), 1
    union all
    select (select min(e.log_id) from events e where e.log_id > l.log_id), l.number + 1
    from logs l
    where l.log_id is not null and l.number < ?2)
select l.log_id, e.event_index, e.event_id, e.recorded_at, e.kind
from logs l
left join events e
     on e.log_id = l.log_id
     and e.event_index = (select max(last.event_index) from events last where last.log_id = l.log_id)
