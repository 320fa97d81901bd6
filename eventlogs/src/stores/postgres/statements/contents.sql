-- Reads a log from an index on, with what most aggregates look at.
--
-- $1 uuid    log
-- $2 bigint  index of the first event
-- $3 bigint  index from which on most events come without position
-- $4 bigint  more rows than a log has
--
-- Returns one row per event, in the order of the log:
-- event_index, event_type, event_version, codec
-- payload
-- event_id, recorded_at  null from the event $3 on, but not for the last event of the log
-- kind  null from the event $3 on
--
-- The rows are folded one at a time as they arrive, so their number and their size are not bounded. Each value costs a folded
-- event several per cent (see "Figures" in ARCHITECTURE), and a fold without records uses the position of the last event only.
-- The server looks the last event up when it comes to the event $3, so a short log does not pay for that.
--
-- The limit is no limit. With one, the server expects that few of the rows are fetched, and reads them in the order of the index.
-- Without one, it would collect and sort a log whose events are far apart in the table, and send nothing before it is done.

select event_index,
       event_type,
       event_version,
       codec,
       payload,
       case when event_index < $3 or event_index = (select max(l.event_index) from {schema}.events l where l.log_id = $1)
            then event_id end as event_id,
       case when event_index < $3 or event_index = (select max(l.event_index) from {schema}.events l where l.log_id = $1)
            then recorded_at end as recorded_at,
       case when event_index < $3 then kind end as kind
from {schema}.events
where log_id = $1 and event_index >= $2
order by log_id, event_index
limit $4
