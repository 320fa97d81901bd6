//! Folding a log in one statement, whose rows are folded as they arrive.
//!
//! A fold never waits for a caller, so the statement ends soon.

use crate::event::Event;
use crate::ids::LogId;
use crate::stores::database::refusal::FoundKind;
use crate::stores::error::ReadError;
use crate::stores::error::store::StoreError;
use crate::stores::fold::{BareFold, EventFold};
use crate::stores::postgres::bare::BareTaking;
use crate::stores::postgres::core::Core;
use crate::stores::postgres::event_row::{EventColumns, EventRow};
use crate::stores::postgres::failure::AttemptError;
use crate::stores::postgres::retry;
use crate::stores::postgres::retry::Operation;
use crate::stores::postgres::statements::text::Statement;
use crate::stores::postgres::taking::{Plan, TakeError, Taking, first_row};
use futures_util::TryStreamExt;
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{Either, Executor, Row};
use std::ops::ControlFlow;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Mutex;
use tokio::task::yield_now;

/// The number of rows that are read after a fold has stopped. If that is all, the connection can be used again; if not, it is
/// closed.
const ROWS_AFTER_STOP: usize = 1_000;

/// Gives the events of a log to a fold, from where it starts to the end of the log, in a statement of its own.
///
/// The time of the store's options is for the next event, not for all: a long log may take longer.
pub(super) async fn to_end<E: Event>(
    core: &Core,
    plan: &Plan,
    fold: &mut dyn EventFold<E>,
) -> Result<(), ReadError> {
    let streaming = Streaming::begin(&core.streams);
    let options = &core.options;
    let connections = usize::try_from(options.max_connections).unwrap_or(usize::MAX);
    let most = options.limits.max_waiting_reads.saturating_add(connections);
    if streaming.count() > most {
        return Err(StoreError::Overloaded.into());
    }
    let read = in_operations(core, plan, fold).await;
    if streaming.count() > 1 {
        // An answer that arrives before it is waited for never makes a task wait. Without this, a task would go on with its next
        // read while others wait for a thread.
        yield_now().await;
    }
    read
}

/// Counts the logs that are being read in statements of their own, or wait for a connection.
struct Streaming<'a>(&'a AtomicUsize);

impl<'a> Streaming<'a> {
    fn begin(streams: &'a AtomicUsize) -> Self {
        streams.fetch_add(1, Ordering::Relaxed);
        Self(streams)
    }

