-- Removes the partitions of a subscription and notes their new number.
--
-- $1 text     name
-- $2 integer  build
-- $3 integer  new number of partitions

with gone as (
    delete from {schema}.checkpoints c where c.name = $1 and c.build = $2
)
update {schema}.subscriptions s set partitions = $3 where s.name = $1 and s.build = $2
