//! The statements of the feed: each file, and the function that binds its parameters in the order of their numbers.

use crate::ids::LogId;
use crate::projection::checkpoint::BUILD;
use crate::stores::encoding::decoded::signed;
use crate::stores::sqlite::statements::text::{Statement, statement};
use crate::stores::sqlite::values::blob;
use std::ops::Range;

/// Looks where the feed ends.
pub(super) const FEED_HEAD: &str = statement(include_str!("feed_head.sql"));
/// Reads a page of the feed.
pub(super) const FEED_PAGE: &str = statement(include_str!("feed_page.sql"));
/// Reads events of one log for the feed.
pub(super) const FEED_GAP: &str = statement(include_str!("feed_gap.sql"));
/// Reads events of one log for its row in a projection.
pub(super) const FEED_OF_ROW: &str = statement(include_str!("feed_of_row.sql"));

/// Looks where the feed ends.
pub(in crate::stores) fn head() -> Statement<'static> {
    sqlx::query(FEED_HEAD)
}

/// Binds the parameters of [`FEED_PAGE`].
pub(in crate::stores) fn page(after: u64, last: u64, rows: i64) -> Statement<'static> {
    sqlx::query(FEED_PAGE)
        .bind(signed(after)) // ?1
        .bind(signed(last))
        .bind(rows)
}

/// Binds the parameters of [`FEED_GAP`].
pub(in crate::stores) fn gap<'a>(log_id: &'a LogId, indices: &Range<u64>) -> Statement<'a> {
    sqlx::query(FEED_GAP)
        .bind(blob(log_id.as_bytes())) // ?1
        .bind(signed(indices.start))
        .bind(signed(indices.end))
}

/// Binds the parameters of [`FEED_OF_ROW`].
pub(in crate::stores) fn of_row<'a>(
    log_id: &'a LogId,
    from: u64,
    rows: i64,
    projection: &'static str,
) -> Statement<'a> {
    sqlx::query(FEED_OF_ROW)
        .bind(blob(log_id.as_bytes())) // ?1
        .bind(signed(from))
        .bind(rows)
        .bind(projection)
        .bind(BUILD)
}
