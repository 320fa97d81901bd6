-- Notes that an event is never applied.
--
-- ?1 text     name
-- ?2 integer  build
-- ?3 blob     log
-- ?4 integer  index of the event at which the log is parked
-- ?5 text     who wants it
-- ?6 integer  the time
--
-- Adds no row if the log is not parked there: the transaction must be rolled back then.

insert into skipped_events (name, build, log_id, event_index, event_type, error, skipped_by, skipped_at)
select name, build, log_id, event_index, event_type, error, ?5, ?6
from parked_logs
where name = ?1 and build = ?2 and log_id = ?3 and event_index = ?4
