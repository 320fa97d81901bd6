-- Makes a partition of a subscription.
--
-- ?1 text     name
-- ?2 integer  build
-- ?3 integer  partition
-- ?4 integer  epoch of the place
-- ?5 integer  transaction of the place
-- ?6 integer  position of the place
-- ?7 blob     id of the event at the place, or null
-- ?8 integer  the time
-- ?9 integer  token before the first lease

insert into checkpoints (name, build, partition, epoch, tx, position, event_id, settled, moved_at, token)
values (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, ?8, ?9)
