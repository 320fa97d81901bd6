-- `{schema}` stands for the schema that the user chose.

create table {schema}.meta (
    -- This table always has one row.
    id                integer primary key check (id = 1),
    schema_version    bigint  not null,
    -- Transaction numbers of different epochs do not compare: they start again when a dump is restored into a new server.
    epoch             integer not null,
    -- The server that the tables belong to, by which a restore into another server is noticed; 0 if it is not known.
    system_identifier bigint  not null
);

insert into {schema}.meta (id, schema_version, epoch, system_identifier) values (1, 0, 1, 0);

create table {schema}.events (
    log_id        uuid        not null,
    -- Dense from 0 in each log.
    event_index   bigint      not null check (event_index >= 0),
    -- Made by the client; the same for every attempt to write the event.
    event_id      uuid        not null,
    event_type    text        not null,
    event_version smallint    not null,
    -- 1 is JSON, 2 is MessagePack, and numbers from 100 are the user's own codecs.
    codec         smallint    not null,
    payload       bytea       not null,
    metadata      bytea,
    -- The caller's time.
    occurred_at   timestamptz,
    -- The server's time; it never decreases along a log.
    recorded_at   timestamptz not null,
    -- The name of the log's kind; only with the first event of a log.
    log_type      text,
    -- The number of that kind; the same for all events of a log.
    kind          integer     not null,
    epoch         integer     not null,
    -- Rises along each log, because an append is the first write of its transaction.
    tx            xid8        not null default pg_current_xact_id(),
    position      bigint      generated always as identity,
    primary key (log_id, event_index)
);

-- A feed reads the committed events in this order, without gaps.
create index events_feed on {schema}.events (epoch, tx, position);

create table {schema}.idempotency_keys (
    -- The zero id if the key is unique among all logs, otherwise the log.
    scope        uuid        not null,
    key          bytea       not null,
    -- Counts the rows of one key, if its write went to several logs.
    part         smallint    not null,
    log_id       uuid        not null,
    first_index  bigint      not null,
    event_count  bigint      not null,
    -- The id of the last of these events.
    event_id     uuid        not null,
    request_hash bytea,
    recorded_at  timestamptz not null,
    -- The kind of the log.
    kind         integer     not null,
    primary key (scope, key, part)
);

-- Old keys are found by time. Such an index costs almost nothing to maintain.
create index idempotency_keys_recorded_at on {schema}.idempotency_keys using brin (recorded_at);

-- Shows JSON to people. Bytes that jsonb does not accept, such as a NUL character or one that the database's encoding lacks,
-- are shown as a JSON string of these bytes: one such event must not hide all others.
create function {schema}.readable(stored bytea) returns jsonb language plpgsql stable as $$
begin
    return pg_catalog.convert_from(stored, 'UTF8')::pg_catalog.jsonb;
exception when others then
    return pg_catalog.to_jsonb(pg_catalog.encode(stored, 'escape'));
end
$$;

-- For people with psql; the library does not read it.
create view {schema}.readable_events as
select log_id,
       event_index,
       event_id,
       event_type,
       event_version,
       case codec when 1 then {schema}.readable(payload) end as payload,
       {schema}.readable(metadata) as metadata,
       occurred_at,
       recorded_at,
       log_type
from {schema}.events
order by epoch, tx, position;
