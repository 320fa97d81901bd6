-- Notes the version of the tables, and the server that they belong to.
--
-- $1 bigint  the version
-- $2 bigint  the identifier of this server; 0 if this role may not ask for it
--
-- A database that was restored into another server counts its transactions from the start, so a new epoch begins.

update {schema}.meta set
    schema_version = $1::bigint,
    epoch = epoch + (system_identifier <> 0 and $2::bigint <> 0 and system_identifier <> $2::bigint)::integer,
    system_identifier = case when $2::bigint = 0 then system_identifier else $2::bigint end
