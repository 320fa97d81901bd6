-- Looks where the feed ends.
--
-- $1 bigint  a transaction number below which all transactions of this database are known to have ended; 0 if none is known
--
-- Returns one row:
-- epoch             current epoch of the tables
-- system_identifier server that the tables belong to
-- fence             number of the first transaction that may not have ended
-- timeline          number of the server's timeline; 0 on a standby
-- started           when the server started, in microseconds since 1970
-- is_standby        whether the server only follows another one
-- last_epoch, last_tx, last_position              the last committed event; null if there is none
-- readable_epoch, readable_tx, readable_position, readable_id  the last event before the fence; null if there is none
--
-- Every transaction below the oldest one of a snapshot has ended, so its events are visible to each later statement, and no
-- other event can get a place before them. An older fence is right, too. Both events cost one look at the end of the index.
-- The columns of the order are qualified: an output column of the same name would replace them, and the server would sort.

select meta.epoch,
       meta.system_identifier,
       horizon.fence::text::bigint as fence,
       case when pg_catalog.pg_is_in_recovery() then 0
            else ('x' || pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 1, 8))::bit(32)::integer
       end as timeline,
       (extract(epoch from pg_catalog.pg_postmaster_start_time()) * 1000000)::bigint as started,
       pg_catalog.pg_is_in_recovery() as is_standby,
       last.epoch as last_epoch,
       last.tx::text::bigint as last_tx,
       last.position as last_position,
       readable.epoch as readable_epoch,
       readable.tx::text::bigint as readable_tx,
       readable.position as readable_position,
       readable.event_id as readable_id
from {schema}.meta
cross join lateral (
    select greatest(pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot()), $1::bigint::text::xid8) as fence
) horizon
left join lateral (
    select e.epoch, e.tx, e.position from {schema}.events e
    order by e.epoch desc, e.tx desc, e.position desc
    limit 1
) last on true
left join lateral (
    select e.epoch, e.tx, e.position, e.event_id from {schema}.events e
    where (e.epoch, e.tx) < (meta.epoch, horizon.fence)
    order by e.epoch desc, e.tx desc, e.position desc
    limit 1
) readable on true
