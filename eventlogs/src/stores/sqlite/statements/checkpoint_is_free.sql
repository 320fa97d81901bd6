-- Asks whether the lease of a partition can be taken, without a write.
--
-- ?1 text     name
-- ?2 integer  build
-- ?3 integer  partition
-- ?4 blob     the process
-- ?5 integer  the time
-- ?6 integer  number of partitions of the process
--
-- Returns one row, or none if another process holds the lease, or the subscription is paused or stopped or has another number of
-- partitions:
-- token

select c.token
from checkpoints c
join subscriptions s on s.name = c.name and s.build = c.build
where c.name = ?1 and c.build = ?2 and c.partition = ?3 and c.stopped is null and not s.is_paused
  and s.partitions = ?6
  and (c.owner is null or c.owner = ?4 or c.lease_until < ?5)
