-- Finds the columns of a table of rows.
--
-- $1 text  name of the table, in quotes, with or without a schema; without one, the search path decides
-- $2 text  another name, for a table that does not exist under the first one
--
-- Returns one row per column:
-- name
-- schema
-- type  as it is written in a cast
-- is_generated
-- is_required  whether an insert must give it a value
-- is_key  whether a unique index makes it a key

select a.attname::text as name,
    n.nspname::text as schema,
    pg_catalog.format_type(a.atttypid, a.atttypmod) as type,
    a.attgenerated <> '' as is_generated,
    a.attnotnull and not a.atthasdef and a.attidentity = '' as is_required,
    exists (
        select from pg_catalog.pg_index i
        where i.indrelid = a.attrelid and i.indisunique and i.indimmediate and i.indpred is null
            and i.indnkeyatts = 1 and i.indkey[0] = a.attnum
    ) as is_key
from pg_catalog.pg_attribute a
join pg_catalog.pg_class c on c.oid = a.attrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where a.attrelid = coalesce(pg_catalog.to_regclass($1), pg_catalog.to_regclass($2)) and a.attnum > 0 and not a.attisdropped
order by a.attnum
