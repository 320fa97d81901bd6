-- Makes the partitions of a subscription, at one place.
--
-- $1 text     name
-- $2 integer  build
-- $3 integer  number of partitions
-- $4 integer  epoch of the place
-- $5 bigint   transaction of the place
-- $6 bigint   position of the place
-- $7 uuid     id of the event at the place, or null
-- $8 bigint   token before the first lease

insert into {schema}.checkpoints (name, build, partition, epoch, tx, position, event_id, settled, moved_at, token)
select $1, $2, n, $4, $5::bigint::text::xid8, $6, $7, 0, pg_catalog.now(), $8
from pg_catalog.generate_series(0, $3 - 1) n
