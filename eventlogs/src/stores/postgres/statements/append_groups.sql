-- Stores groups of events, each for a different log, with or without keys. A group is stored whole or not at all.
--
-- The first event of each group, its head:
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
-- The other events of the groups:
-- $14 uuid[]         log of the event
-- $15 bigint[]       its index
-- $16 uuid[]         its id
-- $17 text[]         stored name
-- $18 smallint[]     stored version
-- $19 smallint[]     number of the codec
-- $20 bytea[]        payload
-- $21 timestamptz[]  the caller's time, or null; an empty array means only nulls
-- $22 bytea[]        metadata, or null; an empty array means only nulls
-- The keys of the groups, with one row for each log of a write with a key:
-- $23 uuid[]         log
-- $24 uuid[]         scope of the key; the zero id stands for all logs
-- $25 bytea[]        the key
-- $26 smallint[]     number of the row among those of the key, from 0
-- $27 bigint[]       index of the first event of the write
-- $28 bigint[]       number of events of the write
-- $29 uuid[]         id of the last event of the write
-- $30 bytea[]        digest of the request, or null; an empty array means only nulls
--
-- Returns one row per stored group, and none for a group that the guard refuses or of which a key is used:
-- log_id, recorded_at
-- The statement fails if an index of the other events is taken, or if another process uses a key at the same moment.
--
-- The log distinguishes the groups of a batch, not the event id: callers choose event ids, and may use one twice.
-- The guard: the event before must be the one that the caller saw, and of the same kind as the new event. A log that was
-- created under a former name of its kind keeps the old number, so $13 pairs such numbers with today's. An index that is taken
-- is not an error: its row is not returned.
-- The other events and the keys follow their head: they are stored if it is.
-- The rows of a stored head are found with `width_bucket`: a binary search for its log among the stored logs, which are sorted.
-- Hash and merge joins are disabled on the connections of this store, so a join would compare every row with every other.
-- Keys are joined from the left, so that the plan must look up each of them: while the table is empty, the planner would
-- reverse an inner join, and that plan would always read all keys.
-- `order by` prevents deadlocks between two of these statements.
-- recorded_at never decreases along a log. An infinite time, which only another program can have written, is not compared.
-- The epoch is the default of its column: to read it from `meta` would make a single append slower (see "Figures" in
-- ARCHITECTURE).

with blocked as materialized (
    select x.log_id
    from unnest($23::uuid[], $24::uuid[], $25::bytea[]) x (log_id, scope, key)
    left join {schema}.idempotency_keys k on k.scope = x.scope and k.key = x.key
    group by x.log_id
    having bool_or(k.key is not null)),
head as (
    insert into {schema}.events (log_id, event_index, event_id, event_type, event_version, codec, payload, occurred_at,
                                 recorded_at, log_type, metadata, kind)
    select u.log_id, u.event_index, u.event_id, u.event_type, u.event_version, u.codec, u.payload, u.occurred_at,
           greatest(clock_timestamp(), case when p.recorded_at < '200000-01-01 00:00+00' then p.recorded_at end),
           u.log_type, u.metadata, coalesce(p.kind, u.kind)
    from unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::uuid[], $5::text[], $6::smallint[], $7::smallint[], $8::bytea[],
                $9::timestamptz[], $10::text[], $11::bytea[], $12::integer[])
         u (log_id, event_index, event_id, previous, event_type, event_version, codec, payload, occurred_at, log_type,
            metadata, kind)
    left join {schema}.events p on p.log_id = u.log_id and p.event_index = u.event_index - 1
    left join blocked on blocked.log_id = u.log_id
    where (u.event_index = 0
           or (p.event_id = u.previous or (u.previous is null and p.event_id is not null))
              and (p.kind = u.kind or ((p.kind::bigint << 32) | (u.kind::bigint & 4294967295)) = any($13::bigint[])))
          and blocked.log_id is null
    order by u.log_id, u.event_index
    on conflict (log_id, event_index) do nothing
    returning log_id, recorded_at, kind),
stored as materialized (
    select array_agg(log_id order by log_id) as logs, array_agg(recorded_at order by log_id) as times,
           array_agg(kind order by log_id) as kinds
    from head),
tail as (
    insert into {schema}.events (log_id, event_index, event_id, event_type, event_version, codec, payload,
                                 occurred_at, recorded_at, metadata, kind)
    select t.log_id, t.event_index, t.event_id, t.event_type, t.event_version, t.codec, t.payload, t.occurred_at,
           s.times[width_bucket(t.log_id, s.logs)], t.metadata, s.kinds[width_bucket(t.log_id, s.logs)]
    from stored s,
         unnest($14::uuid[], $15::bigint[], $16::uuid[], $17::text[], $18::smallint[], $19::smallint[],
                $20::bytea[], $21::timestamptz[], $22::bytea[])
         t (log_id, event_index, event_id, event_type, event_version, codec, payload, occurred_at, metadata)
    where s.logs[width_bucket(t.log_id, s.logs)] = t.log_id
    order by t.log_id, t.event_index),
keys as (
    insert into {schema}.idempotency_keys
           (scope, key, part, log_id, first_index, event_count, event_id, request_hash, recorded_at, kind)
    select x.scope, x.key, x.part, x.log_id, x.first_index, x.event_count, x.last_event_id, x.request_hash,
           s.times[width_bucket(x.log_id, s.logs)], s.kinds[width_bucket(x.log_id, s.logs)]
    from stored s,
         unnest($23::uuid[], $24::uuid[], $25::bytea[], $26::smallint[], $27::bigint[], $28::bigint[],
                $29::uuid[], $30::bytea[])
         x (log_id, scope, key, part, first_index, event_count, last_event_id, request_hash)
    where s.logs[width_bucket(x.log_id, s.logs)] = x.log_id
    order by x.key, x.part)
select log_id, recorded_at from head
