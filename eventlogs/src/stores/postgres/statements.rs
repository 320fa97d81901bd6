//! The statements of a store, written once for the schema that it lives in.

use crate::stores::error::open::OpenError;
use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};
use std::sync::Arc;

/// The guarded insert of each group's first event. Its predecessor must be the one that the caller saw, of a kind that the
/// caller's events have, and its place must be free; what the guard refuses does not come back. Of the groups of a batch no two
/// are about the same log, so the log tells them apart: event ids come from callers, who may use one twice. The order within
/// the statement keeps two of them from deadlocking. The epoch is the column's default: reading it from `meta` would make a
/// lone append a sixth slower.
const HEAD: &str = "
    insert into {schema}.events (log_id, event_index, event_id, event_type, event_version, codec, payload, occurred_at,
                                 recorded_at, log_type, metadata, kind)
    select u.log_id, u.event_index, u.event_id, u.event_type, u.event_version, u.codec, u.payload, u.occurred_at,
           greatest(clock_timestamp(), case when p.recorded_at < '200000-01-01 00:00+00' then p.recorded_at end),
           u.log_type, u.metadata, coalesce(p.kind, u.kind)
    from {heads}
    left join {schema}.events p on p.log_id = u.log_id and p.event_index = u.event_index - 1
    {unless}
    where {guard}
    {order}
    {clash}
    returning log_id, recorded_at";

/// That the predecessor is the one that the caller saw, and that the log is of the kind of the events. A log that was created
/// under a former name of the kind keeps its number; the last array pairs such numbers with those of today.
const GUARD: &str = "
    (u.event_index = 0
     or (p.event_id = u.previous or (u.previous is null and p.event_id is not null))
        and (p.kind = u.kind or ((p.kind::bigint << 32) | (u.kind::bigint & 4294967295)) = any($13::bigint[])))";

/// A place that is taken is no error but a row that does not come back.
const UNLESS_TAKEN: &str = "on conflict (log_id, event_index) do nothing";

/// The first event of each group, one array a column.
const HEADS: &str = "
    unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::uuid[], $5::text[], $6::smallint[], $7::smallint[], $8::bytea[],
           $9::timestamptz[], $10::text[], $11::bytea[], $12::integer[]{more})
    u (log_id, event_index, event_id, previous, event_type, event_version, codec, payload, occurred_at, log_type,
       metadata, kind{names})";

/// A single event, without the detour through arrays.
const ONE_HEAD: &str = "
    (values ($1::uuid, $2::bigint, $3::uuid, $4::uuid, $5::text, $6::smallint, $7::smallint, $8::bytea, $9::timestamptz,
             $10::text, $11::bytea, $12::integer))
    u (log_id, event_index, event_id, previous, event_type, event_version, codec, payload, occurred_at, log_type, metadata,
       kind)";

/// A single event behind one whose id is known, which is what most lone appends are: the values of [`ONE_HEAD`] with all
/// numbers of the kind in place of one, without a join, which takes the server a fourteenth less.
const NEXT: &str = "
    insert into {schema}.events (log_id, event_index, event_id, event_type, event_version, codec, payload, occurred_at,
                                 recorded_at, log_type, metadata, kind)
    select $1::uuid, $2::bigint, $3::uuid, $5::text, $6::smallint, $7::smallint, $8::bytea, $9::timestamptz,
           greatest(clock_timestamp(), case when p.recorded_at < '200000-01-01 00:00+00' then p.recorded_at end),
           $10::text, $11::bytea, p.kind
    from {schema}.events p
    where p.log_id = $1 and p.event_index = $2 - 1 and p.event_id = $4::uuid and p.kind = any($12::integer[])
    {clash}
    returning log_id, recorded_at";

/// Groups of one event, each with one key: the key is looked up beside the predecessor.
///
/// Which key belongs to an event that came back is found by searching for its log among those that were sent, which must be
/// in their order therefore. Halving a sorted array costs less than a join or a window.
const KEYED: &str = "
    with head as ({head}, event_index, event_id, kind),
    keys as (
        insert into {schema}.idempotency_keys
               (scope, key, part, log_id, first_index, event_count, event_id, request_hash, recorded_at, kind)
        select ($14::uuid[])[h.nth], ($15::bytea[])[h.nth], 0, h.log_id, h.event_index, 1, h.event_id,
               ($16::bytea[])[h.nth], h.recorded_at, h.kind
        from (select *, width_bucket(log_id, $1::uuid[]) as nth from head offset 0) h
        order by 2)
    select log_id, recorded_at from head";

/// The head with everything around it: a used key keeps the whole group out, the other events of a group follow its first
/// one, and keys are taken only with the events that were stored. A clash in the tail or in the keys fails the statement.
///
/// What belongs to a head is found by searching for its log among those that came back, in a sorted array: without hash
/// and merge joins, which this crate's connections must not use, a join would compare every row with every other. Keys are
/// joined from the left, so that the plan must look each of them up: an inner join is turned round while the table is empty,
/// and reads all keys ever after.
const WHOLE: &str = "
    with blocked as materialized (
        select x.log_id
        from unnest($23::uuid[], $24::uuid[], $25::bytea[]) x (log_id, scope, key)
        left join {schema}.idempotency_keys k on k.scope = x.scope and k.key = x.key
        group by x.log_id
        having bool_or(k.key is not null)),
    {refused}
    head as ({head}, kind),
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
    select log_id, recorded_at from head";

