//! Reading pages and keys. A read changes nothing, so one whose connection breaks is simply tried again.

use crate::event::Event;
use crate::ids::{EventId, LogId};
use crate::log_state::LogPosition;
use crate::stores::database::page::PAGE_BYTES;
use crate::stores::database::refusal::FoundKind;
use crate::stores::encoding::decoded::{StoredEvent, signed};
use crate::stores::error::ReadError;
use crate::stores::error::store::StoreError;
use crate::stores::idempotency::{IdempotencyKey, Replay, RequestFingerprint};
use crate::stores::page::{Page, ReadRequest, ReadStart};
use crate::stores::postgres::columns::column;
use crate::stores::postgres::core::Core;
use crate::stores::postgres::failure::AttemptError;
use crate::stores::postgres::retry;
use crate::stores::postgres::retry::Operation;
use crate::stores::postgres::statements::questions::PageBounds;
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
    retry::read(&operation, || one_page(core, &operation, request)).await
}

async fn one_page<E: Event>(
    core: &Core,
    operation: &Operation<'_>,
    request: ReadRequest,
) -> Result<Page<E>, AttemptError<ReadError>> {
    let mut connection = operation.lease().await?;
    // After a failure, or cut off in the middle, the connection is closed: what the server was still sending would keep its
    // session busy, and its snapshot alive, for as long as the connection rests.
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
    let (from, anchor) = match request.start {
        ReadStart::Index(index) => (signed(index), None),
        ReadStart::After(state) => (signed(state.index()), Some(state)),
    };
    let limit = request.limit.min(MOST_EVENTS);
    // One row more than asked for tells whether the log goes on.
    let rows = limit + 1 + usize::from(anchor.is_some());
    let bounds = PageBounds {
        log_id: request.log_id,
        from,
        anchor: anchor.map(|state| signed(state.index())),
        rows: signed(rows as u64),
        // As many events of this size fill a page.
        whole_bytes: i32::try_from(PAGE_BYTES / rows).unwrap_or(i32::MAX),
    };
    let statements = &core.statements;
    let keeps_statements = core.options.pooler.keeps_statements();
    let page = statements.page(bounds).persistent(keeps_statements);
    let mut rows = page.fetch(&mut *connection);
    let mut reading = Reading::new(request.log_id, limit, anchor);
    while let Some(row) = rows.try_next().await? {
        reading.take(row)?;
    }
    drop(rows);
    if let Some(number) = reading.other_kind {
        let log_type = statements.log_type(request.log_id);
        let log_type = log_type.persistent(keeps_statements);
        let row = log_type.fetch_optional(connection).await?;
        return Err(reading.wrong_kind(number, row.as_ref())?);
    }
    let (Some(columns), Some(range)) = (reading.columns, reading.range_of_waiting()?) else {
        return reading.finish().map_err(AttemptError::Final);
    };
    let large = statements.large_events(bounds, range);
    let mut large = large.persistent(keeps_statements).fetch(connection);
    let mut waiting = std::mem::take(&mut reading.waiting).into_iter().peekable();
    while let Some(whole) = large.try_next().await? {
        let contents = ContentColumns::find(&whole)?;
        let index: i64 = whole.try_get(column(&whole, "event_index")?)?;
        let is_due = |row: &PgRow| columns.index(row).is_ok_and(|found| found <= index);
        // What is not there any more is passed over, as if it had been gone before.
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
    reading.finish().map_err(AttemptError::Final)
}

/// Where the columns of `page.sql` are.
#[derive(Clone, Copy)]
struct PageColumns {
    event_index: usize,
    event_id: usize,
    event_type: usize,
    event_version: usize,
    codec: usize,
    occurred_at: usize,
    recorded_at: usize,
    left_out_bytes: usize,
    kind: usize,
    contents: ContentColumns,
}

impl PageColumns {
    fn find(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            event_index: column(row, "event_index")?,
            event_id: column(row, "event_id")?,
            event_type: column(row, "event_type")?,
            event_version: column(row, "event_version")?,
            codec: column(row, "codec")?,
            occurred_at: column(row, "occurred_at")?,
            recorded_at: column(row, "recorded_at")?,
            left_out_bytes: column(row, "left_out_bytes")?,
            kind: column(row, "kind")?,
            contents: ContentColumns::find(row)?,
        })
    }

    fn index(&self, row: &PgRow) -> Result<i64, sqlx::Error> {
        row.try_get(self.event_index)
    }

    /// The size of an event that has come without its payload.
    fn left_out(&self, row: &PgRow) -> Result<Option<usize>, sqlx::Error> {
        let bytes: Option<i32> = row.try_get(self.left_out_bytes)?;
        Ok(bytes.map(|bytes| usize::try_from(bytes).unwrap_or(0)))
    }

    /// Whether this row is the event of a state.
    fn is_at(&self, row: &PgRow, state: LogPosition) -> Result<bool, sqlx::Error> {
        let event_id: Uuid = row.try_get(self.event_id)?;
        let same_event = |expected| EventId::from(event_id) == expected;
        let same_index = self.index(row)? == signed(state.index());
        Ok(same_index && state.event_id().is_none_or(same_event))
    }
}

/// Where the columns are that both `page.sql` and `large_events.sql` have.
#[derive(Clone, Copy)]
struct ContentColumns {
    payload: usize,
    metadata: usize,
}

