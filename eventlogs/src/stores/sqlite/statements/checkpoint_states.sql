-- Reads the state of subscriptions.
--
-- ?1 text     name; null for all
-- ?2 integer  build
--
-- Returns one row per partition:
-- name, partition, partitions, fingerprint, is_stale, known_events, is_paused, stopped
-- epoch, tx, position, event_id  the checkpoint
-- settled, moved_at, owner, token, lease_until
-- parked, wishes   how many logs of the subscription are parked, and with how many something is to be done
-- oldest_unsettled  when the first event after the checkpoint was recorded; null if there is none

select s.name,
       c.partition,
       s.partitions,
       s.fingerprint,
       s.built_with is null as is_stale,
       s.known_events,
       s.is_paused,
       c.stopped,
       c.epoch,
       c.tx,
       c.position,
       c.event_id,
       c.settled,
       c.moved_at,
       c.owner,
       c.token,
       c.lease_until,
       (select count(*) from parked_logs p where p.name = s.name and p.build = s.build) as parked,
       (select count(p.wish) from parked_logs p where p.name = s.name and p.build = s.build) as wishes,
       (select e.recorded_at from events e where e.position > c.position order by e.position limit 1) as oldest_unsettled
from subscriptions s
join checkpoints c on c.name = s.name and c.build = s.build
where s.build = ?2 and (?1 is null or s.name = ?1)
order by s.name, c.partition
