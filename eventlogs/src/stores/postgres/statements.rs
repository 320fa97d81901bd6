//! The statements of a store, written once for the schema that it lives in.

use crate::stores::StoreError;
use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};
use std::sync::Arc;

/// The guarded insert of each append's first event. Its predecessor must be the one that the caller saw, and its place
/// must be free; what the guard refuses does not come back. Joins go by event id, never by log and index: two appends in
/// one statement may want the same place. The order within the statement keeps two of them from deadlocking.
const HEAD: &str = "
    insert into {schema}.events (log_id, event_index, event_id, event_type, event_version, codec, payload, occurred_at,
                                 recorded_at, log_type, epoch)
    select u.log_id, u.event_index, u.event_id, u.event_type, u.event_version, u.codec, u.payload, u.occurred_at,
           greatest(clock_timestamp(), case when p.recorded_at < '200000-01-01 00:00+00' then p.recorded_at end), u.log_type, (select epoch from {schema}.meta where id = 1)
    from unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::uuid[], $5::text[], $6::smallint[], $7::smallint[],
                $8::bytea[], $9::timestamptz[], $10::text[])
         u (log_id, event_index, event_id, previous, event_type, event_version, codec, payload, occurred_at, log_type)
    left join {schema}.events p on p.log_id = u.log_id and p.event_index = u.event_index - 1
    {blocked}
    where (u.event_index = 0 or p.event_id = u.previous or (u.previous is null and p.event_id is not null)) {unblocked}
    order by u.log_id, u.event_index
    on conflict (log_id, event_index) do nothing
    returning event_id, recorded_at";

/// The head with everything around it: a used key keeps the whole append out, the rest of a batch follows its head, and
/// keys are taken only with the events that were stored. A clash in the tail or in the keys fails the statement. The keys
/// are joined from the left, so that the plan must look each of them up: an inner join is turned round while the table is
/// empty, and reads all keys ever after.
const WHOLE: &str = "
    with blocked as materialized (
        select x.head, bool_or(k.key is not null) as used
        from unnest($20::uuid[], $26::uuid[], $21::bytea[]) x (head, scope, key)
        left join {schema}.idempotency_keys k on k.scope = x.scope and k.key = x.key
        group by x.head),
    head as ({head}),
    tail as (
        insert into {schema}.events (log_id, event_index, event_id, event_type, event_version, codec, payload,
                                     occurred_at, recorded_at, epoch)
        select t.log_id, t.event_index, t.event_id, t.event_type, t.event_version, t.codec, t.payload, t.occurred_at,
               h.recorded_at, (select epoch from {schema}.meta where id = 1)
        from unnest($11::uuid[], $12::uuid[], $13::bigint[], $14::uuid[], $15::text[], $16::smallint[], $17::smallint[],
                    $18::bytea[], $19::timestamptz[])
             t (head, log_id, event_index, event_id, event_type, event_version, codec, payload, occurred_at)
        join head h on h.event_id = t.head
        order by t.log_id, t.event_index
        returning event_id),
    keys as (
        insert into {schema}.idempotency_keys (scope, key, part, log_id, first_index, event_count, event_id, recorded_at)
        select x.scope, x.key, 0, x.log_id, x.first_index, x.event_count, x.last_event_id,
               h.recorded_at
        from unnest($20::uuid[], $26::uuid[], $21::bytea[], $22::uuid[], $23::bigint[], $24::bigint[], $25::uuid[])
             x (head, scope, key, log_id, first_index, event_count, last_event_id)
        join head h on h.event_id = x.head
        order by x.key
        returning key)
    select event_id, recorded_at from head";

/// All that decides why an append was refused, in one row. A new statement, so that it sees what the other one ran into.
const WHY: &str = "
    select own.event_id, {own.recorded_at},
           k.log_id, k.first_index, k.event_count, k.event_id, {k.recorded_at},
           p.event_id,
           exists (select 1 from {schema}.events where log_id = $1)
    from (select 1) one
    left join {schema}.events own on own.log_id = $1 and own.event_index = $2
    left join {schema}.events p on p.log_id = $1 and p.event_index = $2 - 1
    left join {schema}.idempotency_keys k
           on k.scope = '00000000-0000-0000-0000-000000000000' and k.key = $3 and k.part = 0";

const FIND_KEY: &str = "
    select log_id, first_index, event_count, event_id, {recorded_at}
    from {schema}.idempotency_keys
    where scope = '00000000-0000-0000-0000-000000000000' and key = $1 and part = 0";

/// A page; the event behind which it starts comes along with its id only.
const PAGE: &str = "
    select event_index, event_id, event_type, event_version, codec,
           case when event_index = $3 then null else payload end,
           case when occurred_at is not null then {occurred_at} end, {recorded_at}
    from {schema}.events
    where log_id = $1 and event_index >= $2
    order by log_id, event_index
    limit $4";

/// A column's time, moved into the range that the driver can read: it panics at one without an end. Such a time was not
/// written by this crate, and orders nothing, so the nearest will do.
fn readable_time(column: &str) -> String {
    format!("least(greatest({column}, '4713-01-01 00:00+00 BC'), '200000-01-01 00:00+00')")
}

/// The statements of one schema.
pub(super) struct Statements {
    /// A batch of single events without keys, the common case.
    pub(super) append_plain: SqlStr,
    /// Any other batch.
    pub(super) append: SqlStr,
    /// Why an append did not come back.
    pub(super) why: SqlStr,
    /// The write of a key.
    pub(super) find_key: SqlStr,
    /// A page of a log.
    pub(super) page: SqlStr,
}

impl Statements {
    /// The statements of a schema, whose name must be a plain identifier.
    pub(super) fn of(schema: &str) -> Result<Self, StoreError> {
        let plain = schema.starts_with(|first: char| first.is_ascii_lowercase() || first == '_')
            && schema.len() <= 63
            && schema
                .chars()
                .all(|char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '_');
        if !plain {
            return Err(StoreError::InvalidSchema {
                schema: schema.to_owned(),
            });
        }
        let blocked = "left join blocked b on b.head = u.event_id and b.used";
        let guarded = HEAD
            .replace("{blocked}", blocked)
            .replace("{unblocked}", "and b.head is null");
        let plain = HEAD.replace("{blocked}", "").replace("{unblocked}", "");
        Ok(Self {
            append_plain: in_schema(&plain, schema),
            append: in_schema(&WHOLE.replace("{head}", &guarded), schema),
            why: in_schema(WHY, schema),
            find_key: in_schema(FIND_KEY, schema),
            page: in_schema(PAGE, schema),
        })
    }
}

/// Puts the name of the schema, which is known to be a plain identifier, into a statement.
pub(super) fn in_schema(statement: &str, schema: &str) -> SqlStr {
    let mut statement = statement.replace("{schema}", schema);
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
