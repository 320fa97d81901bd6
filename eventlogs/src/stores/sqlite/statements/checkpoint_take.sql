-- Takes the lease of a partition, or renews it.
--
-- ?1 text     name
-- ?2 integer  build
-- ?3 integer  partition
-- ?4 blob     the process
-- ?5 integer  the time
-- ?6 integer  end of the lease
-- ?7 integer  number of partitions of the process
--
-- Returns one row, or none if another process holds the lease, or the subscription is paused or stopped or has another number of
-- partitions:
-- epoch, tx, position, event_id, token

update checkpoints set owner = ?4, token = token + (owner is not ?4), lease_until = ?6
where name = ?1 and build = ?2 and partition = ?3 and stopped is null
  and (owner is null or owner = ?4 or lease_until < ?5)
  and exists (
      select 1 from subscriptions s where s.name = ?1 and s.build = ?2 and not s.is_paused and s.partitions = ?7
  )
returning epoch, tx, position, event_id, token
