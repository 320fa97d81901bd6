//! Reading pages and keys. A read changes nothing, so if its connection breaks it is simply tried again.

use crate::event::Event;
use crate::ids::{EventId, LogId};
use crate::log_state::LogPosition;
use crate::stores::database::columns::column;
use crate::stores::database::page::{PAGE_BYTES, PageBuilder, PageRow};
use crate::stores::encoding::decoded::{StoredEvent, signed};
use crate::stores::error::ReadError;
use crate::stores::error::store::StoreError;
use crate::stores::idempotency::{IdempotencyKey, Replay, RequestFingerprint};
use crate::stores::page::{Page, ReadRequest};
use crate::stores::postgres::columns::{ContentColumns, PageColumns};
use crate::stores::postgres::core::Core;
use crate::stores::postgres::failure::AttemptError;
use crate::stores::postgres::retry;
use crate::stores::postgres::retry::Operation;
use crate::stores::postgres::statements::questions::PageBounds;
use futures_util::TryStreamExt;
use sqlx::Row;
use sqlx::postgres::{PgConnection, PgRow};
use uuid::Uuid;

/// The greatest number of events in a page, whatever the request says.
const MOST_EVENTS: usize = 2_048;

/// Reads one page. The anchor comes with the same statement, with its id only.
///
/// Large events, of which a page holds fewer than the request asks for, take a second statement: the first one returns their
/// sizes, and the second one fetches those that belong to the page. So no event is sent twice from one page to the next.
pub(super) async fn page<E: Event>(
    core: &Core,
    request: ReadRequest,
) -> Result<Page<E>, ReadError> {
    let operation = core.reading();
    retry::read(&operation, || one_page(core, &operation, request)).await
}

async fn one_page<E: Event>(
    core: &Core,
    operation: &Operation<'_>,
    request: ReadRequest,
) -> Result<Page<E>, AttemptError<ReadError>> {
    let mut connection = operation.lease().await?;
    // After a failure, or when this future is dropped, the connection is closed: the rest of the answer would keep the session
    // busy, and its snapshot alive, for as long as the connection is idle.
    connection.begin_statement().await?;
    let page = page_on(core, &mut connection, request).await;
    let page = connection.end_statement(page).await;
    if !matches!(page, Err(AttemptError::Failed(_))) {
        connection.give_back();
    }
    page
}

async fn page_on<E: Event>(
    core: &Core,
    connection: &mut PgConnection,
    request: ReadRequest,
) -> Result<Page<E>, AttemptError<ReadError>> {
    let page = PageBuilder::new(ReadRequest {
        limit: request.limit.min(MOST_EVENTS),
        ..request
    });
    let rows = page.rows();
    let bounds = PageBounds {
        log_id: request.log_id,
        from: page.first_index(),
        anchor: page.anchor_index(),
        rows: signed(rows as u64),
        // A page is full with this many events of this size.
        whole_bytes: i32::try_from(PAGE_BYTES / rows).unwrap_or(i32::MAX),
    };
    let statements = &core.statements;
    let keeps_statements = core.options.pooler.keeps_statements();
    let statement = statements.page(bounds).persistent(keeps_statements);
    let mut rows = statement.fetch(&mut *connection);
    let mut reading = Reading::new(core, request.log_id, page);
    // All rows are read, even if the page is complete before.
    while let Some(row) = rows.try_next().await? {
        reading.take(row)?;
    }
    drop(rows);
    if reading.page.other_kind().is_some() {
        let log_type = statements.log_type(request.log_id);
        let log_type = log_type.persistent(keeps_statements);
        let name = log_type.fetch_optional(connection).await?;
        let name = name.as_ref();
        let name = name.map_or(Ok(None), |row| row.try_get("log_type"))?;
        return reading.page.finish(name).map_err(AttemptError::Final);
    }
    let (Some(columns), Some(range)) = (reading.columns, reading.range_of_waiting()?) else {
        return reading.page.finish(None).map_err(AttemptError::Final);
    };
    let large = statements.large_events(bounds, range);
    let mut large = large.persistent(keeps_statements).fetch(connection);
    let mut waiting = std::mem::take(&mut reading.waiting).into_iter().peekable();
    while let Some(whole) = large.try_next().await? {
        let contents = ContentColumns::find(&whole)?;
        let index: i64 = whole.try_get(column(&whole, "event_index")?)?;
        let is_due = |row: &PgRow| columns.index(row).is_ok_and(|found| found <= index);
        // An event that is gone since the first statement is skipped, as if it had been gone before.
        while let Some(row) = waiting.next_if(is_due) {
            if columns.left_out(&row)?.is_none() {
                reading.decode(&row, &row, columns.contents)?;
            } else if columns.index(&row)? == index {
                reading.decode(&row, &whole, contents)?;
            }
        }
    }
    for row in waiting {
        if columns.left_out(&row)?.is_none() {
            reading.decode(&row, &row, columns.contents)?;
        }
    }
    drop(large);
    reading.page.finish(None).map_err(AttemptError::Final)
}

