-- Stores one group of writes to several logs, with or without keys: all of it or nothing.
--
-- The first event of each log, its head:
-- $1  uuid[]         log of the event
-- $2  bigint[]       its index
-- $3  uuid[]         its id
-- $4  uuid[]         id of the event before it, as the caller saw it; null if the caller does not know it
-- $5  text[]         stored name
-- $6  smallint[]     stored version
-- $7  smallint[]     number of the codec
-- $8  bytea[]        payload
-- $9  timestamptz[]  the caller's time, or null; an empty array means only nulls
-- $10 text[]         name of the log's kind for the first event of a log, else null; an empty array means only nulls
-- $11 bytea[]        metadata, or null; an empty array means only nulls
-- $12 integer[]      number of the kind
-- $13 bigint[]       former numbers of kinds: the former number in the upper 32 bits, today's in the lower 32 bits
-- The other events of the group:
-- $14 uuid[]         log of the event
-- $15 bigint[]       its index
-- $16 uuid[]         its id
-- $17 text[]         stored name
-- $18 smallint[]     stored version
-- $19 smallint[]     number of the codec
-- $20 bytea[]        payload
-- $21 timestamptz[]  the caller's time, or null; an empty array means only nulls
-- $22 bytea[]        metadata, or null; an empty array means only nulls
-- The keys of the group, with one row for each log that a write with a key writes to:
-- $23 uuid[]         log
-- $24 uuid[]         scope of the key; the zero id stands for all logs
-- $25 bytea[]        the key
-- $26 smallint[]     number of the row among those of the key, from 0
-- $27 bigint[]       index of the first event of the write
-- $28 bigint[]       number of events of the write
-- $29 uuid[]         id of the last event of the write
-- $30 bytea[]        digest of the request, or null; an empty array means only nulls
--
-- Returns one row per log if the group is stored, and no row if one of the logs cannot take it or if a key is used:
-- log_id, recorded_at
-- There is no `on conflict`: the statement fails if an index is taken by a transaction that it cannot see yet, or if another
-- process uses a key at the same moment.
--
-- It is `append_across.sql` for one group that requires no log, which is the usual case. Nothing has to be given back, so the
-- server needs less time (see "Figures" in ARCHITECTURE).
-- `guarded` looks at the tables: the group is free if each of its logs ends where the group expects and no key is used. The guard
-- is that of `append_groups.sql`.
-- All events of the group have the same recorded_at, which is not before that of any event that they follow. An infinite time,
-- which only another program can have written, is not compared.
-- The kind of a log is found with `width_bucket`: a binary search for the log among the stored logs, which are sorted.
-- Hash and merge joins are disabled on the connections of this store, so a join would compare every row with every other.
-- Keys are joined from the left, so that the plan must look up each of them: while the table is empty, the planner would
-- reverse an inner join, and that plan would always read all keys.
-- `order by` prevents deadlocks between two of these statements.

with guarded as materialized (
    select bool_and(a.is_free) as is_free, greatest(clock_timestamp(), max(a.recorded_at)) as recorded_at
    from (select t.event_id is null
                 and (u.event_index = 0
                      or (p.event_id = u.previous or (u.previous is null and p.event_id is not null))
                         and (p.kind = u.kind
                              or ((p.kind::bigint << 32) | (u.kind::bigint & 4294967295)) = any($13::bigint[]))) is true
                     as is_free,
                 case when p.recorded_at < '200000-01-01 00:00+00' then p.recorded_at end as recorded_at
          from unnest($1::uuid[], $2::bigint[], $4::uuid[], $12::integer[]) u (log_id, event_index, previous, kind)
          left join {schema}.events p on p.log_id = u.log_id and p.event_index = u.event_index - 1
          left join {schema}.events t on t.log_id = u.log_id and t.event_index = u.event_index
          union all
          select k.key is null, null
          from unnest($24::uuid[], $25::bytea[], $26::smallint[]) x (scope, key, part)
          left join {schema}.idempotency_keys k on k.scope = x.scope and k.key = x.key and k.part = x.part) a),
head as (
    insert into {schema}.events (log_id, event_index, event_id, event_type, event_version, codec, payload, occurred_at,
                                 recorded_at, log_type, metadata, kind)
    select u.log_id, u.event_index, u.event_id, u.event_type, u.event_version, u.codec, u.payload, u.occurred_at,
           g.recorded_at, u.log_type, u.metadata, coalesce(p.kind, u.kind)
    from guarded g,
         unnest($1::uuid[], $2::bigint[], $3::uuid[], $5::text[], $6::smallint[], $7::smallint[], $8::bytea[],
                $9::timestamptz[], $10::text[], $11::bytea[], $12::integer[])
         u (log_id, event_index, event_id, event_type, event_version, codec, payload, occurred_at, log_type, metadata, kind)
    left join {schema}.events p on p.log_id = u.log_id and p.event_index = u.event_index - 1
    where g.is_free
    order by u.log_id, u.event_index
    returning log_id, recorded_at, kind),
stored as materialized (
    select array_agg(log_id order by log_id) as logs, array_agg(kind order by log_id) as kinds
    from head),
tail as (
    insert into {schema}.events (log_id, event_index, event_id, event_type, event_version, codec, payload,
                                 occurred_at, recorded_at, metadata, kind)
    select t.log_id, t.event_index, t.event_id, t.event_type, t.event_version, t.codec, t.payload, t.occurred_at,
           g.recorded_at, t.metadata, s.kinds[width_bucket(t.log_id, s.logs)]
    from guarded g, stored s,
         unnest($14::uuid[], $15::bigint[], $16::uuid[], $17::text[], $18::smallint[], $19::smallint[],
                $20::bytea[], $21::timestamptz[], $22::bytea[])
         t (log_id, event_index, event_id, event_type, event_version, codec, payload, occurred_at, metadata)
    where g.is_free
    order by t.log_id, t.event_index),
keys as (
    insert into {schema}.idempotency_keys
           (scope, key, part, log_id, first_index, event_count, event_id, request_hash, recorded_at, kind)
    select x.scope, x.key, x.part, x.log_id, x.first_index, x.event_count, x.last_event_id, x.request_hash,
           g.recorded_at, s.kinds[width_bucket(x.log_id, s.logs)]
    from guarded g, stored s,
         unnest($23::uuid[], $24::uuid[], $25::bytea[], $26::smallint[], $27::bigint[], $28::bigint[],
                $29::uuid[], $30::bytea[])
         x (log_id, scope, key, part, first_index, event_count, last_event_id, request_hash)
    where g.is_free
    order by x.key, x.part)
select log_id, recorded_at from head
