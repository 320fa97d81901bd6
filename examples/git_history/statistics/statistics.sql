-- The tables of the projection. SQLite takes any name for a type, so these statements suit both databases.

create table if not exists file_lives (
    log_id   text    not null primary key,
    -- Paths are bytes.
    path     bytea   not null,
    is_alive boolean not null,
    events   bigint  not null,
    added    bigint  not null,
    removed  bigint  not null,
    -- In microseconds since 1970.
    born_at  bigint
);

create table if not exists file_authors (
    log_id text not null,
    author text not null,
    primary key (log_id, author)
);
