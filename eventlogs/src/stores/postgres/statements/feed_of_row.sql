-- Reads events of one log for its row in a projection.
--
-- $1 uuid     log
-- $2 bigint   index of the first event
-- $3 bigint   greatest number of rows
-- $4 text     name of the projection
-- $5 integer  build of the projection
--
-- Returns one row per event, in the order of the log, with the columns of a page of the feed:
-- epoch, tx_number, position, log_id, event_index, event_id, event_type, event_version, codec, kind, occurred_at, recorded_at
-- payload, metadata, left_out_bytes  all events are wanted, and whole
-- is_skipped                         whether somebody has decided that the projection leaves the event out
--
-- It runs in a transaction of the caller, and sees what that has appended.

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
       least(greatest(e.recorded_at, '4713-01-01 00:00+00 BC'), '200000-01-01 00:00+00') as recorded_at,
       exists (
           select from {schema}.skipped_events s
           where s.name = $4 and s.build = $5 and s.log_id = e.log_id and s.event_index = e.event_index
       ) as is_skipped
from {schema}.events e
where e.log_id = $1 and e.event_index >= $2
order by e.log_id, e.event_index
limit $3
