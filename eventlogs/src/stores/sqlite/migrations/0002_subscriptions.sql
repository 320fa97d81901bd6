-- Times are microseconds since 1970-01-01T00:00:00Z, ids are the 16 bytes of a UUID.

create table subscriptions (
    name        text    not null,
    -- Numbers the lives of a subscription; 1 until there is a second one.
    build       integer not null,
    -- The code that was registered last.
    fingerprint integer not null,
    -- The code that was registered each time; null after another one was.
    built_with  integer,
    -- The kinds that this code follows, the names of the events that it ignores, and those that older code has ignored although
    -- this code does not: three lists in JSON.
    known_events text   not null,
    partitions  integer not null,
    is_paused   integer not null,
    started_at  integer not null,
    primary key (name, build)
) strict, without rowid;

create table checkpoints (
    name        text    not null,
    build       integer not null,
    partition   integer not null,
    -- The place of the last event that was settled, and its id.
    epoch       integer not null,
    tx          integer not null,
    position    integer not null,
    event_id    blob,
    -- How many events were handled.
    settled     integer not null,
    moved_at    integer not null,
    -- The process that holds the lease, and the number of the lease, which rises with each new owner.
    owner       blob,
    token       integer not null,
    lease_until integer,
    -- Why the partition has stopped.
    stopped     text,
    primary key (name, build, partition)
) strict, without rowid;

create table parked_logs (
    name        text        not null,
    build       integer     not null,
    log_id      blob        not null,
    -- The first event of the log that was not applied. Neither was any later one.
    event_index integer     not null,
    event_type  text        not null,
    error       text        not null,
    attempts    integer     not null,
    parked_at   integer     not null,
    -- What the process that has the lease is to do: `retry` or `skip`, and who wants it.
    wish        text,
    wished_by   text,
    primary key (name, build, log_id)
) strict, without rowid;

create table skipped_events (
    name        text        not null,
    build       integer     not null,
    log_id      blob        not null,
    event_index integer     not null,
    event_type  text        not null,
    error       text        not null,
    skipped_by  text        not null,
    skipped_at  integer     not null,
    primary key (name, build, log_id, event_index)
) strict, without rowid;

create table row_keys (
    name        text        not null,
    build       integer     not null,
    log_id      blob        not null,
    -- The keys of the rows that an event of the log gave, for its later events: a list in JSON.
    keys        text        not null,
    primary key (name, build, log_id)
) strict, without rowid;
