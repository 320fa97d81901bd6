-- Remembers keys for logs, each of which is given once.
--
-- $1 text     name of the subscription
-- $2 integer  build
-- $3 uuid[]   the logs
-- $4 text[]   the keys of each log: a list in JSON

insert into {schema}.row_keys as stored (name, build, log_id, keys)
select $1, $2, given.log_id, given.keys
from unnest($3::uuid[], $4::text[]) given (log_id, keys)
on conflict (name, build, log_id) do update set keys = excluded.keys
where stored.keys <> excluded.keys
