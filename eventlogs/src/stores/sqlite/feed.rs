//! The feed of a store: the order of the positions.

use crate::codec::CodecId;
use crate::cursor::{Cursor, Place};
use crate::feed::commits::Commits;
use crate::feed::contract::EventFeed;
use crate::feed::error::FeedError;
use crate::feed::event::FeedEvent;
use crate::feed::head::FeedHead;
use crate::feed::page::{FeedPage, FeedRequest};
use crate::feed::wanted::Wanted;
use crate::ids::{EventId, LogId};
use crate::stores::database::columns::column;
use crate::stores::database::feed::{EventNames, FeedPageBuilder};
use crate::stores::error::store::StoreError;
use crate::stores::sqlite::statements::feed;
use crate::stores::sqlite::telemetry::STORE;
use crate::stores::sqlite::{SqliteEventStore, error, read};
use futures_util::TryStreamExt;
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use std::ops::Range;
use uuid::Uuid;

/// The greatest number of rows that a page looks at, whatever the request says.
const MOST_ROWS: usize = 10_000;

impl EventFeed for SqliteEventStore {
    async fn head(&self) -> Result<FeedHead, StoreError> {
        let core = self.core();
        core.check_schema().await?;
        let rows = core.pool.rows(feed::head).await?;
        let row = rows.first();
        let row = row.ok_or_else(|| error::into_store_error(sqlx::Error::RowNotFound))?;
        head(row).map_err(error::into_store_error)
    }

    async fn read_feed(&self, request: FeedRequest<'_>) -> Result<FeedPage, FeedError> {
        let core = self.core();
        core.check_schema().await?;
        let mut attempts = 0;
        loop {
            let mut reader = core.pool.reader().await?;
            let page = page(&mut reader.connection, &request).await;
            if reader.still_holds(&mut attempts).await? {
                return page;
            }
        }
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
        let pool = &self.core().pool;
        let rows = pool.rows(|| feed::gap(&log_id, &indices)).await?;
        events(&rows, wanted).map_err(error::into_store_error)
    }

    async fn find_place(&self, log_id: LogId, index: u64) -> Result<Option<Cursor>, StoreError> {
        let indices = index..index.saturating_add(1);
        let found = self.read_gap(log_id, indices, &Wanted::of(&[])).await?;
        Ok(found.first().map(|event| event.cursor))
    }

    fn commits(&self) -> Commits {
        self.core().commits.receiver()
    }
}

/// Returns the head from a row of `feed_head.sql`.
fn head(row: &SqliteRow) -> Result<FeedHead, sqlx::Error> {
    let epoch: u32 = row.try_get("epoch")?;
    let last = match row.try_get::<Option<u32>, _>("last_epoch")? {
        Some(epoch) => {
            let place = Place {
                epoch,
                tx: row.try_get::<i64, _>("last_tx")?.cast_unsigned(),
                position: row.try_get::<i64, _>("last_position")?.cast_unsigned(),
            };
            let id: &[u8] = row.try_get("last_id")?;
            let id = Uuid::from_slice(id).ok().map(EventId::from);
            Some(Cursor::new(place, id))
        }
        None => None,
    };
    // The fence lies after the last event.
    let place = last.map_or(Place::START, |last| last.place());
    let fence = Place {
        epoch: epoch.max(place.epoch),
        tx: place.tx.saturating_add(1),
        position: place.position.saturating_add(1),
    };
    Ok(FeedHead::new(Cursor::new(fence, None), last, last))
}

/// Reads one page.
async fn page(
    connection: &mut SqliteConnection,
    request: &FeedRequest<'_>,
) -> Result<FeedPage, FeedError> {
    let limit = request.limit.clamp(1, MOST_ROWS);
    let rows = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
    let after = request.after.place().position;
    let last = request.end().place().position.saturating_sub(1).max(after);
    let mut page = FeedPageBuilder::new(limit);
    let mut names = EventNames::default();
    let mut columns = None;
    let mut rows = feed::page(after, last, rows).fetch(connection);
    while let Some(row) = rows.try_next().await.map_err(error::into_store_error)? {
        let columns = match &mut columns {
            Some(columns) => columns,
            None => columns.insert(FeedColumns::find(&row).map_err(error::into_store_error)?),
        };
        let event = columns.event(&row, &mut names, request.wanted);
        page.take(event.map_err(error::into_store_error)?, None, request);
        if page.is_full() {
            break;
        }
    }
    let (page, _) = page.finish(request)?;
    Ok(page)
}

/// Returns the events of `feed_gap.sql` or `feed_of_row.sql`, with the payloads of those that are wanted.
pub(super) fn events(rows: &[SqliteRow], wanted: &Wanted) -> Result<Vec<FeedEvent>, sqlx::Error> {
    let Some(first) = rows.first() else {
        return Ok(Vec::new());
    };
    let columns = FeedColumns::find(first)?;
    let mut names = EventNames::default();
    let event = |row| columns.event(row, &mut names, wanted);
    rows.iter().map(event).collect()
}

/// The numbers of the columns of a page of the feed.
struct FeedColumns {
    epoch: usize,
    tx: usize,
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
    occurred_at: usize,
    recorded_at: usize,
}

impl FeedColumns {
    fn find(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            epoch: column(row, "epoch")?,
            tx: column(row, "tx")?,
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
            occurred_at: column(row, "occurred_at")?,
            recorded_at: column(row, "recorded_at")?,
        })
    }

    fn event(
        &self,
        row: &SqliteRow,
        names: &mut EventNames,
        wanted: &Wanted,
    ) -> Result<FeedEvent, sqlx::Error> {
        let uuid = |column| {
            let bytes: &[u8] = row.try_get(column)?;
            Uuid::from_slice(bytes).map_err(|problem| sqlx::Error::Decode(problem.into()))
        };
        let event_id = EventId::from(uuid(self.event_id)?);
        let place = Place {
            epoch: row.try_get(self.epoch)?,
            tx: row.try_get::<i64, _>(self.tx)?.cast_unsigned(),
            position: row.try_get::<i64, _>(self.position)?.cast_unsigned(),
        };
        let mut event = FeedEvent {
            cursor: Cursor::new(place, Some(event_id)),
            log_id: uuid(self.log_id)?.into(),
            index: row.try_get::<i64, _>(self.event_index)?.unsigned_abs(),
            event_id,
            kind: row.try_get(self.kind)?,
            event_type: names.shared(row.try_get(self.event_type)?),
            version: row.try_get(self.event_version)?,
            codec: CodecId::from_stored(row.try_get::<i16, _>(self.codec)?),
            payload: None,
            metadata: None,
            occurred_at: row
                .try_get::<Option<i64>, _>(self.occurred_at)?
                .map(read::time),
            recorded_at: read::time(row.try_get(self.recorded_at)?),
        };
        if wanted.includes(&event) {
            event.payload = Some(row.try_get(self.payload)?);
            event.metadata = row.try_get(self.metadata)?;
        }
        Ok(event)
    }
}
