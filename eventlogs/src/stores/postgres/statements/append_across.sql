-- Stores groups of writes to one log or several, with or without keys. A group is stored whole or not at all, and only if the
-- logs that it requires have not moved.
--
-- The first event of each log of a group, its head:
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
-- The keys of the groups, with one row for each log that a write with a key writes to:
-- $23 uuid[]         log
-- $24 uuid[]         scope of the key; the zero id stands for all logs
-- $25 bytea[]        the key
-- $26 smallint[]     number of the row among those of the key, from 0
-- $27 bigint[]       index of the first event of the write
-- $28 bigint[]       number of events of the write
-- $29 uuid[]         id of the last event of the write
-- $30 bytea[]        digest of the request, or null; an empty array means only nulls
-- The logs that the groups require and do not write to:
-- $31 uuid[]         log
-- $32 bigint[]       index of its next event
-- $33 uuid[]         id of its last event; null if the caller does not know it
-- $34 integer[]      number of the kind
-- The groups, which have the numbers from 1 on:
-- $35 integer[]      group of each head
-- $36 integer[]      group of each key
-- $37 integer[]      group of each required log
--
-- Returns one row per log of a group that is stored:
-- log_id, recorded_at
-- The statement fails if an index of the other events is taken, or if another process uses a key at the same moment.
--
-- `guarded` looks at the tables: a group is free if each of its logs ends where the group expects and no key is used.
-- `claimed` then takes the next index of each log of the free groups. Where a group writes, that is its head. Where a group only
-- requires, it is a placeholder: a row that nobody ever sees. Whoever wants the same index waits until this transaction ends, so
-- no log moves until then. An index that is taken meanwhile is not an error, but then the groups with that log are not whole.
-- `released` deletes the placeholders, and the heads of groups that are not whole. It runs after the insert, because its
-- arguments are made from the rows of that, and before anything is stored after the heads, because `stored` reads it.
-- The claims are sorted, so two of these statements cannot wait for each other. `order by` of the keys has the same reason.
--
-- The log distinguishes the claims of a batch: no log has two.
-- The guard is that of `append_groups.sql`. It also refuses an index that is taken, so that a group that is refused leaves no
-- dead rows.
-- All events of a group have the same recorded_at, which is not before that of any event that they follow. An infinite time,
-- which only another program can have written, is not compared.
-- The rows of a log are found with `width_bucket`: a binary search among the claimed or stored logs, which are sorted.
-- Hash and merge joins are disabled on the connections of this store, so a join would compare every row with every other.
-- Keys are joined from the left, so that the plan must look up each of them: while the table is empty, the planner would
-- reverse an inner join, and that plan would always read all keys.

with guarded as materialized (
    select array_agg(g.is_free order by g.number) as free, array_agg(g.recorded_at order by g.number) as times
    from (select a.number, bool_and(a.is_free) as is_free, greatest(clock_timestamp(), max(a.recorded_at)) as recorded_at
          from (select u.number,
                       t.event_id is null
                       and (u.event_index = 0
                            or (p.event_id = u.previous or (u.previous is null and p.event_id is not null))
                               and (p.kind = u.kind
                                    or ((p.kind::bigint << 32) | (u.kind::bigint & 4294967295)) = any($13::bigint[]))) is true
                           as is_free,
                       case when p.recorded_at < '200000-01-01 00:00+00' then p.recorded_at end as recorded_at
                from unnest($1::uuid[] || $31::uuid[], $2::bigint[] || $32::bigint[], $4::uuid[] || $33::uuid[],
                            $12::integer[] || $34::integer[], $35::integer[] || $37::integer[])
                     u (log_id, event_index, previous, kind, number)
                left join {schema}.events p on p.log_id = u.log_id and p.event_index = u.event_index - 1
                left join {schema}.events t on t.log_id = u.log_id and t.event_index = u.event_index
                union all
                select x.number, k.key is null, null
                from unnest($24::uuid[], $25::bytea[], $26::smallint[], $36::integer[]) x (scope, key, part, number)
                left join {schema}.idempotency_keys k on k.scope = x.scope and k.key = x.key and k.part = x.part) a
          group by a.number) g),
