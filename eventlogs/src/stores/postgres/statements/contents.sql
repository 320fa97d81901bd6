-- Reads a log from an index on, with what most aggregates look at.
--
-- $1 uuid    log
-- $2 bigint  index of the first event
--
-- Returns one row per event, in the order of the log:
-- event_index, event_id, event_type, event_version, codec, payload, recorded_at, kind
--
-- The rows are folded one at a time as they arrive, so their number and their size are not bounded. Each column costs a folded
-- event several per cent, so there are no others, and none is computed.

select event_index, event_id, event_type, event_version, codec, payload, recorded_at, kind
from {schema}.events
where log_id = $1 and event_index >= $2
order by log_id, event_index
