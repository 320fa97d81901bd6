-- Asks whether the schema has tables of this store, and whether this role may ask for the identifier of the server.
--
-- Returns one row:
-- is_ours               whether there is a table `meta` with this store's columns: with others it belongs to another program
-- may_ask_for_identifier
--
-- It has no parameters, so that it needs no prepared statement.

select pg_catalog.count(*) = 2 as is_ours,
       pg_catalog.has_function_privilege('pg_catalog.pg_control_system()', 'execute') as may_ask_for_identifier
from pg_catalog.pg_attribute
where attrelid = pg_catalog.to_regclass('{schema}.meta') and attname in ('schema_version', 'system_identifier')
