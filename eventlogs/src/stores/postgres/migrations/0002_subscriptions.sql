-- `{schema}` stands for the schema that the user chose.

create table {schema}.subscriptions (
    name        text        not null,
    -- Numbers the lives of a subscription; 1 until there is a second one.
    build       integer     not null,
    -- The code that was registered last.
    fingerprint bigint      not null,
    -- The code that was registered each time; null after another one was.
    built_with  bigint,
    -- The kinds that this code follows, the names of the events that it ignores, and those that older code has ignored although
    -- this code does not: three lists in JSON.
    known_events text       not null,
    partitions  integer     not null,
    is_paused   boolean     not null,
    started_at  timestamptz not null,
    primary key (name, build)
);

create table {schema}.checkpoints (
    name        text        not null,
    build       integer     not null,
    partition   integer     not null,
    -- The place of the last event that was settled, and its id.
    epoch       integer     not null,
    tx          xid8        not null,
    position    bigint      not null,
    event_id    uuid,
    -- How many events were handled.
    settled     bigint      not null,
    moved_at    timestamptz not null,
    -- The process that holds the lease, and the number of the lease, which rises with each new owner.
    owner       uuid,
    token       bigint      not null,
    lease_until timestamptz,
    -- Why the partition has stopped.
    stopped     text,
    primary key (name, build, partition)
)
-- The rows change all the time and no index does: with room in their pages, no index is written.
with (fillfactor = 50);

create table {schema}.parked_logs (
    name        text        not null,
    build       integer     not null,
    log_id      uuid        not null,
    -- The first event of the log that was not applied. Neither was any later one.
    event_index bigint      not null,
    event_type  text        not null,
    error       text        not null,
    attempts    integer     not null,
    parked_at   timestamptz not null,
    -- What the process that has the lease is to do: `retry` or `skip`, and who wants it.
    wish        text,
    wished_by   text,
    primary key (name, build, log_id)
);

create table {schema}.skipped_events (
    name        text        not null,
    build       integer     not null,
    log_id      uuid        not null,
    event_index bigint      not null,
    event_type  text        not null,
    error       text        not null,
    skipped_by  text        not null,
    skipped_at  timestamptz not null,
    primary key (name, build, log_id, event_index)
);

create table {schema}.row_keys (
    name        text        not null,
    build       integer     not null,
    log_id      uuid        not null,
    -- The keys of the rows that an event of the log gave, for its later events: a list in JSON.
    keys        text        not null,
    primary key (name, build, log_id)
);
