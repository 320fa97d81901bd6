-- Lets a parked log go on, in the transaction that applies its events.
--
-- ?1 text     name
-- ?2 integer  build
-- ?3 blob     log
-- ?4 integer  index of the event at which the log is parked
--
-- Changes no row if the log is not parked there: the transaction must be rolled back then.

delete from parked_logs
where name = ?1 and build = ?2 and log_id = ?3 and event_index = ?4
