-- Looks which transaction holds the end of the feed back.
--
-- $1 bigint  the fence
--
-- Returns one row per running transaction with that number, which is one or none:
-- pid, gid           process of the server, or name of the prepared transaction
-- database, username, application
-- state, query       null if this role may not know
-- age_seconds        how long it has been running; null if this role may not know

select a.pid,
       null::text as gid,
       a.datname::text as database,
       a.usename::text as username,
       a.application_name as application,
       a.state,
       nullif(pg_catalog.left(a.query, 1000), '<insufficient privilege>') as query,
       extract(epoch from pg_catalog.clock_timestamp() - a.xact_start)::double precision as age_seconds
from pg_catalog.pg_stat_activity a
where a.backend_xid = $1::bigint::text::xid8::xid
union all
select null,
       p.gid,
       p.database::text,
       p.owner::text,
       null,
       'prepared',
       null,
       extract(epoch from pg_catalog.clock_timestamp() - p.prepared)::double precision
from pg_catalog.pg_prepared_xacts p
where p.transaction = $1::bigint::text::xid8::xid
