-- Reads the state of subscriptions.
--
-- $1 text     name; null for all
-- $2 integer  build
--
-- Returns one row per partition:
-- name, partition, partitions, fingerprint, is_stale, known_events, is_paused, stopped
-- epoch, tx_number, position, event_id  the checkpoint
-- settled, moved_at
-- owner             null if nobody holds the lease
-- parked, wishes   how many logs of the subscription are parked, and with how many something is to be done
-- oldest_unsettled  when the first event after the checkpoint was recorded, on either side of the fence; null if there is none
-- now

select s.name,
       c.partition,
       s.partitions,
       s.fingerprint,
       s.built_with is null as is_stale,
       s.known_events,
       s.is_paused,
       c.stopped,
       c.epoch,
       c.tx::text::bigint as tx_number,
       c.position,
       c.event_id,
       c.settled,
       c.moved_at,
       case when c.lease_until >= pg_catalog.clock_timestamp() then c.owner end as owner,
       (select count(*) from {schema}.parked_logs p where p.name = s.name and p.build = s.build) as parked,
       (select count(p.wish) from {schema}.parked_logs p where p.name = s.name and p.build = s.build) as wishes,
       (select least(greatest(e.recorded_at, '4713-01-01 00:00+00 BC'), '200000-01-01 00:00+00')
        from {schema}.events e
        where (e.epoch, e.tx, e.position) > (c.epoch, c.tx, c.position)
        order by e.epoch, e.tx, e.position
        limit 1) as oldest_unsettled,
       pg_catalog.clock_timestamp() as now
from {schema}.subscriptions s
join {schema}.checkpoints c on c.name = s.name and c.build = s.build
where s.build = $2 and ($1::text is null or s.name = $1)
order by s.name, c.partition
