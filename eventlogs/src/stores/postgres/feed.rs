//! The feed of a store: the end, pages, and events that a page lacks.

use crate::codec::CodecId;
use crate::cursor::{Cursor, Place};
use crate::feed::commits::Commits;
use crate::feed::contract::{EventFeed, PAGE_BYTES};
use crate::feed::error::FeedError;
use crate::feed::event::FeedEvent;
use crate::feed::head::{FeedHead, FeedHold};
use crate::feed::page::{FeedPage, FeedRequest};
use crate::feed::wanted::Wanted;
use crate::ids::{EventId, LogId};
use crate::stores::database::columns::column;
use crate::stores::database::feed::{EventNames, FeedPageBuilder};
use crate::stores::error::store::StoreError;
use crate::stores::postgres::PostgresEventStore;
use crate::stores::postgres::core::Core;
use crate::stores::postgres::failure::AttemptError;
use crate::stores::postgres::following::{place, rows, unreadable};
use crate::stores::postgres::head;
use crate::stores::postgres::head::read_history;
use crate::stores::postgres::retry;
use crate::stores::postgres::statements::text::Statement;
use crate::stores::postgres::telemetry::STORE;
use sqlx::Row;
use sqlx::postgres::PgRow;
use std::collections::HashMap;
use std::ops::Range;
use uuid::Uuid;

/// The greatest number of rows that a page looks at, whatever the request says.
const MOST_ROWS: usize = 10_000;

impl EventFeed for PostgresEventStore {
    async fn head(&self) -> Result<FeedHead, StoreError> {
        let core = self.core();
        core.check_schema().await?;
        head::head(core).await
    }

    async fn read_feed(&self, request: FeedRequest<'_>) -> Result<FeedPage, FeedError> {
        let core = self.core();
        core.check_schema().await?;
        page(core, request).await
    }

    fn feed_name(&self) -> &'static str {
        STORE
    }

    async fn read_gap(
        &self,
        log_id: LogId,
        indices: Range<u64>,
        wanted: &Wanted,
    ) -> Result<Vec<FeedEvent>, StoreError> {
        let core = self.core();
        let found = rows(core, || core.statements.feed.gap(log_id, &indices)).await?;
        let events = events(&found, |event| wanted.includes(event));
        events.map_err(unreadable)
    }

    async fn find_place(&self, log_id: LogId, index: u64) -> Result<Option<Cursor>, StoreError> {
        let core = self.core();
        core.check_schema().await?;
        let found = rows(core, || core.statements.feed.place(log_id, index)).await?;
        let cursor = found.first().map(|row| {
            let id: Uuid = row.try_get("event_id")?;
            let place = place(row, ["epoch", "tx_number", "position"])?;
            Ok(Cursor::new(place.unwrap_or_default(), Some(id.into())))
        });
        cursor.transpose().map_err(unreadable)
    }

    async fn feed_hold(&self) -> Result<Option<FeedHold>, StoreError> {
        let core = self.core();
        core.check_schema().await?;
        head::hold(core).await
    }

    fn commits(&self) -> Commits {
        self.core().commits.receiver()
    }
}

/// Reads one page.
async fn page(core: &Core, request: FeedRequest<'_>) -> Result<FeedPage, FeedError> {
    let limit = request.limit.clamp(1, MOST_ROWS);
    // The event of the cursor comes first.
    let most = limit + 1;
    let whole_bytes = i32::try_from(PAGE_BYTES / most).unwrap_or(i32::MAX);
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let statement = || core.statements.feed.page(&request, most, whole_bytes);
    let again = FeedPage::new(Vec::new(), request.after, true);
    let Some(found) = page_rows(core, &request, statement).await? else {
        return Ok(again);
    };
    let page =
        build(&found, &request, limit).map_err(|error| FeedError::Store(unreadable(error)))?;
    let (mut page, left_out) = page.finish(&request)?;
    if !left_out.is_empty() {
        let contents = rows(core, || core.statements.feed.contents(&left_out)).await?;
        let filled = fill(&mut page.events, &contents);
        if filled.map_err(|error| FeedError::Store(unreadable(error)))? < left_out.len() {
            // Another server has taken over in between, or the events are gone.
            return Ok(again);
        }
    }
    Ok(page)
}

/// Returns the rows of a page. Returns `None` if they were asked of another server than the head.
async fn page_rows(
    core: &Core,
    request: &FeedRequest<'_>,
    statement: impl Fn() -> Statement<'static>,
) -> Result<Option<Vec<PgRow>>, StoreError> {
    let operation = core.following();
    let attempt = || async {
        let mut connection = operation.lease().await?;
        let found = connection.rows(statement()).await?;
        // A page has no rows if the event of the cursor is gone, or on another server. The same connection knows which.
        let mut is_other = false;
        if found.is_empty() {
            let head = connection.rows(core.statements.feed.head(0)).await?;
            let history = head.first().map(read_history).transpose()?;
            is_other = history != Some(request.head.history);
        }
        connection.give_back();
        Ok::<_, AttemptError>((!is_other).then_some(found))
    };
    retry::read(&operation, attempt).await
}