/// A row of `page.sql`, with the numbers of its columns.
struct FoundRow<'r> {
    row: &'r PgRow,
    columns: PageColumns,
}

impl PageRow for FoundRow<'_> {
    type Error = sqlx::Error;

    fn index(&self) -> Result<i64, sqlx::Error> {
        self.columns.index(self.row)
    }

    fn event_id(&self) -> Result<EventId, sqlx::Error> {
        Ok(self.row.try_get::<Uuid, _>(self.columns.event_id)?.into())
    }

    fn kind(&self) -> Result<i32, sqlx::Error> {
        self.row.try_get(self.columns.kind)
    }

    fn bytes(&self) -> Result<usize, sqlx::Error> {
        if let Some(bytes) = self.columns.left_out(self.row)? {
            return Ok(bytes);
        }
        let metadata = self.columns.contents.metadata(self.row)?;
        let payload = self.columns.contents.payload(self.row)?;
        Ok(payload.len() + metadata.map_or(0, <[u8]>::len))
    }
}

/// A page that is being read.
struct Reading<'a, E> {
    /// Keeps the numbers of the columns after the first page.
    core: &'a Core,
    /// The log.
    log_id: LogId,
    /// The events that are decoded already.
    page: PageBuilder<E>,
    /// All rows from the first one that came without its payload: they are decoded later, in their order.
    waiting: Vec<PgRow>,
    /// The numbers of the columns, once they are known.
    columns: Option<PageColumns>,
}

impl<'a, E: Event> Reading<'a, E> {
    fn new(core: &'a Core, log_id: LogId, page: PageBuilder<E>) -> Self {
        Self {
            core,
            log_id,
            page,
            waiting: Vec::new(),
            columns: core.page_columns.get().copied(),
        }
    }

    /// Takes the next row of the answer.
    fn take(&mut self, row: PgRow) -> Result<(), sqlx::Error> {
        if self.page.is_complete() {
            return Ok(());
        }
        let columns = self.columns(&row)?;
        if !self.page.admits(&FoundRow { row: &row, columns })? {
            return Ok(());
        }
        if columns.left_out(&row)?.is_some() || !self.waiting.is_empty() {
            self.waiting.push(row);
            return Ok(());
        }
        self.decode(&row, &row, columns.contents)
    }

    /// Returns the numbers of the columns, which are the same for all pages of a store.
    fn columns(&mut self, row: &PgRow) -> Result<PageColumns, sqlx::Error> {
        if let Some(columns) = self.columns {
            return Ok(columns);
        }
        let columns = PageColumns::find(row)?;
        // Another task may have been faster, with the same numbers.
        let _ = self.core.page_columns.set(columns);
        self.columns = Some(columns);
        Ok(columns)
    }

