-- Reads which version the tables have, and which server they belong to.
--
-- Returns one row:
-- schema_version, system_identifier
-- is_default_epoch  whether appends take the epoch that the tables are in: whether it is the default of its column
--
-- It has no parameters, so that it needs no prepared statement.

select schema_version,
       system_identifier,
       epoch::text is not distinct from (
           select pg_catalog.pg_get_expr(adbin, adrelid) from pg_catalog.pg_attrdef
           join pg_catalog.pg_attribute on attrelid = adrelid and attnum = adnum
           where adrelid = pg_catalog.to_regclass('{schema}.events') and attname = 'epoch') as is_default_epoch
from {schema}.meta
