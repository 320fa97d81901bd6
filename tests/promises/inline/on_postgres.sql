create table tallies (
    id uuid primary key, requested bigint not null, captured bigint not null, events bigint not null, through bigint
);
-- Notes each row that gets fewer events than it had.
create table falls (id uuid not null);
create function note_fall() returns trigger language plpgsql as $$
begin
    insert into falls values (new.id);
    return new;
end $$;
create trigger falls before update on tallies for each row when (new.through <= old.through) execute function note_fall();
