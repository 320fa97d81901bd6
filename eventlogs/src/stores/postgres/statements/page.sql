-- Reads a page of a log.
--
-- $1 uuid     log
-- $2 bigint   index of the first event
-- $3 bigint   index of the event after which the page starts, if it starts after one: then the same as $2, else null
-- $4 bigint   greatest number of rows
-- $5 integer  greatest number of bytes of an event that comes along whole
--
-- Returns one row per event, in the order of the log:
-- event_index, event_id, event_type, event_version, codec, occurred_at, recorded_at, kind
-- payload, metadata  null for the event $3 and for events of more than $5 bytes
-- left_out_bytes     size of payload and metadata if that is more than $5, else null
--
-- The event $3 is returned without its payload: it only shows whether the log still has it.
-- An event that is larger than its share of a page is returned with its size only, so that the answer is bounded for every log.
-- With a running sum the server could find the end of the page by itself, but that would take it considerably longer (see
-- "Figures" in ARCHITECTURE). The sizes are known without reading values that are stored outside the row.
-- Times are moved into the range that the driver can read, because it panics at an infinite time. This store writes no such
-- time, and the time does not decide the order, so the nearest one is good enough.

select event_index,
       event_id,
       event_type,
       event_version,
       codec,
       case when event_index is distinct from $3 and octet_length(payload) + coalesce(octet_length(metadata), 0) <= $5
            then payload end as payload,
       case when occurred_at is not null
            then least(greatest(occurred_at, '4713-01-01 00:00+00 BC'), '200000-01-01 00:00+00') end as occurred_at,
       least(greatest(recorded_at, '4713-01-01 00:00+00 BC'), '200000-01-01 00:00+00') as recorded_at,
       case when event_index is distinct from $3 and octet_length(payload) + coalesce(octet_length(metadata), 0) <= $5
            then metadata end as metadata,
       case when octet_length(payload) + coalesce(octet_length(metadata), 0) > $5
            then octet_length(payload) + coalesce(octet_length(metadata), 0) end as left_out_bytes,
       kind
from {schema}.events
where log_id = $1 and event_index >= $2
order by log_id, event_index
limit $4
