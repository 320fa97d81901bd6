//! Reading a page of a log.

use super::error;
use crate::ids::{EventId, LogId};
use crate::stores::decoded::{PAGE_BYTES, StoredEvent, signed};
use crate::stores::{Page, ReadError, ReadRequest, ReadStart, StoreError};
use crate::{Event, RecordedEvent};
use chrono::{DateTime, Utc};
use futures_util::TryStreamExt;
use sqlx::Row;
use sqlx::sqlite::{SqlitePool, SqliteRow};
use uuid::Uuid;

/// Reads one page. The event behind which it starts comes along in the same statement, with its id only.
pub(super) async fn page<E: Event>(
    readers: &SqlitePool,
    request: ReadRequest,
) -> Result<Page<E>, ReadError> {
    const SELECT: &str = "
        select event_index, event_id, event_type, event_version, codec,
               case when event_index = ?3 then null else payload end, occurred_at, recorded_at,
               case when event_index = ?3 then null else metadata end
        from events where log_id = ?1 and event_index >= ?2
        order by event_index limit ?4";
    let log_id = request.log_id;
    let (from, anchor) = match request.start {
        ReadStart::Index(index) => (signed(index), None),
        ReadStart::After(state) => (signed(state.index()), Some(state)),
    };
    // One row more than asked for tells whether the log goes on.
    let rows = signed(request.limit as u64)
        .saturating_add(1)
        .saturating_add(i64::from(anchor.is_some()));
    let mut connection = readers.acquire().await.map_err(error::of)?;
    let mut rows = sqlx::query(SELECT)
        .bind(&log_id.as_bytes()[..])
        .bind(from)
        .bind(anchor.map(|state| signed(state.index())))
        .bind(rows)
        .fetch(&mut *connection);

    if let Some(state) = anchor {
        let holds = match rows.try_next().await.map_err(error::of)? {
            Some(row) => {
                row.try_get::<i64, _>(0).map_err(error::of)? == signed(state.index())
                    && state.event_id().is_none_or(|expected| {
                        event_id(&row, 1).is_ok_and(|found| found == expected)
                    })
            }
            None => false,
        };
        if !holds {
            return Err(ReadError::HistoryChanged {
                log_id,
                index: state.index(),
            });
        }
    }
    let mut page = Page {
        records: Vec::new(),
        more: false,
    };
    let mut bytes = 0;
    while let Some(row) = rows.try_next().await.map_err(error::of)? {
        if page.records.len() >= request.limit || bytes >= PAGE_BYTES {
            page.more = true;
            break;
        }
        let payload: &[u8] = row.try_get(5).map_err(error::of)?;
        bytes += payload.len();
        page.records.push(record(log_id, &row, payload)?);
    }
    Ok(page)
}

fn record<E: Event>(
    log_id: LogId,
    row: &SqliteRow,
    payload: &[u8],
) -> Result<RecordedEvent<E>, ReadError> {
    let stored = StoredEvent {
        log_id,
        index: row.try_get(0).map_err(error::of)?,
        event_id: event_id(row, 1)?,
        name: row.try_get(2).map_err(error::of)?,
        version: row.try_get(3).map_err(error::of)?,
        codec: row.try_get(4).map_err(error::of)?,
        payload,
        occurred_at: row
            .try_get::<Option<i64>, _>(6)
            .map_err(error::of)?
            .map(time),
        recorded_at: time(row.try_get(7).map_err(error::of)?),
        metadata: row.try_get(8).map_err(error::of)?,
    };
    stored.decode()
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
    Uuid::from_slice(bytes).map_err(|problem| StoreError::Damaged {
        advice: error::DAMAGED,
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
