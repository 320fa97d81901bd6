//! Reads pages and keys.

use crate::event::Event;
use crate::ids::{EventId, LogId};
use crate::log_state::LogPosition;
use crate::record::RecordedEvent;
use crate::stores::database::columns::column;
use crate::stores::database::page::{PageBuilder, PageRow};
use crate::stores::encoding::decoded::{StoredEvent, signed};
use crate::stores::error::ReadError;
use crate::stores::error::store::StoreError;
use crate::stores::fold::PassedEvent;
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
    each_row(connection, request, &[], &mut page, |row| {
        Ok(row.event(log_id)?.decode())
    })
    .await?;
    let name = name_of_kind(connection, log_id, &page).await?;
    page.finish(name.as_deref())
}

/// An event of a log that is folded.
pub(super) enum Folded<E> {
    /// An event that the fold takes.
    Event(RecordedEvent<E>),
    /// An event that the fold does not need.
    Passed(PassedEvent),
}

/// Reads one page for a fold from the file that is at the path, and returns it with whether there are more events. Events with
/// these names and versions are not decoded.
pub(super) async fn folded<E: Event>(
    pool: &ConnectionPool,
    request: ReadRequest,
    ignored: &[(&'static str, i32)],
) -> Result<(Vec<Folded<E>>, bool), ReadError> {
    let mut attempts = 0;
    loop {
        let mut reader = pool.reader().await?;
        let page = folded_on(&mut reader.connection, request, ignored).await;
        if reader.still_holds(&mut attempts).await? {
            return page;
        }
    }
}

async fn folded_on<E: Event>(
    connection: &mut SqliteConnection,
    request: ReadRequest,
    ignored: &[(&'static str, i32)],
) -> Result<(Vec<Folded<E>>, bool), ReadError> {
    let log_id = request.log_id;
    let mut page = PageBuilder::<E, _>::new(request);
    each_row(connection, request, ignored, &mut page, |row| {
        if row.is_one_of(ignored)? {
            return Ok(Ok(Folded::Passed(row.passed(log_id)?)));
        }
        Ok(row.event(log_id)?.decode().map(Folded::Event))
    })
    .await?;
    let name = name_of_kind(connection, log_id, &page).await?;
    page.items(name.as_deref())
}

/// Reads the rows of a page, and adds what is made of those that belong to it.
async fn each_row<E: Event, T>(
    connection: &mut SqliteConnection,
    request: ReadRequest,
    ignored: &[(&'static str, i32)],
    page: &mut PageBuilder<E, T>,
    make: impl Fn(&EventRow<'_>) -> Result<Result<T, ReadError>, StoreError>,
) -> Result<(), ReadError> {
    let (first_index, anchor_index) = (page.first_index(), page.anchor_index());
    let rows = signed(page.rows() as u64);
    let unwanted = (!ignored.is_empty()).then(|| {
        let names = ignored.iter();
        let names = names.map(|(name, version)| format!("{name}/{version}"));
        names.collect::<serde_json::Value>().to_string()
    });
    let select = questions::page(&request.log_id, first_index, anchor_index, rows, unwanted);
    let mut rows = select.fetch(connection);
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
            page.push(make(&row)?);
        }
    }
    Ok(())
}

/// Returns the name of a log's kind, if the page was refused because of it.
async fn name_of_kind<E: Event, T>(
    connection: &mut SqliteConnection,
    log_id: LogId,
    page: &PageBuilder<E, T>,
) -> Result<Option<String>, StoreError> {
    if page.other_kind().is_some() {
        log_type(connection, log_id).await
    } else {
        Ok(None)
    }
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

impl EventRow<'_> {
    /// Returns `true` if the event has one of these names and versions.
    fn is_one_of(&self, ignored: &[(&'static str, i32)]) -> Result<bool, StoreError> {
        if ignored.is_empty() {
            return Ok(false);
        }
        let name: &str = self.get(self.columns.event_type)?;
        let version: i64 = self.get(self.columns.event_version)?;
        let mut ignored = ignored.iter();
        Ok(ignored.any(|(other, current)| i64::from(*current) == version && *other == name))
    }

    fn passed(&self, log_id: LogId) -> Result<PassedEvent, StoreError> {
        Ok(PassedEvent::new(
            log_id,
            self.index()?.unsigned_abs(),
            self.event_id()?,
            time(self.get(self.columns.recorded_at)?),
        ))
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
        let payload: Option<&[u8]> = self.get(self.columns.payload)?;
        let metadata: Option<&[u8]> = self.get(self.columns.metadata)?;
        Ok(payload.map_or(0, <[u8]>::len) + metadata.map_or(0, <[u8]>::len))
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
