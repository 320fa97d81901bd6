-- Makes the current epoch of the tables the default of its column, so that appends use it.
--
-- A default cannot be a parameter, so the server builds the statement. Run it only if the default is another one, because it
-- locks the table for a moment.

do $$
begin
    execute pg_catalog.format(
        'alter table {schema}.events alter column epoch set default %s',
        (select epoch from {schema}.meta where id = 1));
end
$$
