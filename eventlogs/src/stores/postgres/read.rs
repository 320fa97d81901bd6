//! Reading pages and keys. A read changes nothing, so one whose connection breaks is simply tried again.

use super::Core;
use super::error::Failure;
use super::retry::{Operation, until_answered};
use super::values::scope_of;
use crate::ids::{EventId, LogId};
use crate::stores::decoded::{PAGE_BYTES, StoredEvent, signed};
use crate::stores::encoded::FoundKind;
use crate::stores::{
    IdempotencyKey, Page, ReadError, ReadRequest, ReadStart, Replay, RequestFingerprint, StoreError,
};
use crate::{Event, LogPosition};
use futures_util::TryStreamExt;
use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

/// Reads one page. The event behind which it starts comes along in the same statement, with its id only.
pub(super) async fn page<E: Event>(
    core: &Core,
    request: ReadRequest,
) -> Result<Page<E>, ReadError> {
    let operation = core.reading();
    until_answered(&operation, || one_page(core, &operation, request)).await?
}

async fn one_page<E: Event>(
    core: &Core,
    operation: &Operation<'_>,
    request: ReadRequest,
) -> Result<Result<Page<E>, ReadError>, Failure> {
    let (from, anchor) = match request.start {
        ReadStart::Index(index) => (signed(index), None),
        ReadStart::After(state) => (signed(state.index()), Some(state)),
    };
    // One row more than asked for tells whether the log goes on.
    let limit = signed(request.limit as u64)
        .saturating_add(1)
        .saturating_add(i64::from(anchor.is_some()));
    let mut connection = operation.lease().await?;
    let mut rows = sqlx::query(core.statements.page.clone())
        .bind(Uuid::from(request.log_id))
        .bind(from)
        .bind(anchor.map(|state| signed(state.index())))
        .bind(limit)
        .fetch(&mut *connection);
    if let Some(state) = anchor {
        let holds = match rows.try_next().await? {
            Some(first) => is_at(&first, state)?,
            None => false,
        };
        if !holds {
            return Ok(Err(ReadError::HistoryChanged {
                log_id: request.log_id,
                index: state.index(),
            }));
        }
    }
    let mut page = Page {
        records: Vec::new(),
        more: false,
    };
    let mut bytes = 0;
    let mut foreign = None;
    while let Some(row) = rows.try_next().await? {
        // All events of a log are of one kind, so the first one tells.
        if page.records.is_empty() {
            foreign = Some(row.try_get::<i32, _>(9)?).filter(|kind| !E::LOG_TYPE.accepts(*kind));
            if foreign.is_some() {
                break;
            }
        }
        if page.records.len() >= request.limit || bytes >= PAGE_BYTES {
            page.more = true;
            break;
        }
        let stored = stored(request.log_id, &row)?;
        bytes += stored.payload.len();
        match stored.decode() {
            Ok(record) => page.records.push(record),
            Err(error) => return Ok(Err(error)),
        }
    }
    // What the server may still be sending of it is passed over at the next use.
    drop(rows);
    if let Some(number) = foreign {
        let name = sqlx::query(core.statements.log_type.clone())
            .bind(Uuid::from(request.log_id))
            .fetch_optional(&mut *connection)
            .await?;
        let name: Option<&str> = name.as_ref().map_or(Ok(None), |row| row.try_get(0))?;
        let found = FoundKind { number, name }.name();
        connection.give_back();
        return Ok(Err(ReadError::WrongKind {
            log_id: request.log_id,
            found,
            expected: E::LOG_TYPE.name(),
        }));
    }
    connection.give_back();
    Ok(Ok(page))
}

/// Whether this row is the event of a state.
fn is_at(row: &PgRow, state: LogPosition) -> Result<bool, sqlx::Error> {
    let (index, event_id): (i64, Uuid) = (row.try_get(0)?, row.try_get(1)?);
    let same_event = |expected| EventId::from(event_id) == expected;
    Ok(index == signed(state.index()) && state.event_id().is_none_or(same_event))
}

/// A row, which may hold what this crate never wrote: a time without an end, say.
fn stored(log_id: LogId, row: &PgRow) -> Result<StoredEvent<'_>, sqlx::Error> {
    Ok(StoredEvent {
        log_id,
        index: row.try_get(0)?,
        event_id: row.try_get::<Uuid, _>(1)?.into(),
        name: row.try_get(2)?,
        version: row.try_get::<i16, _>(3)?.into(),
        codec: row.try_get::<i16, _>(4)?.into(),
        payload: row.try_get(5)?,
        occurred_at: row.try_get(6)?,
        recorded_at: row.try_get(7)?,
        metadata: row.try_get(8)?,
    })
}

/// What a key was used for, log by log.
pub(super) async fn find_key(
    core: &Core,
    key: IdempotencyKey<'_>,
) -> Result<Vec<Replay>, StoreError> {
    let operation = core.reading();
    until_answered(&operation, || one_look_up(core, &operation, key)).await
}

async fn one_look_up(
    core: &Core,
    operation: &Operation<'_>,
    key: IdempotencyKey<'_>,
) -> Result<Vec<Replay>, Failure> {
    let mut connection = operation.lease().await?;
    let rows = sqlx::query(core.statements.find_key.clone())
        .bind(scope_of(key.scope))
        .bind(key.key.as_bytes())
        .fetch_all(&mut *connection)
        .await?;
    connection.give_back();
    Ok(rows
        .iter()
        .map(|row| replay(row, 0))
        .collect::<Result<_, _>>()?)
}

/// The write of a key, from six columns.
pub(super) fn replay(row: &PgRow, from: usize) -> Result<Replay, sqlx::Error> {
    let first_index = row.try_get::<i64, _>(from + 1)?.unsigned_abs();
    let event_count = row.try_get::<i64, _>(from + 2)?.unsigned_abs();
    let last = first_index.saturating_add(event_count.saturating_sub(1));
    let log_id = LogId::from(row.try_get::<Uuid, _>(from)?);
    let last_event_id = EventId::from(row.try_get::<Uuid, _>(from + 3)?);
    Ok(Replay {
        first_index,
        event_count,
        state: LogPosition::new(log_id, last, last_event_id),
        recorded_at: row.try_get(from + 4)?,
        request_fingerprint: row
            .try_get::<Option<&[u8]>, _>(from + 5)?
            .and_then(|bytes| bytes.try_into().ok())
            .map(RequestFingerprint::from_bytes),
    })
}
