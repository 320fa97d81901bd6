-- Reads the last events of logs.
--
-- ?1 blob  the ids of the logs, 16 bytes each, one after another
--
-- Returns one row per log, in the order of the ids:
-- event_index, event_id  its last event; null if the log does not exist
--
-- One value holds all ids: SQLite has no array parameters, and a list of values would need one text per length.

with recursive wanted (nth, log_id) as (
    select 0, substr(?1, 1, 16) where length(?1) > 0
    union all
    select nth + 1, substr(?1, 16 * (nth + 1) + 1, 16) from wanted where 16 * (nth + 1) < length(?1))
select e.event_index as event_index, e.event_id as event_id
from wanted
left join events e on e.log_id = wanted.log_id
     and e.event_index = (select max(m.event_index) from events m where m.log_id = wanted.log_id)
order by wanted.nth
