//! The statements that store no events: each file, and the function that binds its parameters in the order of their numbers.
//! The comment at the start of the file describes the parameters.

use crate::ids::LogId;
use crate::stores::encoding::decoded::signed;
use crate::stores::encoding::write::EncodedWrite;
use crate::stores::postgres::statements::text::Statement;
use crate::stores::postgres::values::scope;
use sqlx::SqlStr;
use std::time::Duration;
use uuid::Uuid;

/// Asks why writes were not stored.
pub(super) const REFUSALS: &str = include_str!("refusals.sql");
/// Asks why a write was not stored in a transaction of the caller.
pub(super) const REFUSALS_IN: &str = include_str!("refusals_in.sql");

/// Binds the parameters of [`REFUSALS`] and [`REFUSALS_IN`], one element for each log of the writes: first those that a write
/// appends to, then those that it requires.
pub(super) fn refusals<'a>(statement: &SqlStr, writes: &[&'a EncodedWrite]) -> Statement<'a> {
    let rows = writes.iter().flat_map(|write| {
        let key = write.context.key.as_ref();
        let appends = write.appends();
        let appends = appends.map(move |append| (append.log_id, append.first_index, key));
        let required = write.requirements.iter();
        let required = required.map(|log| (log.log_id, log.expected.next_index(), None));
        appends.chain(required)
    });
    let mut log_ids = Vec::new();
    let mut indices = Vec::new();
    let mut scopes = Vec::new();
    let mut keys = Vec::new();
    for (log_id, index, key) in rows {
        log_ids.push(Uuid::from(log_id));
        indices.push(signed(index));
        scopes.push(key.map(scope));
        keys.push(key.map(|key| key.key.as_bytes()));
    }
    sqlx::query(statement.clone())
        .bind(log_ids) // $1
        .bind(indices)
        .bind(scopes)
        .bind(keys)
}

/// Asks which writes are stored with all their events.
pub(super) const STORED_WRITES: &str = include_str!("stored_writes.sql");

/// Binds the parameters of [`STORED_WRITES`]: the events of these writes, each of which has a number.
pub(super) fn stored_writes<'a>(
    statement: &SqlStr,
    writes: &[(i64, &EncodedWrite)],
) -> Statement<'a> {
    let (mut numbers, mut log_ids, mut indices, mut ids) = (vec![], vec![], vec![], vec![]);
    for (number, write) in writes {
        for append in write.appends() {
            for (event, place) in append.events().zip(0..) {
                numbers.push(*number);
                log_ids.push(Uuid::from(append.log_id));
                indices.push(signed(append.first_index.saturating_add(place)));
                ids.push(Uuid::from(event.id));
            }
        }
    }
    sqlx::query(statement.clone())
        .bind(numbers) // $1
        .bind(log_ids)
        .bind(indices)
        .bind(ids)
}

/// Reads the name of a log's kind.
pub(super) const LOG_TYPE: &str = include_str!("log_type.sql");

/// Binds the parameter of [`LOG_TYPE`].
pub(super) fn log_type<'a>(statement: &SqlStr, log_id: LogId) -> Statement<'a> {
    sqlx::query(statement.clone()).bind(Uuid::from(log_id)) // $1
}

/// Reads the last events of logs.
pub(super) const ENDS: &str = include_str!("ends.sql");

/// Binds the parameter of [`ENDS`].
pub(super) fn ends<'a>(statement: &SqlStr, log_ids: &[LogId]) -> Statement<'a> {
    let log_ids: Vec<_> = log_ids.iter().copied().map(Uuid::from).collect();
    sqlx::query(statement.clone()).bind(log_ids) // $1
}

/// Finds the write of a key.
pub(super) const FIND_KEY: &str = include_str!("find_key.sql");

/// Binds the parameters of [`FIND_KEY`].
pub(super) fn find_key<'a>(statement: &SqlStr, scope: Uuid, key: &'a str) -> Statement<'a> {
    sqlx::query(statement.clone())
        .bind(scope) // $1
        .bind(key.as_bytes())
}

/// Forgets old keys.
pub(super) const PRUNE: &str = include_str!("prune.sql");

/// Binds the parameters of [`PRUNE`].
pub(super) fn prune<'a>(statement: &SqlStr, older_than: Duration, limit: i64) -> Statement<'a> {
    sqlx::query(statement.clone())
        .bind(older_than.as_secs_f64()) // $1
        .bind(limit)
}

/// Reads a page of a log.
pub(super) const PAGE: &str = include_str!("page.sql");

/// The parameters of [`PAGE`].
#[derive(Debug, Clone, Copy)]
pub(in crate::stores) struct PageBounds {
    /// The log.
    pub(in crate::stores) log_id: LogId,
    /// The index of the first row.
    pub(in crate::stores) from: i64,
    /// The index of the anchor: the event after which the page starts, if it starts after one.
    pub(in crate::stores) anchor: Option<i64>,
    /// The greatest number of rows.
    pub(in crate::stores) rows: i64,
    /// The greatest number of bytes of an event that is returned whole.
    pub(in crate::stores) whole_bytes: i32,
}

/// Binds the parameters of [`PAGE`].
pub(super) fn page<'a>(statement: &SqlStr, bounds: PageBounds) -> Statement<'a> {
    sqlx::query(statement.clone())
        .bind(Uuid::from(bounds.log_id)) // $1
        .bind(bounds.from)
        .bind(bounds.anchor)
        .bind(bounds.rows)
        .bind(bounds.whole_bytes)
}

/// Reads the contents that a page has left out.
pub(super) const LARGE_EVENTS: &str = include_str!("large_events.sql");

/// Binds the parameters of [`LARGE_EVENTS`]: those of the page, and the indices of the first and the last event.
pub(super) fn large_events<'a>(
    statement: &SqlStr,
    page: PageBounds,
    (first, last): (i64, i64),
) -> Statement<'a> {
    sqlx::query(statement.clone())
        .bind(Uuid::from(page.log_id)) // $1
        .bind(first)
        .bind(last)
        .bind(page.whole_bytes)
}

/// Asks whether the tables belong to this server.
pub(super) const IS_AT_HOME: &str = include_str!("is_at_home.sql");
