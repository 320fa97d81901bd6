-- Notes that events of a parked log were applied, in the transaction that applies them.
--
-- ?1 text     name
-- ?2 integer  build
-- ?3 blob     log
-- ?4 integer  index of the event at which the log is parked
-- ?5 integer  index of the first event that was not applied
--
-- Changes no row if the log is not parked there: the transaction must be rolled back then. A wish to skip belongs to the event
-- before, and becomes one to retry.

update parked_logs set event_index = ?5, wish = 'retry', wished_by = null
where name = ?1 and build = ?2 and log_id = ?3 and event_index = ?4