/// Of several logs that change together, those that cannot: then none does. What nobody can see yet is found by the primary
/// key, and fails the statement.
const REFUSED: &str = "
    refused as materialized (
        select 1
        from unnest($1::uuid[], $2::bigint[], $4::uuid[], $12::integer[]) u (log_id, event_index, previous, kind)
        left join {schema}.events p on p.log_id = u.log_id and p.event_index = u.event_index - 1
        left join {schema}.events t on t.log_id = u.log_id and t.event_index = u.event_index
        where t.event_id is not null or ({guard}) is not true),";

/// All that decides why writes were refused, one row a log. A new statement, so that it sees what the other one ran into. A
/// log exists if it has an event 0. The last column is about transactions that others have begun: in ours, an append is the
/// first write.
///
/// The zeros come out of the rows that are asked about: compared with constants, a plan from the time when the tables were
/// empty reads the index of all logs, and that of all keys, for each question.
const WHY: &str = "
    select w.nth, own.event_id, {own.recorded_at},
           k.log_id, k.first_index, k.event_count, k.event_id, {k.recorded_at}, k.request_hash,
           p.event_id, first.kind, first.log_type, k.kind,
           {too_old}
    from (select v.*, 0 as zero
          from unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::bytea[])
               with ordinality v (log_id, event_index, scope, key, nth)
          offset 0) w
    left join {schema}.events own on own.log_id = w.log_id and own.event_index = w.event_index
    left join {schema}.events p on p.log_id = w.log_id and p.event_index = w.event_index - 1
    left join {schema}.events first on first.log_id = w.log_id and first.event_index = w.zero
    left join {schema}.idempotency_keys k on k.scope = w.scope and k.key = w.key and k.part = w.zero
    order by w.nth";

/// Whether a transaction is older than the event in front of its own: transaction numbers of one epoch compare.
const TOO_OLD: &str = "
    coalesce(p.tx > pg_current_xact_id() and p.epoch = (select epoch from {schema}.meta where id = 1), false)";

/// Which writes are stored with all their events at their places.
const OWN: &str = "
    select v.write
    from unnest($1::bigint[], $2::uuid[], $3::bigint[], $4::uuid[]) v (write, log_id, event_index, event_id)
    left join {schema}.events e
         on e.log_id = v.log_id and e.event_index = v.event_index and e.event_id = v.event_id
    group by v.write
    having count(e.event_id) = count(*)";

/// The name of a log's kind.
const LOG_TYPE: &str = "select log_type from {schema}.events where log_id = $1 and event_index = 0";

const FIND_KEY: &str = "
    select log_id, first_index, event_count, event_id, {recorded_at}, request_hash
    from {schema}.idempotency_keys
    where scope = $1 and key = $2
    order by part";

/// Goes by the first row of each write, so that those about several logs are forgotten as a whole.
const PRUNE: &str = "
    with old as materialized (
        select scope, key from {schema}.idempotency_keys
        where part = 0 and recorded_at < now() - $1 * interval '1 second'
        limit $2)
    delete from {schema}.idempotency_keys k using old where k.scope = old.scope and k.key = old.key
    returning k.part";

/// A page; the event behind which it starts comes along with its id only.
///
/// Of an event that is larger than its share of a page only the size comes along, so an answer is bounded, whatever the log
/// holds. A running sum could tell the server where the page ends, but takes it half as long again as all the rest.
const PAGE: &str = "
    select event_index, event_id, event_type, event_version, codec,
           case when event_index is distinct from $3 and {size} <= $5 then payload end,
           case when occurred_at is not null then {occurred_at} end, {recorded_at},
           case when event_index is distinct from $3 and {size} <= $5 then metadata end,
           case when {size} > $5 then {size} end, kind
    from {schema}.events
    where log_id = $1 and event_index >= $2
    order by log_id, event_index
    limit $4";

/// What a page has left out of some of its events.
const LARGE: &str = "
    select event_index, payload, metadata
    from {schema}.events
    where log_id = $1 and event_index >= $2 and event_index <= $3 and {size} > $4
    order by log_id, event_index";

/// The bytes of an event, for which the server need not read what it stores apart from the row.
const SIZE: &str = "octet_length(payload) + coalesce(octet_length(metadata), 0)";

/// A column's time, moved into the range that the driver can read: it panics at one without an end. Such a time was not
/// written by this crate, and orders nothing, so the nearest will do.
fn readable_time(column: &str) -> String {
    format!("least(greatest({column}, '4713-01-01 00:00+00 BC'), '200000-01-01 00:00+00')")
}

