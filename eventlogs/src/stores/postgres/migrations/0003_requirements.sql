-- `{schema}` stands for the schema that the user chose.

do $$
begin
    if not (has_table_privilege('{schema}.events', 'select') and has_table_privilege('{schema}.events', 'delete')) then
        raise exception 'the function release_claims needs an owner that may delete events: migrate as the owner of the table'
            using errcode = 'insufficient_privilege';
    end if;
end
$$;

-- Deletes rows that the current transaction has inserted: placeholders for required logs, and events of groups that cannot be
-- stored as a whole. `append_across.sql` calls it.
--
-- It has the rights of its owner, so that the role of a service needs no `delete` on the table. Every role may execute it: it
-- deletes no row of another transaction, so none that was ever visible to anybody else. A row may come from a dump of another
-- server, where a transaction had the same number, so both numbers of the row are compared.
-- It fails if a row is left, for instance because a trigger of yours keeps rows from being deleted: a placeholder must never be
-- committed.
create function {schema}.release_claims(logs uuid[], indices bigint[]) returns integer
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    claims constant integer := cardinality(logs);
    released integer := 0;
    deleted integer;
begin
    for claim in 1 .. claims loop
        delete from {schema}.events e
        where e.log_id = logs[claim] and e.event_index = indices[claim]
              and e.tx = pg_current_xact_id() and e.xmin = pg_current_xact_id()::xid;
        get diagnostics deleted = row_count;
        released := released + deleted;
    end loop;
    if released <> claims then
        raise exception 'eventlogs: % of % claims could not be released; let the owner of the table delete rows of its own transaction',
            claims - released, claims;
    end if;
    return released;
end
$$;
