//! The statements that read: each file, and the function that binds its parameters in the order of their numbers.

use crate::ids::LogId;
use crate::stores::idempotency::IdempotencyKey;
use crate::stores::sqlite::statements::text::{Statement, statement};
use crate::stores::sqlite::values::{blob, scope};

/// Reads the ids of events of one log.
pub(super) const EVENT_IDS: &str = statement(include_str!("event_ids.sql"));
/// Reads a page of a log.
pub(super) const PAGE: &str = statement(include_str!("page.sql"));
/// Reads the name of a log's kind.
pub(super) const LOG_TYPE: &str = statement(include_str!("log_type.sql"));
/// Reads the last events of logs.
pub(super) const ENDS: &str = statement(include_str!("ends.sql"));
/// Finds the write of a key.
pub(super) const FIND_KEY: &str = statement(include_str!("find_key.sql"));

/// Binds the parameters of [`EVENT_IDS`].
pub(in crate::stores) fn event_ids(log_id: &LogId, first_index: i64, events: i64) -> Statement<'_> {
    sqlx::query(EVENT_IDS)
        .bind(blob(log_id.as_bytes())) // ?1
        .bind(first_index)
        .bind(events)
}

/// Binds the parameters of [`PAGE`].
pub(in crate::stores) fn page(
    log_id: &LogId,
    first_index: i64,
    anchor_index: Option<i64>,
    rows: i64,
    unwanted: Option<String>,
) -> Statement<'_> {
    sqlx::query(PAGE)
        .bind(blob(log_id.as_bytes())) // ?1
        .bind(first_index)
        .bind(anchor_index)
        .bind(rows)
        .bind(unwanted)
}

/// Binds the parameter of [`LOG_TYPE`].
pub(in crate::stores) fn log_type(log_id: &LogId) -> Statement<'_> {
    sqlx::query(LOG_TYPE).bind(blob(log_id.as_bytes())) // ?1
}

/// Binds the parameter of [`ENDS`].
pub(in crate::stores) fn ends(log_ids: &[LogId]) -> Statement<'static> {
    let ids = log_ids.iter().flat_map(LogId::as_bytes).copied();
    sqlx::query(ENDS).bind(ids.collect::<Vec<u8>>()) // ?1
}

/// Binds the parameters of [`FIND_KEY`].
pub(in crate::stores) fn find_key<'a>(key: &'a IdempotencyKey<'_>) -> Statement<'a> {
    sqlx::query(FIND_KEY)
        .bind(scope(key.scope.as_ref())) // ?1
        .bind(key.key.as_bytes())
}
