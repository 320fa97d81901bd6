-- Moves a checkpoint in a transaction of its own, after handlers that write elsewhere.
--
-- $1 text     name
-- $2 integer  build
-- $3 integer  partition
-- $4 bigint   token of the lease
-- $5 integer  epoch of the place before
-- $6 bigint   transaction of the place before
-- $7 bigint   position of the place before
-- $8 integer  epoch of the new place
-- $9 bigint   transaction of the new place
-- $10 bigint  position of the new place
-- $11 uuid    id of the event at the new place, or null
-- $12 bigint  number of events that were handled
-- $13 double precision  seconds of the lease
--
-- Returns one row, or none if another process has taken the lease or moved the checkpoint:
-- token
--
-- If the server crashes before the commit is on the disk, the handlers get the events again, as after any failure. So the commit
-- need not wait for the disk.

with fast as materialized (
    select pg_catalog.set_config('synchronous_commit', 'off', true)
)
update {schema}.checkpoints c set
    epoch = $8,
    tx = $9::bigint::text::xid8,
    position = $10,
    event_id = $11,
    settled = c.settled + $12,
    moved_at = pg_catalog.clock_timestamp(),
    lease_until = pg_catalog.clock_timestamp() + pg_catalog.make_interval(secs => $13)
from fast
where c.name = $1 and c.build = $2 and c.partition = $3 and c.token = $4
  and c.epoch = $5 and c.tx = $6::bigint::text::xid8 and c.position = $7
returning c.token
