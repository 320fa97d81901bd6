-- Finds a transaction number below which all transactions of this database have ended, although the oldest one of the server
-- has not.
--
-- Returns one row:
-- fence  the number; that of the oldest running transaction, unless transactions of other databases can be told apart
-- system_identifier, timeline, started  the server whose transactions these are, as in `feed_head.sql`
--
-- Events belong to one database, so a transaction of another one cannot store any. A running transaction is counted as one of
-- another database only if that is certain: its lock on its own number belongs to a process that is connected to another
-- database and reports the same number, or it is prepared there. The locks are read after the snapshot, so a transaction that
-- has ended in between is counted as running. A standby has neither the list nor the locks, so it keeps the oldest number.

select (case
           when pg_catalog.pg_is_in_recovery() then pg_catalog.pg_snapshot_xmin(snapshot.now)
           else coalesce(
               (select running.tx
                from pg_catalog.pg_snapshot_xip(snapshot.now) running(tx)
                where not exists (
                          select from pg_catalog.pg_locks l
                          join pg_catalog.pg_stat_activity a on a.pid = l.pid
                          where l.locktype = 'transactionid' and l.granted and l.mode = 'ExclusiveLock'
                            and l.transactionid = running.tx::xid
                            and a.backend_xid = l.transactionid
                            and a.datname <> pg_catalog.current_database())
                  and not exists (
                          select from pg_catalog.pg_prepared_xacts p
                          where p.transaction = running.tx::xid and p.database <> pg_catalog.current_database())
                order by running.tx
                limit 1),
               pg_catalog.pg_snapshot_xmax(snapshot.now))
       end)::text::bigint as fence,
       meta.system_identifier,
       case when pg_catalog.pg_is_in_recovery() then 0
            else ('x' || pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 1, 8))::bit(32)::integer
       end as timeline,
       (extract(epoch from pg_catalog.pg_postmaster_start_time()) * 1000000)::bigint as started
from {schema}.meta
cross join (select pg_catalog.pg_current_snapshot() as now) snapshot
