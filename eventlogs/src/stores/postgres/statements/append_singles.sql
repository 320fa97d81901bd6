-- Stores single events without keys, each for a different log. This is the usual batch.
--
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
--
-- Returns one row per stored event, and none for an event that the guard refuses:
-- log_id, recorded_at
--
-- The log distinguishes the events of a batch, not the event id: callers choose event ids, and may use one twice.
-- The guard: the event before must be the one that the caller saw, and of the same kind as the new event. A log that was
-- created under a former name of its kind keeps the old number, so $13 pairs such numbers with today's. An index that is taken
-- is not an error: its row is not returned.
-- `order by` prevents deadlocks between two of these statements.
-- recorded_at never decreases along a log. An infinite time, which only another program can have written, is not compared.
-- The epoch is the default of its column: to read it from `meta` would make a single append slower (see "Figures" in
-- ARCHITECTURE).

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
where (u.event_index = 0
       or (p.event_id = u.previous or (u.previous is null and p.event_id is not null))
          and (p.kind = u.kind or ((p.kind::bigint << 32) | (u.kind::bigint & 4294967295)) = any($13::bigint[])))
order by u.log_id, u.event_index
on conflict (log_id, event_index) do nothing
returning log_id, recorded_at
