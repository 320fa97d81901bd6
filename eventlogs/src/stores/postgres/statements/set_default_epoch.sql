-- Has appends take the epoch that the tables are in, as the default of its column.
--
-- A default cannot be a parameter, so the statement is put together on the server. Run it only if the default is another one:
-- it locks the table for a moment.

do $$
begin
    execute pg_catalog.format(
        'alter table {schema}.events alter column epoch set default %s',
        (select epoch from {schema}.meta where id = 1));
end
$$