    /// Returns how many there are, with this one.
    fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Drop for Streaming<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn in_operations<E: Event>(
    core: &Core,
    plan: &Plan,
    fold: &mut dyn EventFold<E>,
) -> Result<(), ReadError> {
    let log_id = fold.log_id();
    let mut bare_is_over = false;
    loop {
        let before = fold.start();
        let operation = core.reading();
        let target = match fold.bare() {
            Some(bare) if bare_is_over => {
                bare.restart();
                None
            }
            bare => bare,
        };
        let is_bare = target.is_some();
        let target = match target {
            Some(bare) => Target::Bare(bare),
            None => Target::Records(&mut *fold),
        };
        let outcome = {
            let target = Mutex::new(target);
            retry::read(&operation, || attempt(core, &operation, plan, &target)).await
        };
        match outcome {
            Ok(Read::Events) => return Ok(()),
            Ok(Read::OtherKind(found)) => return Err(wrong_kind::<E>(core, log_id, found).await),
            // With records, the next operation goes on where this one has come to.
            Err(_) if operation.is_over() && is_bare => bare_is_over = true,
            Err(_) if operation.is_over() && fold.start() != before => {}
            Err(error) => return Err(error),
        }
    }
}

/// A fold, in the form in which it gets its events.
enum Target<'f, E> {
    /// With all that is stored with an event.
    Records(&'f mut dyn EventFold<E>),
    /// Without positions.
    Bare(&'f mut dyn BareFold<E>),
}

/// The result of an attempt.
pub(super) enum Read {
    /// The fold has the events, or has stopped.
    Events,
    /// The log is of the kind with this number.
    OtherKind(i32),
}

async fn attempt<E: Event>(
    core: &Core,
    operation: &Operation<'_>,
    plan: &Plan,
    target: &Mutex<Target<'_, E>>,
) -> Result<Read, AttemptError<ReadError>> {
    // Free at once: one attempt runs at a time.
    let mut target = target.lock().await;
    let mut connection = operation.lease().await?;
    // After a failure, or when this future is dropped, the connection is closed: the rest of the answer would keep the session
    // busy, and its snapshot alive, for as long as the connection is idle.
    connection.begin_statement().await?;
    let read = match &mut *target {
        Target::Records(fold) => {
            let log_id = fold.log_id();
            let (first, anchor) = first_row(fold.start());
            let statement = plan.records(core, log_id, first);
            let mut taking = Taking::new(plan, log_id, anchor).filtered();
            let take = |row: EventRow<'_>| taking.take(row, &mut **fold);
            let columns = &core.columns.records;
            let read = rows(core, &mut connection, statement, columns, take).await;
            ended(read, || taking.end().map_err(TakeError::Read))
        }
        Target::Bare(fold) => {
            let log_id = fold.log_id();
            let (first, anchor) = first_row(fold.restart());
            let statement = plan.contents(core, log_id, first);
            let mut taking = BareTaking::new(plan, log_id, anchor);
            let take = |row: EventRow<'_>| taking.take(row, &mut **fold);
            let read = rows(core, &mut connection, statement, plan.columns(core), take).await;
            ended(read, || taking.end(&mut **fold))
        }
    };
    let (read, is_free) = match read {
        Ok((read, is_free)) => (Ok(read), is_free),
        Err(Stop { error, is_free }) => (Err(error), is_free),
    };
    if !is_free {
        return read;
    }
    let read = connection.end_statement(read).await;
    if !matches!(read, Err(AttemptError::Failed(_))) {
        connection.give_back();
    }
    read
}

/// Ends a fold that has all rows.
fn ended(
    read: Result<(Option<Read>, bool), Stop>,
    end: impl FnOnce() -> Result<(), TakeError>,
) -> Result<(Read, bool), Stop> {
    let (read, is_free) = read?;
    if let Some(read) = read {
        return Ok((read, is_free));
    }
    match end() {
        Ok(()) => Ok((Read::Events, is_free)),
        Err(TakeError::Read(error)) => Err(Stop {
            error: AttemptError::Final(error),
            is_free,
        }),
        Err(TakeError::Store(error)) => Err(error.into()),
        Err(TakeError::OtherKind(number)) => Ok((Read::OtherKind(number), is_free)),
        Err(TakeError::LeftOut) => Err(left_out().into()),
    }
}

/// The error for a row without a payload, although the statement leaves none out.
fn left_out() -> sqlx::Error {
    sqlx::Error::Decode("an event came without its payload".into())
}

/// An error, and whether all rows were read, so that the connection is free.
struct Stop {
    error: AttemptError<ReadError>,
    is_free: bool,
}

impl From<sqlx::Error> for Stop {
    fn from(error: sqlx::Error) -> Self {
        Self {
            error: error.into(),
            is_free: false,
        }
    }
}

/// Takes the rows of a statement, until there are no more or one says that it is enough. Returns why it stopped before the end,
/// and whether the connection is free.
async fn rows(
    core: &Core,
    connection: &mut PgConnection,
    statement: Statement<'static>,
    known: &OnceLock<EventColumns>,
    mut take: impl FnMut(EventRow<'_>) -> Result<ControlFlow<()>, TakeError>,
) -> Result<(Option<Read>, bool), Stop> {
    let statement = statement.persistent(core.options.pooler.keeps_statements());
    // Without the filter that `fetch` puts around this stream: it costs a long log some per cent.
    let mut rows = connection.fetch_many(statement);
    let mut columns = known.get().copied();
    let stopped = loop {
        let row = match rows.try_next().await? {
            Some(Either::Right(row)) => row,
            Some(Either::Left(_)) => continue,
            None => return Ok((None, true)),
        };
        let columns = match columns {
            Some(columns) => columns,
            None => *columns.insert(*known.get_or_init_from(&row)?),
        };
        match take(EventRow::new(&row, columns)) {
            Ok(ControlFlow::Continue(())) => {}
            Ok(ControlFlow::Break(())) => break Ok(Read::Events),
            Err(TakeError::Store(error)) => return Err(error.into()),
            Err(TakeError::OtherKind(number)) => break Ok(Read::OtherKind(number)),
            Err(TakeError::Read(error)) => break Err(error),
            Err(TakeError::LeftOut) => return Err(left_out().into()),
        }
    };
    let mut is_free = false;
    for _ in 0..ROWS_AFTER_STOP {
        if rows.try_next().await?.is_none() {
            is_free = true;
            break;
        }
    }
    match stopped {
        Ok(read) => Ok((Some(read), is_free)),
        Err(error) => Err(Stop {
            error: AttemptError::Final(error),
            is_free,
        }),
    }
}

/// Numbers of columns that are looked up with the first row.
trait KnownColumns {
    fn get_or_init_from(&self, row: &PgRow) -> Result<&EventColumns, sqlx::Error>;
}

impl KnownColumns for OnceLock<EventColumns> {
    fn get_or_init_from(&self, row: &PgRow) -> Result<&EventColumns, sqlx::Error> {
        if let Some(columns) = self.get() {
            return Ok(columns);
        }
        let columns = EventColumns::find(row)?;
        Ok(self.get_or_init(|| columns))
    }
}

/// Makes the error for a log of another kind.
pub(super) async fn wrong_kind<E: Event>(core: &Core, log_id: LogId, number: i32) -> ReadError {
    let operation = core.reading();
    let name = retry::read(&operation, || kind_once(core, &operation, log_id)).await;
    match name {
        Ok(name) => {
            let name = name.as_deref();
            ReadError::WrongKind {
                log_id,
                found: FoundKind { number, name }.name(),
                expected: E::LOG_TYPE.name(),
            }
        }
        Err(error) => ReadError::Store(error),
    }
}

async fn kind_once(
    core: &Core,
    operation: &Operation<'_>,
    log_id: LogId,
) -> Result<Option<String>, AttemptError<StoreError>> {
    let mut connection = operation.lease().await?;
    let rows = connection.rows(core.statements.log_type(log_id)).await?;
    connection.give_back();
    let row = rows.first();
    Ok(row.map_or(Ok(None), |row| row.try_get("log_type"))?)
}
