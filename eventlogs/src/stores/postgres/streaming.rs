//! Folding a log in one statement, whose rows are folded as they arrive.
//!
//! A fold never waits for a caller, so the statement ends soon.

use crate::event::Event;
use crate::ids::LogId;
use crate::stores::database::refusal::FoundKind;
use crate::stores::error::ReadError;
use crate::stores::error::store::StoreError;
use crate::stores::fold::EventFold;
use crate::stores::postgres::core::Core;
use crate::stores::postgres::event_row::{EventColumns, EventRow};
use crate::stores::postgres::failure::AttemptError;
use crate::stores::postgres::retry;
use crate::stores::postgres::retry::Operation;
use crate::stores::postgres::taking::{Plan, TakeError, Taking, first_row};
use futures_util::TryStreamExt;
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{Either, Executor, Row};
use std::ops::ControlFlow;
use std::sync::OnceLock;
use tokio::sync::Mutex;

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
    loop {
        let before = fold.start();
        let operation = core.reading();
        let folding = Mutex::new(&mut *fold);
        let outcome =
            retry::read(&operation, || attempt(core, &operation, plan, &folding)).await;
        let found = match outcome {
            Ok(Read::Events) => return Ok(()),
            Ok(Read::OtherKind(number)) => number,
            Err(_) if operation.is_over() && fold.start() != before => continue,
            Err(error) => return Err(error),
        };
        return Err(wrong_kind::<E>(core, fold.log_id(), found).await);
    }
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
    fold: &Mutex<&mut (dyn EventFold<E> + '_)>,
) -> Result<Read, AttemptError<ReadError>> {
    // Free at once: one attempt runs at a time.
    let mut fold = fold.lock().await;
    let mut connection = operation.lease().await?;
    // After a failure, or when this future is dropped, the connection is closed: the rest of the answer would keep the session
    // busy, and its snapshot alive, for as long as the connection is idle.
    connection.begin_statement().await?;
    let read = rows(core, &mut connection, plan, &mut **fold).await;
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

async fn rows<E: Event>(
    core: &Core,
    connection: &mut PgConnection,
    plan: &Plan,
    fold: &mut dyn EventFold<E>,
) -> Result<(Read, bool), Stop> {
    let log_id = fold.log_id();
    let (first, anchor) = first_row(fold.start());
    let statement = plan.statement(core, log_id, first);
    let statement = statement.persistent(core.options.pooler.keeps_statements());
    // Without the filter that `fetch` puts around this stream: it costs a long log some per cent.
    let mut rows = connection.fetch_many(statement);
    let mut taking = Taking::new(plan, log_id, anchor).filtered();
    let known = plan.columns(core);
    let mut columns = known.get().copied();
    let stopped = loop {
        let row = match rows.try_next().await? {
            Some(Either::Right(row)) => row,
            Some(Either::Left(_)) => continue,
            None => break None,
        };
        let columns = match columns {
            Some(columns) => columns,
            None => *columns.insert(*known.get_or_init_from(&row)?),
        };
        match taking.take(EventRow::new(&row, columns), fold) {
            Ok(ControlFlow::Continue(())) => {}
            Ok(ControlFlow::Break(())) => break Some(Ok(Read::Events)),
            Err(TakeError::Store(error)) => return Err(error.into()),
            Err(TakeError::OtherKind(number)) => break Some(Ok(Read::OtherKind(number))),
            Err(TakeError::Read(error)) => break Some(Err(error)),
            // The statement leaves no payload out.
            Err(TakeError::LeftOut) => {
                return Err(sqlx::Error::Decode("an event came without its payload".into()).into());
            }
        }
    };
    let Some(stopped) = stopped else {
        taking.end().map_err(|error| Stop {
            error: AttemptError::Final(error),
            is_free: true,
        })?;
        return Ok((Read::Events, true));
    };
    let mut is_free = false;
    for _ in 0..ROWS_AFTER_STOP {
        if rows.try_next().await?.is_none() {
            is_free = true;
            break;
        }
    }
    match stopped {
        Ok(read) => Ok((read, is_free)),
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
