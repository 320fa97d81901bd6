-- Removes what an earlier subscription of the same name has left.
--
-- $1 text     name
-- $2 integer  build

with checkpoints as (
    delete from {schema}.checkpoints c where c.name = $1 and c.build = $2
), parked as (
    delete from {schema}.parked_logs p where p.name = $1 and p.build = $2
), skipped as (
    delete from {schema}.skipped_events s where s.name = $1 and s.build = $2
)
delete from {schema}.row_keys k where k.name = $1 and k.build = $2