fn build(
    rows: &[PgRow],
    request: &FeedRequest<'_>,
    limit: usize,
) -> Result<FeedPageBuilder, sqlx::Error> {
    let mut page = FeedPageBuilder::new(limit);
    let Some(first) = rows.first() else {
        return Ok(page);
    };
    let columns = FeedColumns::find(first)?;
    let mut names = EventNames::default();
    for row in rows {
        let event = columns.event(row, &mut names)?;
        let left_out: Option<i32> = row.try_get(columns.left_out_bytes)?;
        let left_out = left_out.filter(|_| request.wanted.includes(&event));
        let left_out = left_out.map(|bytes| usize::try_from(bytes).unwrap_or(0));
        page.take(event, left_out, request);
    }
    Ok(page)
}

/// Puts the contents of large events into their places, and returns how many it has found.
fn fill(events: &mut [FeedEvent], rows: &[PgRow]) -> Result<usize, sqlx::Error> {
    let mut contents = HashMap::new();
    for row in rows {
        let log_id: Uuid = row.try_get("log_id")?;
        let index: i64 = row.try_get("event_index")?;
        contents.insert((LogId::from(log_id), index.unsigned_abs()), row);
    }
    for event in events {
        if let Some(row) = contents.get(&(event.log_id, event.index)) {
            event.payload = Some(row.try_get("payload")?);
            event.metadata = row.try_get("metadata")?;
        }
    }
    Ok(contents.len())
}

/// Returns the events of `feed_gap.sql` or `feed_of_row.sql`, with the payloads of those that are wanted.
pub(super) fn events(
    rows: &[PgRow],
    is_wanted: impl Fn(&FeedEvent) -> bool,
) -> Result<Vec<FeedEvent>, sqlx::Error> {
    let Some(first) = rows.first() else {
        return Ok(Vec::new());
    };
    let columns = FeedColumns::find(first)?;
    let mut names = EventNames::default();
    let event = |row| {
        let mut event = columns.event(row, &mut names)?;
        if !is_wanted(&event) {
            event.payload = None;
        }
        Ok(event)
    };
    rows.iter().map(event).collect()
}

/// The numbers of the columns of a page of the feed.
struct FeedColumns {
    epoch: usize,
    tx_number: usize,
    position: usize,
    log_id: usize,
    event_index: usize,
    event_id: usize,
    event_type: usize,
    event_version: usize,
    codec: usize,
    kind: usize,
    payload: usize,
    metadata: usize,
    left_out_bytes: usize,
    occurred_at: usize,
    recorded_at: usize,
}

impl FeedColumns {
    fn find(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            epoch: column(row, "epoch")?,
            tx_number: column(row, "tx_number")?,
            position: column(row, "position")?,
            log_id: column(row, "log_id")?,
            event_index: column(row, "event_index")?,
            event_id: column(row, "event_id")?,
            event_type: column(row, "event_type")?,
            event_version: column(row, "event_version")?,
            codec: column(row, "codec")?,
            kind: column(row, "kind")?,
            payload: column(row, "payload")?,
            metadata: column(row, "metadata")?,
            left_out_bytes: column(row, "left_out_bytes")?,
            occurred_at: column(row, "occurred_at")?,
            recorded_at: column(row, "recorded_at")?,
        })
    }

    fn event(&self, row: &PgRow, names: &mut EventNames) -> Result<FeedEvent, sqlx::Error> {
        let place = Place {
            epoch: row.try_get::<i32, _>(self.epoch)?.cast_unsigned(),
            tx: row.try_get::<i64, _>(self.tx_number)?.cast_unsigned(),
            position: row.try_get::<i64, _>(self.position)?.cast_unsigned(),
        };
        let event_id = EventId::from(row.try_get::<Uuid, _>(self.event_id)?);
        Ok(FeedEvent {
            cursor: Cursor::new(place, Some(event_id)),
            log_id: row.try_get::<Uuid, _>(self.log_id)?.into(),
            index: row.try_get::<i64, _>(self.event_index)?.unsigned_abs(),
            event_id,
            kind: row.try_get(self.kind)?,
            event_type: names.shared(row.try_get(self.event_type)?),
            version: row.try_get::<i16, _>(self.event_version)?.into(),
            codec: CodecId::from_stored(row.try_get(self.codec)?),
            payload: row.try_get(self.payload)?,
            metadata: row.try_get(self.metadata)?,
            occurred_at: row.try_get(self.occurred_at)?,
            recorded_at: row.try_get(self.recorded_at)?,
        })
    }
}
