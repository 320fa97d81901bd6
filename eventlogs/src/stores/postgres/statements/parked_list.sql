-- Reads the parked logs of a subscription, in the order in which they were parked.
--
-- $1 text     name
-- $2 integer  build
--
-- Returns one row per log:
-- log_id, event_index, event_type, error, attempts, parked_at
-- wish, wished_by  null if nothing is to be done

select log_id, event_index, event_type, error, attempts, parked_at, wish, wished_by
from {schema}.parked_logs
where name = $1 and build = $2
order by parked_at, log_id
