-- Moves a checkpoint, in the transaction of the handlers.
--
-- ?1 text      name
-- ?2 integer   build
-- ?3 integer   partition
-- ?4 integer   token of the lease
-- ?5 integer   epoch of the place before
-- ?6 integer   transaction of the place before
-- ?7 integer   position of the place before
-- ?8 integer   epoch of the new place
-- ?9 integer   transaction of the new place
-- ?10 integer  position of the new place
-- ?11 blob     id of the event at the new place, or null
-- ?12 integer  number of events that were handled
-- ?13 integer  the time
-- ?14 integer  end of the lease
--
-- Changes no row if another process has taken the lease or moved the checkpoint: the transaction must be rolled back then.

update checkpoints set epoch = ?8, tx = ?9, position = ?10, event_id = ?11, settled = settled + ?12, moved_at = ?13,
                       lease_until = ?14
where name = ?1 and build = ?2 and partition = ?3 and token = ?4 and epoch = ?5 and tx = ?6 and position = ?7
