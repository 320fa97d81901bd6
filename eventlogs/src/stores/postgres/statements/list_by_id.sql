-- Lists logs of some kinds in the order of their ids.
--
-- $1 uuid       the first id at which a log may be
-- $2 integer[]  numbers of the kinds
-- $3 bigint     greatest number of logs to list
-- $4 bigint     greatest number of logs to look at, of whatever kind
--
-- Returns one row per log, in the order of the ids, and one row for the end of the page:
-- looked       number of logs that were looked at, this one included
-- log_id       the log; null if there are no more logs
-- is_listed    whether the log is of one of the kinds; at the end of the page it may be another one
-- event_index, event_id, recorded_at  its last event, if the log is listed
--
-- Each step of the recursion finds the next log with one probe of the primary key, however many events the log before it has,
-- and its last event takes a second one. The limits end the recursion: a limit around it would depend on the order in which the
-- server returns its rows.
-- Times are moved into the range that the driver can read, because it panics at an infinite time. This store writes no such
-- time, and the time does not decide the order, so the nearest one is good enough.

with recursive step (log_id, kind, looked, listed) as (
    select f.log_id, f.kind, (f.log_id is not null)::integer::bigint, coalesce(f.kind = any($2), false)::integer::bigint
    from (select 1) one
    left join lateral (select e.log_id, e.kind
                       from {schema}.events e
                       where e.log_id >= $1
                       order by e.log_id, e.event_index
                       limit 1) f on true
    union all
    select f.log_id, f.kind, s.looked + (f.log_id is not null)::integer, s.listed + coalesce(f.kind = any($2), false)::integer
    from step s
    left join lateral (select e.log_id, e.kind
                       from {schema}.events e
                       where e.log_id > s.log_id
                       order by e.log_id, e.event_index
                       limit 1) f on true
    where s.log_id is not null and s.listed < $3 and s.looked < $4)
select s.looked,
       s.log_id,
       coalesce(s.kind = any($2), false) as is_listed,
       l.event_index,
       l.event_id,
       least(greatest(l.recorded_at, '4713-01-01 00:00+00 BC'), '200000-01-01 00:00+00') as recorded_at
from step s
left join lateral (select e.event_index, e.event_id, e.recorded_at
                   from {schema}.events e
                   where e.log_id = s.log_id and s.kind = any($2)
                   order by e.event_index desc
                   limit 1) l on true
where s.log_id is null or s.looked = $4 or s.kind = any($2)
order by s.looked, s.log_id
