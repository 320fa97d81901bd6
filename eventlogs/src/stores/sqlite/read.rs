//! Reads pages and keys.

use crate::event::Event;
use crate::ids::{EventId, LogId};
use crate::log_state::LogPosition;
use crate::stores::database::columns::column;
use crate::stores::database::page::{PageBuilder, PageRow};
use crate::stores::encoding::decoded::{StoredEvent, signed};
use crate::stores::error::ReadError;
use crate::stores::error::store::StoreError;
use crate::stores::idempotency::{IdempotencyKey, Replay, RequestFingerprint};
use crate::stores::page::{Page, ReadRequest};
use crate::stores::sqlite::error;
use crate::stores::sqlite::pool::ConnectionPool;
use crate::stores::sqlite::statements::questions;
use chrono::{DateTime, Utc};
use futures_util::TryStreamExt;
use sqlx::sqlite::{Sqlite, SqliteConnection, SqliteRow};
use sqlx::{ColumnIndex, Decode, Row, Type};
use uuid::Uuid;

/// Reads one page from the file that is at the path.
pub(super) async fn page<E: Event>(
    pool: &ConnectionPool,
    request: ReadRequest,
) -> Result<Page<E>, ReadError> {
    let mut attempts = 0;
    loop {
        let mut reader = pool.reader().await?;
        let page = page_of(&mut reader.connection, request).await;
        if reader.still_holds(&mut attempts).await? {
            return page;
        }
    }
}

/// Reads one page. The same statement also reads the anchor, but without its payload.
async fn page_of<E: Event>(
    connection: &mut SqliteConnection,
    request: ReadRequest,
) -> Result<Page<E>, ReadError> {
    let log_id = request.log_id;
    let mut page = PageBuilder::new(request);
    let (first_index, anchor_index) = (page.first_index(), page.anchor_index());
    let rows = signed(page.rows() as u64);
    let select = questions::page(&log_id, first_index, anchor_index, rows);
    let mut rows = select.fetch(&mut *connection);
    let mut columns = None;
    while !page.is_complete()
        && let Some(row) = rows.try_next().await.map_err(error::into_store_error)?
    {
        let columns = match &mut columns {
            Some(columns) => columns,
            None => columns.insert(PageColumns::find(&row).map_err(error::into_store_error)?),
        };
        let row = EventRow { row: &row, columns };
        if page.admits(&row)? {
            page.push(row.event(log_id)?);
        }
    }
    drop(rows);
    if page.other_kind().is_some() {
        let name = log_type(connection, log_id).await?;
        return page.finish(name.as_deref());
    }
    page.finish(None)
}

/// The name of a log's kind.
async fn log_type(
    connection: &mut SqliteConnection,
    log_id: LogId,
) -> Result<Option<String>, StoreError> {
    let row = questions::log_type(&log_id)
        .fetch_optional(connection)
        .await
        .map_err(error::into_store_error)?;
    row.map_or(Ok(None), |row| row.try_get("log_type"))
        .map_err(error::into_store_error)
}

/// The numbers of the columns of `page.sql`.
struct PageColumns {
    event_index: usize,
    event_id: usize,
    event_type: usize,
    event_version: usize,
    codec: usize,
    payload: usize,
    occurred_at: usize,
    recorded_at: usize,
    metadata: usize,
    kind: usize,
}

impl PageColumns {
    fn find(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            event_index: column(row, "event_index")?,
            event_id: column(row, "event_id")?,
            event_type: column(row, "event_type")?,
            event_version: column(row, "event_version")?,
            codec: column(row, "codec")?,
            payload: column(row, "payload")?,
            occurred_at: column(row, "occurred_at")?,
            recorded_at: column(row, "recorded_at")?,
            metadata: column(row, "metadata")?,
            kind: column(row, "kind")?,
        })
    }
}

/// A row of `page.sql`.
struct EventRow<'a> {
    row: &'a SqliteRow,
    columns: &'a PageColumns,
}

impl<'a> EventRow<'a> {
    fn get<T>(&self, column: usize) -> Result<T, StoreError>
    where
        T: Decode<'a, Sqlite> + Type<Sqlite>,
    {
        self.row.try_get(column).map_err(error::into_store_error)
    }

