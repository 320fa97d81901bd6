//! Reading pages and keys.

use crate::event::Event;
use crate::ids::{EventId, LogId};
use crate::log_state::LogPosition;
use crate::stores::database::page::{PageBuilder, PageRow};
use crate::stores::encoding::decoded::{StoredEvent, signed};
use crate::stores::error::ReadError;
use crate::stores::error::store::StoreError;
use crate::stores::idempotency::{IdempotencyKey, Replay, RequestFingerprint};
use crate::stores::page::{Page, ReadRequest};
use crate::stores::sqlite::error;
use crate::stores::sqlite::pool::ConnectionPool;
use crate::stores::sqlite::values::scope;
use chrono::{DateTime, Utc};
use futures_util::TryStreamExt;
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use uuid::Uuid;

/// Reads one page from the file that stands at the path.
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

/// Reads one page. The event behind which it starts comes along in the same statement, with its id only.
async fn page_of<E: Event>(
    connection: &mut SqliteConnection,
    request: ReadRequest,
) -> Result<Page<E>, ReadError> {
    const SELECT: &str = "
        select event_index, event_id, event_type, event_version, codec,
               case when event_index = ?3 then null else payload end, occurred_at, recorded_at,
               case when event_index = ?3 then null else metadata end, kind
        from events where log_id = ?1 and event_index >= ?2
        order by event_index limit ?4";
    let log_id = request.log_id;
    let mut page = PageBuilder::new(request);
    let mut rows = sqlx::query(SELECT)
        .bind(&log_id.as_bytes()[..])
        .bind(page.first_index())
        .bind(page.anchor_index())
        .bind(signed(page.rows() as u64))
        .fetch(&mut *connection);
    while !page.is_complete()
        && let Some(row) = rows.try_next().await.map_err(error::of)?
    {
        if page.admits(&row)? {
            page.push(stored_event(log_id, &row)?);
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
    const LOG_TYPE: &str = "select log_type from events where log_id = ? and event_index = 0";
    let row = sqlx::query(LOG_TYPE)
        .bind(&log_id.as_bytes()[..])
        .fetch_optional(connection)
        .await
        .map_err(error::of)?;
    row.map_or(Ok(None), |row| row.try_get(0))
        .map_err(error::of)
}

fn stored_event(log_id: LogId, row: &SqliteRow) -> Result<StoredEvent<'_>, StoreError> {
    Ok(StoredEvent {
        log_id,
        index: row.index()?,
        event_id: row.event_id()?,
        name: row.try_get(2).map_err(error::of)?,
        version: row.try_get(3).map_err(error::of)?,
        codec: row.try_get(4).map_err(error::of)?,
        payload: row.try_get(5).map_err(error::of)?,
        occurred_at: row
            .try_get::<Option<i64>, _>(6)
            .map_err(error::of)?
            .map(time),
        recorded_at: time(row.try_get(7).map_err(error::of)?),
        metadata: row.try_get(8).map_err(error::of)?,
    })
}

impl PageRow for SqliteRow {
    type Error = StoreError;

    fn index(&self) -> Result<i64, StoreError> {
        self.try_get(0).map_err(error::of)
    }

    fn event_id(&self) -> Result<EventId, StoreError> {
        event_id(self, 1)
    }

    fn kind(&self) -> Result<i32, StoreError> {
        self.try_get(9).map_err(error::of)
    }

    fn bytes(&self) -> Result<usize, StoreError> {
        let payload: &[u8] = self.try_get(5).map_err(error::of)?;
        let metadata: Option<&[u8]> = self.try_get(8).map_err(error::of)?;
        Ok(payload.len() + metadata.map_or(0, <[u8]>::len))
    }
}

/// What a key was used for, log by log.
pub(super) async fn find_key(
    pool: &ConnectionPool,
    key: IdempotencyKey<'_>,
) -> Result<Vec<Replay>, StoreError> {
    const FIND: &str = "
        select log_id, first_index, event_count, event_id, recorded_at, request_hash
        from idempotency_keys where scope = ? and key = ? order by part";
    let find = || {
        let query = sqlx::query(FIND).bind(scope(key.scope.as_ref()));
        query.bind(key.key.as_bytes())
    };
    let rows = pool.rows(find).await?;
    rows.iter().map(|row| replay(row, 0)).collect()
}

/// The write of a key, from six columns.
pub(super) fn replay(row: &SqliteRow, from: usize) -> Result<Replay, StoreError> {
    let number = |column| row.try_get::<i64, _>(column).map_err(error::of);
    let first_index = number(from + 1)?.unsigned_abs();
    let event_count = number(from + 2)?.unsigned_abs();
    let last = first_index.saturating_add(event_count.saturating_sub(1));
    let hash: Option<&[u8]> = row.try_get(from + 5).map_err(error::of)?;
    Ok(Replay {
        first_index,
        event_count,
        state: LogPosition::new(log_id(row, from)?, last, event_id(row, from + 3)?),
        recorded_at: time(number(from + 4)?),
        // One of another length is not ours, so it says nothing.
        request_fingerprint: hash
            .and_then(|hash| hash.try_into().ok())
            .map(RequestFingerprint::from_bytes),
    })
}

/// The event id in a column.
pub(super) fn event_id(row: &SqliteRow, column: usize) -> Result<EventId, StoreError> {
    uuid(row, column).map(EventId::from_uuid)
}

/// The log id in a column.
pub(super) fn log_id(row: &SqliteRow, column: usize) -> Result<LogId, StoreError> {
    uuid(row, column).map(LogId::from_uuid)
}

fn uuid(row: &SqliteRow, column: usize) -> Result<Uuid, StoreError> {
    let bytes: &[u8] = row.try_get(column).map_err(error::of)?;
    Uuid::from_slice(bytes).map_err(|problem| StoreError::Corrupt {
        advice: error::CORRUPT,
        source: problem.into(),
    })
}

/// A stored time. One that chrono cannot express was not written by this crate; it orders nothing, so the nearest will
/// do.
pub(super) fn time(microseconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(microseconds).unwrap_or(if microseconds < 0 {
        DateTime::<Utc>::MIN_UTC
    } else {
        DateTime::<Utc>::MAX_UTC
    })
}