    /// Decodes the event of a row. `whole` is the row with its payload and metadata, in the columns `contents`.
    fn decode(
        &mut self,
        row: &PgRow,
        whole: &PgRow,
        contents: ContentColumns,
    ) -> Result<(), sqlx::Error> {
        let Some(columns) = self.columns else {
            return Ok(());
        };
        let event = StoredEvent {
            log_id: self.log_id,
            index: columns.index(row)?,
            event_id: row.try_get::<Uuid, _>(columns.event_id)?.into(),
            name: row.try_get(columns.event_type)?,
            version: row.try_get::<i16, _>(columns.event_version)?.into(),
            codec: row.try_get::<i16, _>(columns.codec)?.into(),
            payload: contents.payload(whole)?,
            occurred_at: row.try_get(columns.occurred_at)?,
            recorded_at: row.try_get(columns.recorded_at)?,
            metadata: contents.metadata(whole)?,
        };
        self.page.push(event.decode());
        Ok(())
    }

    /// Returns the first and the last index of the waiting rows.
    fn range_of_waiting(&self) -> Result<Option<(i64, i64)>, sqlx::Error> {
        let (Some(first), Some(last)) = (self.waiting.first(), self.waiting.last()) else {
            return Ok(None);
        };
        match self.columns {
            Some(columns) if !self.page.has_failed() => {
                Ok(Some((columns.index(first)?, columns.index(last)?)))
            }
            _ => Ok(None),
        }
    }
}

/// Reads the ends of logs.
pub(super) async fn ends(
    core: &Core,
    log_ids: &[LogId],
) -> Result<Vec<Option<LogPosition>>, StoreError> {
    let operation = core.reading();
    retry::read(&operation, || ends_once(core, &operation, log_ids)).await
}

async fn ends_once(
    core: &Core,
    operation: &Operation<'_>,
    log_ids: &[LogId],
) -> Result<Vec<Option<LogPosition>>, AttemptError> {
    let mut connection = operation.lease().await?;
    let rows = connection.rows(core.statements.ends(log_ids)).await?;
    connection.give_back();
    let ends = log_ids.iter().zip(&rows).map(|(log_id, row)| {
        let index: Option<i64> = row.try_get("event_index")?;
        let Some(index) = index else {
            return Ok(None);
        };
        let event_id = row.try_get::<Uuid, _>("event_id")?;
        let end = LogPosition::new(*log_id, index.unsigned_abs(), event_id.into());
        Ok(Some(end))
    });
    Ok(ends.collect::<Result<_, sqlx::Error>>()?)
}

/// Finds the write of a key, with one `Replay` per log.
pub(super) async fn find_key(
    core: &Core,
    key: IdempotencyKey<'_>,
) -> Result<Vec<Replay>, StoreError> {
    let operation = core.reading();
    retry::read(&operation, || find_key_once(core, &operation, key)).await
}

async fn find_key_once(
    core: &Core,
    operation: &Operation<'_>,
    key: IdempotencyKey<'_>,
) -> Result<Vec<Replay>, AttemptError> {
    let mut connection = operation.lease().await?;
    let statement = core.statements.find_key(key.scope, key.key);
    let rows = connection.rows(statement).await?;
    connection.give_back();
    Ok(rows.iter().map(replay).collect::<Result<_, _>>()?)
}

/// Returns the write of a key from a row of `find_key.sql`, `refusals.sql` or `refusals_in.sql`.
pub(super) fn replay(row: &PgRow) -> Result<Replay, sqlx::Error> {
    let first_index = row.try_get::<i64, _>("key_first_index")?.unsigned_abs();
    let event_count = row.try_get::<i64, _>("key_event_count")?.unsigned_abs();
    let last = first_index.saturating_add(event_count.saturating_sub(1));
    let log_id = LogId::from(row.try_get::<Uuid, _>("key_log_id")?);
    let last_event_id = EventId::from(row.try_get::<Uuid, _>("key_last_event_id")?);
    Ok(Replay {
        first_index,
        event_count,
        state: LogPosition::new(log_id, last, last_event_id),
        recorded_at: row.try_get("key_recorded_at")?,
        request_fingerprint: row
            .try_get::<Option<&[u8]>, _>("key_request_hash")?
            .and_then(|bytes| bytes.try_into().ok())
            .map(RequestFingerprint::from_bytes),
    })
}
