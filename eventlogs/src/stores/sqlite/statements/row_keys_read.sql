-- Reads the keys that are remembered for some logs.
--
-- ?1 text     name of the subscription
-- ?2 integer  build
-- ?3 text     the logs: a list of ids in hexadecimal, in JSON
--
-- Returns one row per log with keys:
-- log_id
-- keys  a list in JSON

select log_id, keys
from row_keys
where name = ?1 and build = ?2 and log_id in (select unhex(value) from json_each(?3))
