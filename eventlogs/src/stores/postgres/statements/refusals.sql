-- Looks up everything that decides why writes were refused.
--
-- $1 uuid[]    log
-- $2 bigint[]  index of the first event that could not be stored
-- $3 uuid[]    scope of the key, or null
-- $4 bytea[]   the key, or null
--
-- Returns one row per log, in the order of the arrays:
-- stored_event_id, stored_recorded_at                  the event that is stored at the index, if there is one
-- key_log_id, key_first_index, key_event_count,
-- key_last_event_id, key_recorded_at,
-- key_request_hash, key_kind                           the write that used the key, if there is one
-- previous_event_id                                    the event before the index, if there is one
-- log_kind, log_type                                   number and name of the log's kind, if the log exists: if it has an
--                                                      event 0
-- is_too_old                                           false: in transactions of this store an append is the first
--                                                      write
--
-- It is a separate statement, so that it sees the rows that the insert met.
-- `zero` comes from the rows of the parameters: with a constant instead, a plan from the time when the tables were empty reads
-- the index of all logs, and that of all keys, for each row.
-- Times are moved into the range that the driver can read, because it panics at an infinite time. This store writes no such
-- time, and the time does not decide the order, so the nearest one is good enough.

select own.event_id as stored_event_id,
       least(greatest(own.recorded_at, '4713-01-01 00:00+00 BC'), '200000-01-01 00:00+00') as stored_recorded_at,
       k.log_id as key_log_id,
       k.first_index as key_first_index,
       k.event_count as key_event_count,
       k.event_id as key_last_event_id,
       least(greatest(k.recorded_at, '4713-01-01 00:00+00 BC'), '200000-01-01 00:00+00') as key_recorded_at,
       k.request_hash as key_request_hash,
       k.kind as key_kind,
       p.event_id as previous_event_id,
       first.kind as log_kind,
       first.log_type as log_type,
       false as is_too_old
from (select v.*, 0 as zero
      from unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::bytea[])
           with ordinality v (log_id, event_index, scope, key, nth)
      offset 0) w
left join {schema}.events own on own.log_id = w.log_id and own.event_index = w.event_index
left join {schema}.events p on p.log_id = w.log_id and p.event_index = w.event_index - 1
left join {schema}.events first on first.log_id = w.log_id and first.event_index = w.zero
left join {schema}.idempotency_keys k on k.scope = w.scope and k.key = w.key and k.part = w.zero
order by w.nth
