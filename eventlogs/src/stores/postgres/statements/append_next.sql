-- Stores one event without a key after an event whose id is known. Most single appends are like this.
--
-- $1  uuid         log of the event
-- $2  bigint       its index
-- $3  uuid         its id
-- $4  uuid         id of the event before it, as the caller saw it
-- $5  text         stored name
-- $6  smallint     stored version
-- $7  smallint     number of the codec
-- $8  bytea        payload
-- $9  timestamptz  the caller's time, or null
-- $10 text         name of the log's kind for the first event of a log, else null
-- $11 bytea        metadata, or null
-- $12 integer[]    numbers of the kind: today's and all former ones
--
-- Returns one row if the event is stored, and none if the guard refuses it:
-- log_id, recorded_at
--
-- It is `append_one.sql` without a join: either the row before exists, or nothing is stored. That takes the server less time
-- (see "Figures" in ARCHITECTURE).
-- recorded_at never decreases along a log. An infinite time, which only another program can have written, is not compared.

insert into {schema}.events (log_id, event_index, event_id, event_type, event_version, codec, payload, occurred_at,
                             recorded_at, log_type, metadata, kind)
select $1::uuid, $2::bigint, $3::uuid, $5::text, $6::smallint, $7::smallint, $8::bytea, $9::timestamptz,
       greatest(clock_timestamp(), case when p.recorded_at < '200000-01-01 00:00+00' then p.recorded_at end),
       $10::text, $11::bytea, p.kind
from {schema}.events p
where p.log_id = $1 and p.event_index = $2 - 1 and p.event_id = $4::uuid and p.kind = any($12::integer[])
on conflict (log_id, event_index) do nothing
returning log_id, recorded_at
