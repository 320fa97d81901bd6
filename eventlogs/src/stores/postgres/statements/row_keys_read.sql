-- Reads the keys that are remembered for some logs.
--
-- $1 text     name of the subscription
-- $2 integer  build
-- $3 uuid[]   the logs
--
-- Returns one row per log with keys:
-- log_id
-- keys  a list in JSON

select k.log_id, k.keys
from {schema}.row_keys k
where k.name = $1 and k.build = $2 and k.log_id = any ($3::uuid[])
