-- Reads the name of a log's kind, which is stored with the first event.
--
-- ?1 blob  log
--
-- Returns one row if the log exists:
-- log_type

select log_type from events where log_id = ?1 and event_index = 0
