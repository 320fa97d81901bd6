-- Notes what is to be done with a parked log.
--
-- $1 text     name
-- $2 integer  build
-- $3 uuid     log
-- $4 text     what is to be done
-- $5 text     who wants it, or null
--
-- Returns one row, or none if the log is not parked:
-- event_index

update {schema}.parked_logs set wish = $4, wished_by = $5
where name = $1 and build = $2 and log_id = $3
returning event_index
