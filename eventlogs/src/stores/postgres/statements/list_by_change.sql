-- Lists logs of some kinds in the order of their newest changes, from the newest one on, as of the first page of the list.
--
-- $1 integer    epoch of the place before which the page begins
-- $2 bigint     its transaction
-- $3 bigint     its position
-- $4 integer    epoch of the first page
-- $5 text       snapshot of the first page; null if this is the first page
-- $6 integer[]  numbers of the kinds
-- $7 bigint     greatest number of logs to list
-- $8 bigint     greatest number of events to look at, of whatever log
--
-- Returns one row about the first page, if this is it:
-- looked           0
-- epoch, snapshot  the values for $4 and $5
-- Returns one row per log, from the newest change on, and one for the last event of the page:
-- looked           number of events that were looked at, this one included
-- epoch, tx, position  the place of the event
-- log_id, event_index, event_id, recorded_at  the event
-- is_listed        whether it is the last event of a log of one of the kinds
-- is_last          whether no more events were looked at
--
-- The index of the feed is read backwards. An event is the last one of its log if the next event of the log, which is found
-- with one probe of the primary key, does not exist or was not visible to the first page. With the snapshot of that page
-- every page has the same logs, even if a transaction ends between two pages that began before: its events are at places that
-- the list has passed. Transactions of an older epoch have ended before the first page, those of a newer one have not begun.
-- `row_number` and `lead` follow the order of the index, so the scan ends as soon as there are enough logs.
-- The columns in each `order by` are qualified: an output column `tx` would be sorted as a number.
-- Times are moved into the range that the driver can read, because it panics at an infinite time. This store writes no such
-- time, and the time does not decide the order, so the nearest one is good enough.

select 0::bigint as looked,
       m.epoch,
       null::bigint as tx,
       null::bigint as position,
       null::uuid as log_id,
       null::bigint as event_index,
       null::uuid as event_id,
       null::timestamptz as recorded_at,
       false as is_listed,
       false as is_last,
       pg_current_snapshot()::text as snapshot
from {schema}.meta m
where m.id = 1 and $5::text is null
union all
(select w.looked,
        w.epoch,
        w.tx::text::bigint,
        w.position,
        w.log_id,
        w.event_index,
        w.event_id,
        least(greatest(w.recorded_at, '4713-01-01 00:00+00 BC'), '200000-01-01 00:00+00'),
        w.is_listed and n.event_index is null,
        w.is_last,
        null
 from (select e.*,
              row_number() over place as looked,
              lead(e.epoch) over place is null as is_last,
              e.kind = any($6)
              and ($5::text is null or e.epoch < $4
                   or e.epoch = $4 and pg_visible_in_snapshot(e.tx, (select $5::text::pg_snapshot))) as is_listed
       from (select e.epoch, e.tx, e.position, e.log_id, e.event_index, e.event_id, e.recorded_at, e.kind
             from {schema}.events e
             where (e.epoch, e.tx, e.position) < ($1, ($2::bigint)::text::xid8, $3)
             order by e.epoch desc, e.tx desc, e.position desc
             limit $8) e
       window place as (order by e.epoch desc, e.tx desc, e.position desc)) w
 left join lateral (select n.event_index
                    from {schema}.events n
                    where w.is_listed and n.log_id = w.log_id and n.event_index = w.event_index + 1
                          and ($5::text is null or n.epoch < $4
                               or n.epoch = $4 and pg_visible_in_snapshot(n.tx, (select $5::text::pg_snapshot)))
                    limit 1) n on true
 where w.is_listed and n.event_index is null or w.is_last
 order by w.epoch desc, w.tx desc, w.position desc
 limit $7)
order by looked
