-- Reads events of one log for the feed.
--
-- $1 uuid    log
-- $2 bigint  index of the first event
-- $3 bigint  index after the last event
--
-- Returns one row per event, in the order of the log, with the columns of a page of the feed:
-- epoch, tx_number, position, log_id, event_index, event_id, event_type, event_version, codec, kind, occurred_at, recorded_at
-- payload, metadata, left_out_bytes  all events are wanted, and whole
--
-- It is for the few events that a page lacks, so their size is not bounded.

select e.epoch,
       e.tx::text::bigint as tx_number,
       e.position,
       e.log_id,
       e.event_index,
       e.event_id,
       e.event_type,
       e.event_version,
       e.codec,
       e.kind,
       e.payload,
       e.metadata,
       null::integer as left_out_bytes,
       case when e.occurred_at is not null
            then least(greatest(e.occurred_at, '4713-01-01 00:00+00 BC'), '200000-01-01 00:00+00') end as occurred_at,
       least(greatest(e.recorded_at, '4713-01-01 00:00+00 BC'), '200000-01-01 00:00+00') as recorded_at
from {schema}.events e
where e.log_id = $1 and e.event_index >= $2 and e.event_index < $3
order by e.log_id, e.event_index
limit 10000
