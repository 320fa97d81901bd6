-- Reads events of one log for its row in a projection.
--
-- ?1 blob     log
-- ?2 integer  index of the first event
-- ?3 integer  greatest number of rows
-- ?4 text     name of the projection
-- ?5 integer  build of the projection
--
-- Returns one row per event, in the order of the log:
-- epoch, tx, position, log_id, event_index, event_id, event_type, event_version, codec, kind, occurred_at, recorded_at
-- payload, metadata
-- is_skipped  whether somebody has decided that the projection leaves the event out
--
-- It runs in a transaction of the caller, and sees what that has appended.

select e.epoch,
       e.tx,
       e.position,
       e.log_id,
       e.event_index,
       e.event_id,
       e.event_type,
       e.event_version,
       e.codec,
       e.kind,
       e.payload,
       e.metadata,
       e.occurred_at,
       e.recorded_at,
       exists (
           select 1 from skipped_events s
           where s.name = ?4 and s.build = ?5 and s.log_id = e.log_id and s.event_index = e.event_index
       ) as is_skipped
from events e
where e.log_id = ?1 and e.event_index >= ?2
order by e.event_index
limit ?3