/// The statements of one schema.
pub(super) struct Statements {
    /// One event without a key.
    pub(super) append_one: SqlStr,
    /// The same behind an event whose id is known.
    pub(super) append_next: SqlStr,
    /// Single events without keys, the common case.
    pub(super) append_plain: SqlStr,
    /// Single events, each with a key.
    pub(super) append_keyed: SqlStr,
    /// Any other batch of groups, each for one log.
    pub(super) append_whole: SqlStr,
    /// One write to several logs.
    pub(super) append_many: SqlStr,
    /// One write to one log, in a transaction of the caller's.
    pub(super) append_in: SqlStr,
    /// Why writes did not come back.
    pub(super) why: SqlStr,
    /// The same in a transaction of the caller's.
    pub(super) why_in: SqlStr,
    /// Which writes are stored.
    pub(super) own: SqlStr,
    /// The name of a log's kind.
    pub(super) log_type: SqlStr,
    /// The write of a key.
    pub(super) find_key: SqlStr,
    /// Forgets old keys.
    pub(super) prune: SqlStr,
    /// A page of a log.
    pub(super) page: SqlStr,
    /// The large events of a page.
    pub(super) large: SqlStr,
}

impl Statements {
    /// The statements of a schema, whose name must be a plain identifier, and none of the server's own.
    pub(super) fn of(schema: &str) -> Result<Self, OpenError> {
        let plain = schema.starts_with(|first: char| first.is_ascii_lowercase() || first == '_')
            && schema.len() <= 63
            && schema
                .chars()
                .all(|char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '_');
        let is_systems = schema.starts_with("pg_") || schema == "information_schema";
        if !plain || is_systems {
            return Err(OpenError::InvalidSchema {
                schema: schema.to_owned(),
                advice: "use 1 to 63 of `a-z 0-9 _`, starting neither with a digit nor with `pg_`, and not `information_schema`",
            });
        }
        let heads = HEADS.replace("{more}", "").replace("{names}", "");
        let keyed_heads = HEADS
            .replace("{more}", ", $14::uuid[], $15::bytea[], $16::bytea[]")
            .replace("{names}", ", scope, key, request_hash");
        let unless_used =
            "left join {schema}.idempotency_keys k on k.scope = u.scope and k.key = u.key";
        let keyed = head(&keyed_heads, unless_used, "and k.key is null", UNLESS_TAKEN);
        let unless_blocked = "left join blocked on blocked.log_id = u.log_id";
        let unblocked = "and blocked.log_id is null";
        let young = format!("{unblocked} and not {TOO_OLD}");
        let none_refused =
            "and not exists (select from blocked) and not exists (select from refused)";
        let whole =
            |head: &str, refused: &str| WHOLE.replace("{refused}", refused).replace("{head}", head);
        let statement = |text: &str| in_schema(text, schema);
        Ok(Self {
            append_one: statement(&head(ONE_HEAD, "", "", UNLESS_TAKEN).replace("{order}", "")),
            append_next: statement(&NEXT.replace("{clash}", UNLESS_TAKEN)),
            append_plain: statement(&head(&heads, "", "", UNLESS_TAKEN)),
            append_keyed: statement(&KEYED.replace("{head}", &keyed)),
            append_whole: statement(&whole(
                &head(&heads, unless_blocked, unblocked, UNLESS_TAKEN),
                "",
            )),
            append_many: statement(&whole(
                &head(&heads, "", none_refused, ""),
                &REFUSED.replace("{guard}", GUARD),
            )),
            append_in: statement(&whole(
                &head(&heads, unless_blocked, &young, UNLESS_TAKEN),
                "",
            )),
            why: statement(&WHY.replace("{too_old}", "false")),
            why_in: statement(&WHY.replace("{too_old}", TOO_OLD)),
            own: statement(OWN),
            log_type: statement(LOG_TYPE),
            find_key: statement(FIND_KEY),
            prune: statement(PRUNE),
            page: statement(&PAGE.replace("{size}", SIZE)),
            large: statement(&LARGE.replace("{size}", SIZE)),
        })
    }
}

/// The insert of the first events, from somewhere, with a further condition, and with what happens where a place is taken.
fn head(heads: &str, unless: &str, condition: &str, clash: &str) -> String {
    HEAD.replace("{heads}", heads)
        .replace("{unless}", unless)
        .replace("{guard}", &format!("{GUARD} {condition}"))
        .replace("{clash}", clash)
}

/// Puts the name of the schema into a statement, in quotes, since it may be a word of the language. It is known to be a plain
/// identifier.
pub(super) fn in_schema(statement: &str, schema: &str) -> SqlStr {
    let mut statement = statement
        .replace("{order}", "order by u.log_id, u.event_index")
        .replace("{schema}", &format!("\"{schema}\""));
    for column in [
        "occurred_at",
        "recorded_at",
        "own.recorded_at",
        "k.recorded_at",
    ] {
        statement = statement.replace(&format!("{{{column}}}"), &readable_time(column));
    }
    AssertSqlSafe(Arc::<str>::from(statement)).into_sql_str()
}