claimed as (
    insert into {schema}.events (log_id, event_index, event_id, event_type, event_version, codec, payload, occurred_at,
                                 recorded_at, log_type, metadata, kind)
    select c.log_id, c.event_index, c.event_id, c.event_type, c.event_version, c.codec, c.payload, c.occurred_at, c.recorded_at,
           c.log_type, c.metadata, c.kind
    from (select u.log_id, u.event_index, u.event_id, u.event_type, u.event_version, u.codec, u.payload, u.occurred_at,
                 g.times[u.number] as recorded_at, u.log_type, u.metadata, coalesce(p.kind, u.kind) as kind
          from guarded g,
               unnest($1::uuid[], $2::bigint[], $3::uuid[], $5::text[], $6::smallint[], $7::smallint[], $8::bytea[],
                      $9::timestamptz[], $10::text[], $11::bytea[], $12::integer[], $35::integer[])
               u (log_id, event_index, event_id, event_type, event_version, codec, payload, occurred_at, log_type, metadata,
                  kind, number)
          left join {schema}.events p on p.log_id = u.log_id and p.event_index = u.event_index - 1
          where g.free[u.number]
          union all
          select distinct r.log_id, r.event_index, '00000000-0000-0000-0000-000000000000'::uuid, ''::text, 0::smallint,
                 0::smallint, ''::bytea, null::timestamptz, '-infinity'::timestamptz, null::text, null::bytea, r.kind
          from guarded g,
               unnest($31::uuid[], $32::bigint[], $34::integer[], $37::integer[]) r (log_id, event_index, kind, number)
          where g.free[r.number]) c
    order by c.log_id, c.event_index
    on conflict (log_id, event_index) do nothing
    returning log_id, event_index, recorded_at, kind),
claims as materialized (
    select array_agg(log_id order by log_id) as logs, array_agg(recorded_at order by log_id) as times,
           array_agg(kind order by log_id) as kinds
    from claimed),
whole as materialized (
    select array_agg(g.is_whole order by g.number) as groups
    from (select u.number, bool_and(c.logs[width_bucket(u.log_id, c.logs)] is not distinct from u.log_id) as is_whole
          from claims c, unnest($1::uuid[] || $31::uuid[], $35::integer[] || $37::integer[]) u (log_id, number)
          group by u.number) g),
released as materialized (
    -- No event has the recorded_at of a placeholder.
    select case when count(*) > 0 then {schema}.release_claims(array_agg(r.log_id), array_agg(r.event_index)) end as claims
    from (select log_id, event_index from claimed where recorded_at = '-infinity'
          union all
          select u.log_id, u.event_index
          from whole w, claims c, unnest($1::uuid[], $2::bigint[], $35::integer[]) u (log_id, event_index, number)
          where not w.groups[u.number] and c.logs[width_bucket(u.log_id, c.logs)] = u.log_id) r),
outcome as materialized (
    select w.groups, c.logs, c.times, c.kinds, r.claims as released
    from whole w, claims c, released r),
stored as materialized (
    select array_agg(s.log_id order by s.log_id) as logs, array_agg(s.recorded_at order by s.log_id) as times,
           array_agg(s.kind order by s.log_id) as kinds
    from (select u.log_id, o.times[width_bucket(u.log_id, o.logs)] as recorded_at,
                 o.kinds[width_bucket(u.log_id, o.logs)] as kind
          from outcome o, unnest($1::uuid[], $35::integer[]) u (log_id, number)
          where o.groups[u.number] and coalesce(o.released, 0) >= 0) s),
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
select u.log_id, u.recorded_at
from stored s, unnest(s.logs, s.times) u (log_id, recorded_at)
