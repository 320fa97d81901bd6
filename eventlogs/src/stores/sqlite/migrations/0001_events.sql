-- Times are microseconds since 1970-01-01T00:00:00Z, ids are the 16 bytes of a UUID.

create table meta (
    -- One row, ever.
    id             integer primary key check (id = 1),
    schema_version integer not null,
    -- Positions and transaction numbers of different epochs do not compare; a restored copy begins a new one.
    epoch          integer not null
) strict;

insert into meta (id, schema_version, epoch) values (1, 0, 1);

create table events (
    -- The order in which events were committed. Never given out twice, hence autoincrement.
    position      integer primary key autoincrement,
    log_id        blob    not null check (length(log_id) = 16),
    -- Dense from 0 in each log.
    event_index   integer not null check (event_index >= 0),
    -- Made by the client, the same for every attempt to write the event.
    event_id      blob    not null check (length(event_id) = 16),
    event_type    text    not null,
    event_version integer not null,
    -- 1 is JSON, 2 MessagePack, from 100 the user's own.
    codec         integer not null,
    payload       blob    not null,
    metadata      blob,
    -- The caller's time.
    occurred_at   integer,
    -- The store's time; it never falls along a log.
    recorded_at   integer not null,
    -- The name of the log's kind, with its first event only.
    log_type      text,
    -- The number of that kind, the same for all events of a log.
    kind          integer not null,
    epoch         integer not null,
    -- The same for all events of one transaction, and rising.
    tx            integer not null,
    unique (log_id, event_index)
) strict;

create table idempotency_keys (
    -- 16 zero bytes where the key is unique among all logs, else the log.
    scope       blob    not null,
    key         blob    not null,
    -- Counts the rows of one key, where one write went to several logs.
    part        integer not null,
    log_id      blob    not null,
    first_index integer not null,
    event_count integer not null,
    -- The id of the last of these events.
    event_id    blob    not null,
    request_hash blob,
    recorded_at integer not null,
    -- The kind of the log.
    kind        integer not null,
    primary key (scope, key, part)
) strict, without rowid;

-- For people with a database shell; the library does not read it.
create view readable_events as
select lower(substr(hex(log_id), 1, 8) || '-' || substr(hex(log_id), 9, 4) || '-' || substr(hex(log_id), 13, 4) || '-'
             || substr(hex(log_id), 17, 4) || '-' || substr(hex(log_id), 21)) as log_id,
       event_index,
       event_type,
       event_version,
       case codec when 1 then cast(payload as text) else 'x''' || hex(payload) || '''' end as payload,
       strftime('%Y-%m-%dT%H:%M:%fZ', occurred_at / 1e6, 'unixepoch') as occurred_at,
       strftime('%Y-%m-%dT%H:%M:%fZ', recorded_at / 1e6, 'unixepoch') as recorded_at,
       log_type
from events
order by position;
