-- Reads the contents that `page.sql` has left out of the events of a page.
--
-- $1 uuid     log
-- $2 bigint   index of the first event
-- $3 bigint   index of the last event
-- $4 integer  the greatest number of bytes of an event that came along whole
--
-- Returns one row per larger event, in the order of the log:
-- event_index, payload, metadata

select event_index, payload, metadata
from {schema}.events
where log_id = $1 and event_index >= $2 and event_index <= $3 and octet_length(payload) + coalesce(octet_length(metadata), 0) > $4
order by log_id, event_index
