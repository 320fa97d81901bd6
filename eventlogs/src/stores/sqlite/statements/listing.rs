//! The statements that list logs: each file, and the function that binds its parameters in the order of their numbers.

use crate::stores::sqlite::statements::text::{Statement, statement};
use crate::stores::sqlite::values::blob;
use uuid::Uuid;

/// Lists logs in the order of their ids.
pub(super) const LIST_BY_ID: &str = statement(include_str!("list_by_id.sql"));
/// Reads the changes of logs.
pub(super) const LIST_BY_CHANGE: &str = statement(include_str!("list_by_change.sql"));

/// Binds the parameters of [`LIST_BY_ID`].
pub(in crate::stores) fn list_by_id(first: &Uuid, logs: i64) -> Statement<'_> {
    sqlx::query(LIST_BY_ID)
        .bind(blob(first.as_bytes())) // ?1
        .bind(logs)
}

/// Binds the parameters of [`LIST_BY_CHANGE`].
pub(in crate::stores) fn list_by_change<'a>(before: i64, top: i64, events: i64) -> Statement<'a> {
    sqlx::query(LIST_BY_CHANGE)
        .bind(before) // ?1
        .bind(top)
        .bind(events)
}
