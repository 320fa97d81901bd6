//! The statements of the writer, each in a few sizes.
//!
//! SQLite takes no arrays, so a statement about many rows has a place for each value of each row. It is prepared for a few
//! numbers of rows only, and what is left over of the next greater one is null and passed over: preparing it once more
//! would cost more than that.

use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;
use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr, Sqlite};
use std::sync::{Arc, LazyLock};

/// A text of one or more statements with their values.
pub(super) type Statement<'a> = Query<'a, Sqlite, SqliteArguments>;

/// Begins a transaction that holds the write lock. One that began with a read and then wrote would fail at once if
/// another process was faster, whatever the busy timeout; this one waits.
pub(super) const BEGIN: &str = "begin immediate";
/// Ends a transaction, and returns once it would survive a power cut.
pub(super) const COMMIT: &str = "commit";
/// Ends a transaction of which nothing is stored.
pub(super) const ROLLBACK: &str = "rollback";
/// Reads something: only then does SQLite open the log, and lock the database.
pub(super) const FIRST_READ: &str = "select count(*) from sqlite_schema";
/// Takes what is in the log into the database.
pub(super) const CHECKPOINT: &str = "pragma wal_checkpoint(passive)";

/// For how many rows each statement exists.
const SIZES: [usize; 4] = [1, 8, 64, LARGEST];
/// How many rows a statement takes at the most: SQLite takes 32,766 values.
pub(super) const LARGEST: usize = 256;

/// All of them.
pub(super) static STATEMENTS: LazyLock<Statements> = LazyLock::new(Statements::new);

/// The stamp of a transaction: the database's epoch, and the first position that it can give out.
const STAMP: &str = "
    select (select epoch from meta where id = 1), (select coalesce(max(position), 0) + 1 from events)";

/// What the table says of the place that an append wants: whether it is free and the predecessor is the one that the caller
/// saw, whether the key is new, and when the predecessor was recorded. One row an append, whose number comes first.
const CHECK: &str = "
    select v.column1,
           (v.column3 = 0 or (p.event_id is not null and (v.column4 is null or p.event_id = v.column4)))
           and not exists (select 1 from events t where t.log_id = v.column2 and t.event_index = v.column3),
           v.column6 is null
           or not exists (select 1 from idempotency_keys k where k.scope = v.column5 and k.key = v.column6),
           p.recorded_at, p.kind
    from (values {(?,?,?,?,?,?)}) v
    left join events p on p.log_id = v.column2 and p.event_index = v.column3 - 1
    where v.column1 is not null";

/// Events whose places are known to be free. The order of the rows is that of the positions.
const INSERT_EVENTS: &str = "
    insert into events (epoch, tx, log_id, event_index, event_id, event_type, event_version, codec, payload, occurred_at,
                        recorded_at, log_type, metadata, kind)
    select ?, ?, v.* from (values {(?,?,?,?,?,?,?,?,?,?,?,?)}) v where v.column1 is not null";

/// Keys that are known to be new.
const INSERT_KEYS: &str = "
    insert into idempotency_keys (scope, key, part, log_id, first_index, event_count, event_id, request_hash, recorded_at,
                                  kind)
    select v.* from (values {(?,?,?,?,?,?,?,?,?,?)}) v where v.column1 is not null";

/// All that decides why an append was refused, one row each.
const WHY: &str = "
    select own.event_id, own.recorded_at, p.event_id,
           first.kind, first.log_type,
           k.log_id, k.first_index, k.event_count, k.event_id, k.recorded_at, k.request_hash, k.kind
    from (values {(?,?,?,?,?)}) v
    left join events first on first.log_id = v.column2 and first.event_index = 0
    left join events own on own.log_id = v.column2 and own.event_index = v.column3
    left join events p on p.log_id = v.column2 and p.event_index = v.column3 - 1
    left join idempotency_keys k on k.scope = v.column4 and k.key = v.column5
         and k.part = (select min(m.part) from idempotency_keys m where m.scope = v.column4 and m.key = v.column5)
    where v.column1 is not null
    order by v.column1";

/// The ids of a log's events from an index on, as many as asked for.
pub(super) const EVENT_IDS: &str = "select event_id from events where log_id = ? and event_index >= ? order by event_index limit ?";

/// The texts of the writer.
pub(super) struct Statements {
    /// Begins, and returns the stamp and the first answers of `check`.
    pub(super) begin_and_check: BySize,
    /// Values: number, log, index, predecessor's id, scope and key.
    pub(super) check: BySize,
    /// Values: epoch and transaction, then for each row all other columns.
    pub(super) insert_events: BySize,
    /// The same, and a commit.
    pub(super) insert_events_and_commit: BySize,
    /// Values: all columns.
    pub(super) insert_keys: BySize,
    /// The same, and a commit.
    pub(super) insert_keys_and_commit: BySize,
    /// Values: number, log, index, scope and key.
    pub(super) why: BySize,
}

impl Statements {
    fn new() -> Self {
        Self {
            begin_and_check: BySize::of(&[BEGIN, STAMP, CHECK]),
            check: BySize::of(&[CHECK]),
            insert_events: BySize::of(&[INSERT_EVENTS]),
            insert_events_and_commit: BySize::of(&[INSERT_EVENTS, COMMIT]),
            insert_keys: BySize::of(&[INSERT_KEYS]),
            insert_keys_and_commit: BySize::of(&[INSERT_KEYS, COMMIT]),
            why: BySize::of(&[WHY]),
        }
    }
}

/// A text for each number of rows.
pub(super) struct BySize([SqlStr; SIZES.len()]);

impl BySize {
    /// Joins statements, and repeats the row that stands in braces.
    fn of(statements: &[&str]) -> Self {
        let text = statements.join(";");
        Self(SIZES.map(|rows| {
            let text = match (text.split_once('{'), text.split_once('}')) {
                (Some((before, _)), Some((_, after))) => {
                    let row = &text[before.len() + 1..text.len() - after.len() - 1];
                    format!("{before}{}{after}", vec![row; rows].join(","))
                }
                _ => text.clone(),
            };
            AssertSqlSafe(Arc::<str>::from(text)).into_sql_str()
        }))
    }

    /// The text for so many rows or some more.
    pub(super) fn for_rows(&self, rows: usize) -> SqlStr {
        let [.., largest] = &self.0;
        let fitting = SIZES.iter().zip(&self.0).find(|(size, _)| rows <= **size);
        fitting.map_or(largest, |(_, text)| text).clone()
    }
}
