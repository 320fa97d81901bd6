-- Notes that an event is never applied.
--
-- $1 text     name
-- $2 integer  build
-- $3 uuid     log
-- $4 bigint   index of the event at which the log is parked
-- $5 text     who wants it
--
-- Adds no row if the log is not parked there: the transaction must be rolled back then.

insert into {schema}.skipped_events (name, build, log_id, event_index, event_type, error, skipped_by, skipped_at)
select name, build, log_id, event_index, event_type, error, $5, pg_catalog.clock_timestamp()
from {schema}.parked_logs
where name = $1 and build = $2 and log_id = $3 and event_index = $4
