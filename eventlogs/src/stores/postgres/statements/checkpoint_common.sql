-- Looks for the place that all partitions of a subscription have in common, and locks them.
--
-- $1 text     name
-- $2 integer  build
--
-- Returns one row per partition:
-- epoch, tx_number, position, event_id, token

select c.epoch,
       c.tx::text::bigint as tx_number,
       c.position,
       c.event_id,
       c.token
from {schema}.checkpoints c
where c.name = $1 and c.build = $2
for update
