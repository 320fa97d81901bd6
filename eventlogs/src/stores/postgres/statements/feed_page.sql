-- Reads a page of the feed.
--
-- $1 integer     epoch of the cursor
-- $2 bigint      transaction of the cursor
-- $3 bigint      position of the cursor
-- $4 integer     epoch of the end
-- $5 bigint      transaction of the end
-- $6 bigint      greatest number of rows
-- $7 integer[]   numbers of the wanted kinds; null for all
-- $8 text[]      names and versions that are not wanted, in the form name/version
-- $9 integer     first wanted slice of the logs
-- $10 integer    first slice after the wanted ones
-- $11 integer    greatest number of bytes of an event that comes along whole
-- $12 integer    timeline of the server that the end was looked up on; 0 on a standby
-- $13 bigint     when that server started, in microseconds since 1970
--
-- Returns one row per event, in the order of the feed, beginning with the event of the cursor, if it exists:
-- epoch, tx_number, position                         place
-- log_id, event_index, event_id, event_type, event_version, codec, kind, occurred_at, recorded_at
-- payload, metadata  null for events that are not wanted or have more than $11 bytes
-- left_out_bytes     size of payload and metadata if that is more than $11, else null
--
-- The end of one server is not the end of another one that has taken over, or that follows the same one and lags behind, so
-- another server has no rows.
-- Both ends are conditions of the index, which also gives the order. The columns of the order are qualified: an output column
-- of the same name would replace them, and the server would sort all that is left.
-- The server computes the lateral columns anew at each use. So whether an event is wanted, which costs most, is used once per
-- row; the reader knows it anyway.
-- Times are moved into the range that the driver can read, because it panics at an infinite time. This store writes no such
-- time, and the time does not decide the order, so the nearest one is good enough.

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
       case when w.bytes <= $11 and w.is_wanted then e.payload end as payload,
       case when e.metadata is not null and w.bytes <= $11 and w.is_wanted then e.metadata end as metadata,
       case when w.bytes > $11 then w.bytes end as left_out_bytes,
       case when e.occurred_at is not null
            then least(greatest(e.occurred_at, '4713-01-01 00:00+00 BC'), '200000-01-01 00:00+00') end as occurred_at,
       least(greatest(e.recorded_at, '4713-01-01 00:00+00 BC'), '200000-01-01 00:00+00') as recorded_at
from {schema}.events e
cross join lateral (
    select ($7::integer[] is null or e.kind = any($7))
           and ($10::integer - $9::integer >= 1024
                or (pg_catalog.get_byte(pg_catalog.uuid_send(e.log_id), 14) * 256
                    + pg_catalog.get_byte(pg_catalog.uuid_send(e.log_id), 15)) % 1024 between $9 and $10 - 1) as is_log
) l
cross join lateral (
    select l.is_log and (cardinality($8::text[]) = 0 or e.event_type || '/' || e.event_version <> all($8)) as is_wanted,
           octet_length(e.payload) + coalesce(octet_length(e.metadata), 0) as bytes
) w
where (e.epoch, e.tx, e.position) >= ($1, $2::bigint::text::xid8, $3)
  and (e.epoch, e.tx) < ($4, $5::bigint::text::xid8)
  and $13 = (extract(epoch from pg_catalog.pg_postmaster_start_time()) * 1000000)::bigint
  and $12 = (
      select case when pg_catalog.pg_is_in_recovery() then 0
                  else ('x' || pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 1, 8))::bit(32)::integer
             end)
order by e.epoch, e.tx, e.position
limit $6
