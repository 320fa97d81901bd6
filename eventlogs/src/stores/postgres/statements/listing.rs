//! The statements that list logs: each file, and the function that binds its parameters in the order of their numbers.

use crate::cursor::Place;
use crate::event::LogType;
use crate::stores::encoding::decoded::signed;
use crate::stores::postgres::statements::text::Statement;
use sqlx::SqlStr;
use uuid::Uuid;

/// The logs that a page wants, and the greatest numbers of logs that it lists and of rows that it looks at.
#[derive(Debug, Clone, Copy)]
pub(in crate::stores) struct ListBounds {
    /// The kind of the logs.
    pub(in crate::stores) log_type: LogType,
    /// The greatest number of logs to list.
    pub(in crate::stores) limit: usize,
    /// The greatest number of logs or of events to look at.
    pub(in crate::stores) looked: usize,
}

impl ListBounds {
    fn kinds(&self) -> Vec<i32> {
        self.log_type.numbers().collect()
    }

    fn limit(&self) -> i64 {
        signed(self.limit as u64)
    }

    fn looked(&self) -> i64 {
        signed(self.looked as u64)
    }
}

/// Lists logs in the order of their ids.
pub(super) const LIST_BY_ID: &str = include_str!("list_by_id.sql");

/// Binds the parameters of [`LIST_BY_ID`].
pub(super) fn list_by_id<'a>(statement: &SqlStr, first: Uuid, bounds: ListBounds) -> Statement<'a> {
    sqlx::query(statement.clone())
        .bind(first) // $1
        .bind(bounds.kinds())
        .bind(bounds.limit())
        .bind(bounds.looked())
}

/// Lists logs in the order of their newest changes.
pub(super) const LIST_BY_CHANGE: &str = include_str!("list_by_change.sql");

/// Where a page of [`LIST_BY_CHANGE`] starts.
#[derive(Debug, Clone)]
pub(in crate::stores) struct ChangesBefore {
    /// The place before which all its events are.
    pub(in crate::stores) place: Place,
    /// The epoch of the first page.
    pub(in crate::stores) epoch: u32,
    /// The snapshot of the first page; `None` if this is the first page.
    pub(in crate::stores) snapshot: Option<String>,
}

/// Binds the parameters of [`LIST_BY_CHANGE`].
pub(super) fn list_by_change<'a>(
    statement: &SqlStr,
    before: ChangesBefore,
    bounds: ListBounds,
) -> Statement<'a> {
    sqlx::query(statement.clone())
        .bind(epoch(before.place.epoch)) // $1
        .bind(signed(before.place.tx))
        .bind(signed(before.place.position))
        .bind(epoch(before.epoch))
        .bind(before.snapshot)
        .bind(bounds.kinds())
        .bind(bounds.limit())
        .bind(bounds.looked())
}

/// Converts an epoch into the type of its column. An epoch beyond its range becomes the last one, which no store has reached.
fn epoch(epoch: u32) -> i32 {
    i32::try_from(epoch).unwrap_or(i32::MAX)
}
