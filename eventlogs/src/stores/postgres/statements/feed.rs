//! The statements of the feed: each file, and the function that binds its parameters in the order of their numbers.

use crate::cursor::Cursor;
use crate::feed::page::FeedRequest;
use crate::ids::LogId;
use crate::projection::checkpoint::BUILD;
use crate::stores::encoding::decoded::signed;
use crate::stores::postgres::statements::text::{Statement, in_schema};
use sqlx::SqlStr;
use std::ops::Range;
use uuid::Uuid;

/// The statements of the feed for one schema.
pub(in crate::stores) struct FeedStatements {
    head: SqlStr,
    fence: SqlStr,
    hold: SqlStr,
    page: SqlStr,
    sparse_page: SqlStr,
    contents: SqlStr,
    gap: SqlStr,
    place: SqlStr,
    of_row: SqlStr,
}

impl FeedStatements {
    pub(super) fn for_schema(schema: &str) -> Self {
        let statement = |file| in_schema(file, schema);
        Self {
            head: statement(include_str!("feed_head.sql")),
            fence: statement(include_str!("feed_fence.sql")),
            hold: statement(include_str!("feed_hold.sql")),
            page: statement(include_str!("feed_page.sql")),
            sparse_page: statement(include_str!("feed_sparse_page.sql")),
            contents: statement(include_str!("feed_contents.sql")),
            gap: statement(include_str!("feed_gap.sql")),
            place: statement(include_str!("feed_place.sql")),
            of_row: statement(include_str!("feed_of_row.sql")),
        }
    }

    /// Looks where the feed ends.
    pub(in crate::stores) fn head(&self, fence: i64) -> Statement<'static> {
        sqlx::query(self.head.clone()).bind(fence) // $1
    }

    /// Finds a fence that transactions of other databases do not hold.
    pub(in crate::stores) fn fence(&self) -> Statement<'static> {
        sqlx::query(self.fence.clone())
    }

    /// Looks which transaction holds a fence.
    pub(in crate::stores) fn hold(&self, fence: i64) -> Statement<'static> {
        sqlx::query(self.hold.clone()).bind(fence) // $1
    }

    /// Reads a page of this many rows, with events of at most `whole_bytes`.
    pub(in crate::stores) fn page(
        &self,
        request: &FeedRequest<'_>,
        rows: i64,
        whole_bytes: i32,
    ) -> Statement<'static> {
        let text = if request.sparse {
            &self.sparse_page
        } else {
            &self.page
        };
        let (after, end) = (request.after.place(), request.end().place());
        let wanted = request.wanted;
        let except = wanted.except().iter();
        let except: Vec<_> = except
            .map(|(name, version)| format!("{name}/{version}"))
            .collect();
        let slices = wanted.slices();
        sqlx::query(text.clone())
            .bind(after.epoch.cast_signed()) // $1
            .bind(signed(after.tx))
            .bind(signed(after.position))
            .bind(end.epoch.cast_signed())
            .bind(signed(end.tx))
            .bind(rows)
            .bind(wanted.kinds().map(<[i32]>::to_vec))
            .bind(except)
            .bind(i32::from(slices.start))
            .bind(i32::from(slices.end)) // $10
            .bind(whole_bytes)
            .bind(request.head.history.timeline.cast_signed())
            .bind(request.head.history.started)
    }

    /// Reads the contents of these events.
    pub(in crate::stores) fn contents(&self, events: &[(LogId, u64)]) -> Statement<'static> {
        let (logs, indices): (Vec<Uuid>, Vec<i64>) = events
            .iter()
            .map(|(log_id, index)| (Uuid::from(*log_id), signed(*index)))
            .unzip();
        sqlx::query(self.contents.clone())
            .bind(logs) // $1
            .bind(indices)
    }

    /// Reads events of one log.
    pub(in crate::stores) fn gap(&self, log_id: LogId, indices: &Range<u64>) -> Statement<'static> {
        sqlx::query(self.gap.clone())
            .bind(Uuid::from(log_id)) // $1
            .bind(signed(indices.start))
            .bind(signed(indices.end))
    }

    /// Reads events of one log for its row in a projection.
    pub(in crate::stores) fn of_row(
        &self,
        log_id: LogId,
        from: u64,
        rows: i64,
        projection: &'static str,
    ) -> Statement<'static> {
        sqlx::query(self.of_row.clone())
            .bind(Uuid::from(log_id)) // $1
            .bind(signed(from))
            .bind(rows)
            .bind(projection)
            .bind(BUILD)
    }

    /// Looks for the place of an event.
    pub(in crate::stores) fn place(&self, log_id: LogId, index: u64) -> Statement<'static> {
        sqlx::query(self.place.clone())
            .bind(Uuid::from(log_id)) // $1
            .bind(signed(index))
    }
}

/// Returns a cursor in the types of the database: epoch, transaction, position, id of the event.
pub(in crate::stores) fn cursor_values(cursor: Cursor) -> (i32, i64, i64, Option<Uuid>) {
    let place = cursor.place();
    (
        place.epoch.cast_signed(),
        signed(place.tx),
        signed(place.position),
        cursor.event_id().map(Uuid::from),
    )
}
