-- Looks for the place of an event in the feed.
--
-- $1 uuid    log
-- $2 bigint  index
--
-- Returns one row, or none if there is no such event:
-- epoch, tx_number, position, event_id

select e.epoch,
       e.tx::text::bigint as tx_number,
       e.position,
       e.event_id
from {schema}.events e
where e.log_id = $1 and e.event_index = $2