    fn event(&self, log_id: LogId) -> Result<StoredEvent<'a>, StoreError> {
        let columns = self.columns;
        Ok(StoredEvent {
            log_id,
            index: self.index()?,
            event_id: self.event_id()?,
            name: self.get(columns.event_type)?,
            version: self.get(columns.event_version)?,
            codec: self.get(columns.codec)?,
            payload: self.get(columns.payload)?,
            occurred_at: self.get::<Option<i64>>(columns.occurred_at)?.map(time),
            recorded_at: time(self.get(columns.recorded_at)?),
            metadata: self.get(columns.metadata)?,
        })
    }
}

impl PageRow for EventRow<'_> {
    type Error = StoreError;

    fn index(&self) -> Result<i64, StoreError> {
        self.get(self.columns.event_index)
    }

    fn event_id(&self) -> Result<EventId, StoreError> {
        event_id(self.row, self.columns.event_id)
    }

    fn kind(&self) -> Result<i32, StoreError> {
        self.get(self.columns.kind)
    }

    fn bytes(&self) -> Result<usize, StoreError> {
        let payload: &[u8] = self.get(self.columns.payload)?;
        let metadata: Option<&[u8]> = self.get(self.columns.metadata)?;
        Ok(payload.len() + metadata.map_or(0, <[u8]>::len))
    }
}

/// The ends of logs.
pub(super) async fn ends(
    pool: &ConnectionPool,
    log_ids: &[LogId],
) -> Result<Vec<Option<LogPosition>>, StoreError> {
    let rows = pool.rows(|| questions::ends(log_ids)).await?;
    let ends = log_ids.iter().zip(&rows).map(|(log_id, row)| {
        let index: Option<i64> = row
            .try_get("event_index")
            .map_err(error::into_store_error)?;
        let Some(index) = index else {
            return Ok(None);
        };
        let event_id = event_id(row, "event_id")?;
        Ok(Some(LogPosition::new(
            *log_id,
            index.unsigned_abs(),
            event_id,
        )))
    });
    ends.collect()
}

/// The write that used a key, as one replay per log.
pub(super) async fn find_key(
    pool: &ConnectionPool,
    key: IdempotencyKey<'_>,
) -> Result<Vec<Replay>, StoreError> {
    let rows = pool.rows(|| questions::find_key(&key)).await?;
    rows.iter().map(replay).collect()
}

/// The write of a key, from a row of `find_key.sql` or `refusals.sql`.
pub(super) fn replay(row: &SqliteRow) -> Result<Replay, StoreError> {
    let number = |column| {
        row.try_get::<i64, _>(column)
            .map_err(error::into_store_error)
    };
    let first_index = number("key_first_index")?.unsigned_abs();
    let event_count = number("key_event_count")?.unsigned_abs();
    let last = first_index.saturating_add(event_count.saturating_sub(1));
    let log_id = LogId::from_uuid(uuid(row, "key_log_id")?);
    let hash: Option<&[u8]> = row
        .try_get("key_request_hash")
        .map_err(error::into_store_error)?;
    Ok(Replay {
        first_index,
        event_count,
        state: LogPosition::new(log_id, last, event_id(row, "key_last_event_id")?),
        recorded_at: time(number("key_recorded_at")?),
        // This crate writes no hash of another length, so such a hash means nothing.
        request_fingerprint: hash
            .and_then(|hash| hash.try_into().ok())
            .map(RequestFingerprint::from_bytes),
    })
}

/// The event id in a column.
pub(super) fn event_id(
    row: &SqliteRow,
    column: impl ColumnIndex<SqliteRow>,
) -> Result<EventId, StoreError> {
    uuid(row, column).map(EventId::from_uuid)
}

/// The id in a column.
pub(super) fn uuid(
    row: &SqliteRow,
    column: impl ColumnIndex<SqliteRow>,
) -> Result<Uuid, StoreError> {
    let bytes: &[u8] = row.try_get(column).map_err(error::into_store_error)?;
    Uuid::from_slice(bytes).map_err(|problem| StoreError::Corrupt {
        advice: error::CORRUPT,
        source: problem.into(),
    })
}

/// Converts a stored time. This crate does not write a time that chrono cannot express. Times order nothing, so the nearest
/// time is good enough.
pub(super) fn time(microseconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(microseconds).unwrap_or(if microseconds < 0 {
        DateTime::<Utc>::MIN_UTC
    } else {
        DateTime::<Utc>::MAX_UTC
    })
}
