-- Remembers keys for logs.
--
-- ?1 text     name of the subscription
-- ?2 integer  build
-- ?3 text     a list in JSON of pairs: the id of a log in hexadecimal, and its keys as a text in JSON
--
-- Without the condition that is always true, SQLite would read `on` as that of a join.

insert into row_keys as stored (name, build, log_id, keys)
select ?1, ?2, unhex(value ->> 0), value ->> 1
from json_each(?3)
where true
on conflict (name, build, log_id) do update set keys = excluded.keys
where stored.keys <> excluded.keys
