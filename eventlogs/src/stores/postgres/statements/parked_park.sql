-- Parks a log, in the transaction that moves the checkpoint over the event.
--
-- $1 text     name
-- $2 integer  build
-- $3 uuid     log
-- $4 bigint   index of the event that was not applied
-- $5 text     its stored name
-- $6 text     why it was not applied
-- $7 integer  how often it was tried

insert into {schema}.parked_logs (name, build, log_id, event_index, event_type, error, attempts, parked_at)
values ($1, $2, $3, $4, $5, $6, $7, pg_catalog.clock_timestamp())
