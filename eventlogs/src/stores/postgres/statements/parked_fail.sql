-- Notes that another attempt with a parked log has failed.
--
-- $1 text     name
-- $2 integer  build
-- $3 uuid     log
-- $4 bigint   index of the event at which the log is parked
-- $5 bigint   index of the event that was not applied
-- $6 text     its stored name
-- $7 text     why it was not applied
--
-- Changes no row if the log is not parked there.

update {schema}.parked_logs
set event_index = $5, event_type = $6, error = $7, attempts = attempts + 1, wish = null, wished_by = null
where name = $1 and build = $2 and log_id = $3 and event_index = $4
