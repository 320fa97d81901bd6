//! Reading pages and keys. A read changes nothing, so one whose connection breaks is simply tried again.

use super::Core;
use crate::event::Event;
use crate::ids::{EventId, LogId};
use crate::log_state::LogPosition;
use crate::stores::database::page::{PAGE_BYTES, PageBuilder, PageRow};
use crate::stores::encoding::decoded::{StoredEvent, signed};
use crate::stores::error::ReadError;
use crate::stores::error::store::StoreError;
use crate::stores::idempotency::{IdempotencyKey, Replay, RequestFingerprint};
use crate::stores::page::{Page, ReadRequest};
use crate::stores::postgres::error::Failure;
use crate::stores::postgres::retry::{Operation, until_answered};
use crate::stores::postgres::values::scope_of;
use futures_util::TryStreamExt;
use sqlx::Row;
use sqlx::postgres::{PgConnection, PgRow};
use uuid::Uuid;

/// How many events a page holds at the most, whatever was asked for.
const MOST_EVENTS: usize = 2_048;

/// Reads one page. The event behind which it starts comes along in the same statement, with its id only.
///
/// Large events, of which a page holds fewer than were asked for, take a second statement: the first one tells how large they
/// are, and the second one fetches those that belong to the page. So nothing is sent twice, from one page to the next.
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
    let mut connection = operation.lease().await?;
    // With an error, or cut off in the middle, the connection is closed: what the server was still sending would keep its
    // session busy, and its snapshot alive, for as long as the connection rests.
    connection.begin_statement().await?;
    let page = page_on(core, &mut connection, request).await;
    let page = connection.end_statement(page).await?;
    connection.give_back();
    Ok(page)
}

async fn page_on<E: Event>(
    core: &Core,
    connection: &mut PgConnection,
    request: ReadRequest,
) -> Result<Result<Page<E>, ReadError>, sqlx::Error> {
    let page = PageBuilder::new(ReadRequest {
        limit: request.limit.min(MOST_EVENTS),
        ..request
    });
    let rows = page.rows();
    // As many events of this size fill a page.
    let share = i32::try_from(PAGE_BYTES / rows).unwrap_or(i32::MAX);
    let log_id = Uuid::from(request.log_id);
    let keeps_statements = core.options.pooler.keeps_statements();
    let mut rows = sqlx::query(core.statements.page.clone())
        .persistent(keeps_statements)
        .bind(log_id)
        .bind(page.first_index())
        .bind(page.anchor_index())
        .bind(signed(rows as u64))
        .bind(share)
        .fetch(&mut *connection);
    let mut reading = Reading {
        log_id: request.log_id,
        page,
        waiting: Vec::new(),
    };
    // All rows are taken, whatever is found on the way.
    while let Some(row) = rows.try_next().await? {
        reading.take(row)?;
    }
    drop(rows);
    if reading.page.other_kind().is_some() {
        let name = sqlx::query(core.statements.log_type.clone())
            .persistent(keeps_statements)
            .bind(log_id)
            .fetch_optional(connection)
            .await?;
        let name = name.as_ref().map_or(Ok(None), |row| row.try_get(0))?;
        return Ok(reading.page.finish(name));
    }
    let Some((first, last)) = reading.range_of_waiting()? else {
        return Ok(reading.page.finish(None));
    };
    let mut large = sqlx::query(core.statements.large.clone())
        .persistent(keeps_statements)
        .bind(log_id)
        .bind(first)
        .bind(last)
        .bind(share)
        .fetch(connection);
    let mut waiting = std::mem::take(&mut reading.waiting).into_iter().peekable();
    while let Some(whole) = large.try_next().await? {
        let index: i64 = whole.try_get(0)?;
        let is_due = |row: &PgRow| row.try_get::<i64, _>(0).is_ok_and(|found| found <= index);
        // What is not there any more is passed over, as if it had been gone before.
        while let Some(row) = waiting.next_if(is_due) {
            if left_out(&row)?.is_none() {
                reading.decode(&row, &row, (5, 8))?;
            } else if row.try_get::<i64, _>(0)? == index {
                reading.decode(&row, &whole, (1, 2))?;
            }
        }
    }
    for row in waiting {
        if left_out(&row)?.is_none() {
            reading.decode(&row, &row, (5, 8))?;
        }
    }
    drop(large);
    Ok(reading.page.finish(None))
}

/// A page that is being read.
struct Reading<E> {
    /// The log.
    log_id: LogId,
    /// What is decoded already.
    page: PageBuilder<E>,
    /// The rows from the first one on that has come without its payload.
    waiting: Vec<PgRow>,
}

impl<E: Event> Reading<E> {
    /// Takes the next row of the answer.
    fn take(&mut self, row: PgRow) -> Result<(), sqlx::Error> {
        if !self.page.admits(&row)? {
            return Ok(());
        }
        if left_out(&row)?.is_some() || !self.waiting.is_empty() {
            self.waiting.push(row);
            return Ok(());
        }
        self.decode(&row, &row, (5, 8))
    }

    /// Decodes the event of a row, whose payload and metadata are in these columns of that row or of another one.
    fn decode(
        &mut self,
        row: &PgRow,
        whole: &PgRow,
        (payload, metadata_column): (usize, usize),
    ) -> Result<(), sqlx::Error> {
        self.page.push(StoredEvent {
            log_id: self.log_id,
            index: row.try_get(0)?,
            event_id: row.event_id()?,
            name: row.try_get(2)?,
            version: row.try_get::<i16, _>(3)?.into(),
            codec: row.try_get::<i16, _>(4)?.into(),
            payload: whole.try_get(payload)?,
            occurred_at: row.try_get(6)?,
            recorded_at: row.try_get(7)?,
            metadata: metadata(whole, metadata_column)?,
        });
        Ok(())
    }

    /// The first and the last index of the rows that wait for what was left out of them.
    fn range_of_waiting(&self) -> Result<Option<(i64, i64)>, sqlx::Error> {
        let (Some(first), Some(last)) = (self.waiting.first(), self.waiting.last()) else {
            return Ok(None);
        };
        if self.page.has_failed() {
            return Ok(None);
        }
        Ok(Some((first.try_get(0)?, last.try_get(0)?)))
    }
}

impl PageRow for PgRow {
    type Error = sqlx::Error;

    fn index(&self) -> Result<i64, sqlx::Error> {
        self.try_get(0)
    }

    fn event_id(&self) -> Result<EventId, sqlx::Error> {
        Ok(self.try_get::<Uuid, _>(1)?.into())
    }

    fn kind(&self) -> Result<i32, sqlx::Error> {
        self.try_get(10)
    }

    fn bytes(&self) -> Result<usize, sqlx::Error> {
        match left_out(self)? {
            Some(bytes) => Ok(bytes),
            None => {
                Ok(self.try_get::<&[u8], _>(5)?.len() + metadata(self, 8)?.map_or(0, <[u8]>::len))
            }
        }
    }
}

/// The size of an event that has come without its payload.
fn left_out(row: &PgRow) -> Result<Option<usize>, sqlx::Error> {
    let bytes: Option<i32> = row.try_get(9)?;
    Ok(bytes.map(|bytes| usize::try_from(bytes).unwrap_or(0)))
}

fn metadata(row: &PgRow, column: usize) -> Result<Option<&[u8]>, sqlx::Error> {
    row.try_get(column)
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
    let statement = sqlx::query(core.statements.find_key.clone())
        .bind(scope_of(key.scope))
        .bind(key.key.as_bytes());
    let rows = connection.rows(statement).await?;
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
