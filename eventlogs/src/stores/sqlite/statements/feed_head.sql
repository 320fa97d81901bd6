-- Looks where the feed ends.
--
-- Returns one row:
-- epoch     current epoch of the tables
-- last_epoch, last_tx, last_position, last_id  the last event; null if there is none
--
-- The file has one writer at a time, and positions are never given out twice, so the feed is the order of the positions, and it
-- ends with the last one.

select meta.epoch,
       last.epoch as last_epoch,
       last.tx as last_tx,
       last.position as last_position,
       last.event_id as last_id
from meta
left join events last on last.position = (select max(position) from events)