impl ContentColumns {
    fn find(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            payload: column(row, "payload")?,
            metadata: column(row, "metadata")?,
        })
    }

    fn payload<'r>(&self, row: &'r PgRow) -> Result<&'r [u8], sqlx::Error> {
        row.try_get(self.payload)
    }

    fn metadata<'r>(&self, row: &'r PgRow) -> Result<Option<&'r [u8]>, sqlx::Error> {
        row.try_get(self.metadata)
    }
}

/// A page that is being read.
struct Reading<E> {
    /// The log.
    log_id: LogId,
    /// The greatest number of events in the page.
    limit: usize,
    /// The event behind which the page starts, until it has come.
    anchor: Option<LogPosition>,
    /// What is decoded already.
    page: Page<E>,
    /// How many events the page has, those that wait included.
    events: usize,
    /// How many bytes of payload and metadata they have.
    bytes: usize,
    /// The rows from the first one on that has come without its payload.
    waiting: Vec<PgRow>,
    /// Where the columns of the rows are, once one has come.
    columns: Option<PageColumns>,
    /// The kind of the log, if it is another one than that of the events.
    other_kind: Option<i32>,
    /// Why there is no page.
    failed: Option<ReadError>,
}

impl<E: Event> Reading<E> {
    const fn new(log_id: LogId, limit: usize, anchor: Option<LogPosition>) -> Self {
        Self {
            log_id,
            limit,
            anchor,
            page: Page {
                records: Vec::new(),
                more: false,
            },
            events: 0,
            bytes: 0,
            waiting: Vec::new(),
            columns: None,
            other_kind: None,
            failed: None,
        }
    }

    /// The next row of the answer. All of them are taken, whatever is found on the way.
    fn take(&mut self, row: PgRow) -> Result<(), sqlx::Error> {
        if self.failed.is_some() || self.other_kind.is_some() || self.page.more {
            return Ok(());
        }
        let columns = self.columns(&row)?;
        if let Some(state) = self.anchor {
            if columns.is_at(&row, state)? {
                self.anchor = None;
            } else {
                self.failed = Some(self.history_changed(state));
            }
            return Ok(());
        }
        // All events of a log are of one kind, so the first one tells.
        if self.events == 0 {
            let kind = row.try_get(columns.kind)?;
            if !E::LOG_TYPE.accepts(kind) {
                self.other_kind = Some(kind);
                return Ok(());
            }
        }
        if self.events >= self.limit || self.bytes >= PAGE_BYTES {
            self.page.more = true;
            return Ok(());
        }
        self.events += 1;
        let left_out = columns.left_out(&row)?;
        self.bytes += if let Some(bytes) = left_out {
            bytes
        } else {
            let metadata = columns.contents.metadata(&row)?;
            columns.contents.payload(&row)?.len() + metadata.map_or(0, <[u8]>::len)
        };
        if left_out.is_some() || !self.waiting.is_empty() {
            self.waiting.push(row);
            return Ok(());
        }
        self.decode(&row, &row, columns.contents)
    }

    /// The columns of the rows, which all have the same.
    fn columns(&mut self, row: &PgRow) -> Result<PageColumns, sqlx::Error> {
        if let Some(columns) = self.columns {
            return Ok(columns);
        }
        let columns = PageColumns::find(row)?;
        self.columns = Some(columns);
        Ok(columns)
    }

    /// Decodes the event of a row. Its payload and metadata are in these columns of that row, or of another one.
    fn decode(
        &mut self,
        row: &PgRow,
        whole: &PgRow,
        contents: ContentColumns,
    ) -> Result<(), sqlx::Error> {
        let (None, Some(columns)) = (&self.failed, self.columns) else {
            return Ok(());
        };
        let stored = StoredEvent {
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
        match stored.decode() {
            Ok(record) => self.page.records.push(record),
            Err(error) => self.failed = Some(error),
        }
        Ok(())
    }

    /// The first and the last index of the rows that wait for what was left out of them.
    fn range_of_waiting(&self) -> Result<Option<(i64, i64)>, sqlx::Error> {
        let (Some(first), Some(last)) = (self.waiting.first(), self.waiting.last()) else {
            return Ok(None);
        };
        match (&self.failed, self.columns) {
            (None, Some(columns)) => Ok(Some((columns.index(first)?, columns.index(last)?))),
            _ => Ok(None),
        }
    }

    /// The error for a log of another kind, whose name is in this row.
    fn wrong_kind(
        &self,
        number: i32,
        row: Option<&PgRow>,
    ) -> Result<AttemptError<ReadError>, sqlx::Error> {
        let name = row.map_or(Ok(None), |row| row.try_get("log_type"))?;
        Ok(AttemptError::Final(ReadError::WrongKind {
            log_id: self.log_id,
            found: FoundKind { number, name }.name(),
            expected: E::LOG_TYPE.name(),
        }))
    }

    fn history_changed(&self, state: LogPosition) -> ReadError {
        ReadError::HistoryChanged {
            log_id: self.log_id,
            index: state.index(),
        }
    }

    fn finish(self) -> Result<Page<E>, ReadError> {
        if let Some(state) = self.anchor {
            return Err(self.history_changed(state));
        }
        self.failed.map_or(Ok(self.page), Err)
    }
}

/// Finds the write of a key, log by log.
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

/// The write of a key, from a row of `find_key.sql`, `refusals.sql` or `refusals_in.sql`.
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
