-- Reads the version of the tables, and the server that they belong to.
--
-- Returns one row:
-- schema_version, system_identifier
-- is_default_epoch  whether appends use the current epoch of the tables: whether it is the default of its column
--
-- It has no parameters, so that it needs no prepared statement.

select schema_version,
       system_identifier,
       epoch::text is not distinct from (
           select pg_catalog.pg_get_expr(adbin, adrelid) from pg_catalog.pg_attrdef
           join pg_catalog.pg_attribute on attrelid = adrelid and attnum = adnum
           where adrelid = pg_catalog.to_regclass('{schema}.events') and attname = 'epoch') as is_default_epoch
from {schema}.meta
