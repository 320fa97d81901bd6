-- Reads the ids of events of one log.
--
-- ?1 blob     log
-- ?2 integer  index of the first event
-- ?3 integer  number of events
--
-- Returns one row per event, in the order of the log:
-- event_id

select event_id
from events
where log_id = ?1 and event_index >= ?2
order by event_index
limit ?3
