-- Takes the lease of a partition, or renews it.
--
-- $1 text     name
-- $2 integer  build
-- $3 integer  partition
-- $4 uuid     the process
-- $5 double precision  seconds of the lease
-- $6 integer  number of partitions of the process
--
-- Returns one row, or none if another process holds the lease, or the subscription is paused or stopped or has another number of
-- partitions:
-- epoch, tx_number, position, event_id, token
--
-- A row that another session has locked is about to change, so it is skipped instead of waited for.

update {schema}.checkpoints c set
    owner = $4,
    token = c.token + (c.owner is distinct from $4)::integer,
    lease_until = pg_catalog.clock_timestamp() + pg_catalog.make_interval(secs => $5)
from (
    select c.partition from {schema}.checkpoints c
    join {schema}.subscriptions s on s.name = c.name and s.build = c.build
    where c.name = $1 and c.build = $2 and c.partition = $3 and c.stopped is null and not s.is_paused
      and s.partitions = $6
      and (c.owner is null or c.owner = $4 or c.lease_until < pg_catalog.clock_timestamp())
    for update of c skip locked
) free
where c.name = $1 and c.build = $2 and c.partition = free.partition
returning c.epoch, c.tx::text::bigint as tx_number, c.position, c.event_id, c.token
