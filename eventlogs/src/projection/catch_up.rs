//! Brings the row of one log up to date in a transaction of the caller.

use crate::feed::event::FeedEvent;
use crate::feed::wanted::Wanted;
use crate::ids::LogId;
use crate::projection::database::Database;
use crate::projection::handler::HandlerError;
use crate::projection::row::{ProjectedRow, ResumableRow};
use crate::projection::row_error::RowError;
use crate::projection::rows::{RowState, Rows, guarded};
use crate::projection::table::{RowChanges, RowDatabase, RowStatements, RowTable, row_name};
use crate::stores::error::store::StoreError;

/// How many events are read together.
const PAGE: u64 = 256;

/// The row of a log was not brought up to date. The row in the table is as it was.
///
/// [`kind`](CatchUpError::kind) says what to do next, and the guide has [a page about it](crate::guide::errors).
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum CatchUpError {
    /// An event of the log cannot be applied: this code cannot read it, or the handler has panicked. The transaction can be
    /// committed nevertheless: then the row lacks the events from this one on, as if its subscription had parked the log.
    #[error(
        "event {index} of log {log_id} (`{event_type}`) cannot be applied to its row: {source}"
    )]
    #[non_exhaustive]
    NotApplied {
        /// The log.
        log_id: LogId,
        /// The index of the event.
        index: u64,
        /// The stored name of the event.
        event_type: String,
        /// Why it cannot be applied.
        source: HandlerError,
    },
    /// The row exists, and does not say which events it has: it was written before the struct had `#[through]`.
    #[error(
        "the row of log {log_id} in `{table}` does not say which events it has; build the table anew, so that each row has the index of its last event"
    )]
    #[non_exhaustive]
    NoIndex {
        /// The log.
        log_id: LogId,
        /// The table.
        table: &'static str,
    },
    /// The indices of the log's events do not rise by 1, so the row would be wrong.
    #[error(
        "log {log_id} is damaged: expected event {expected}, found event {found}; restore it from a backup"
    )]
    #[non_exhaustive]
    BrokenLog {
        /// The log.
        log_id: LogId,
        /// The index that should follow.
        expected: u64,
        /// The index that follows instead.
        found: u64,
    },
    /// The row cannot be read or written, or the table cannot hold it. After [`RowError::Database`] the transaction must be
    /// rolled back.
    #[error(transparent)]
    Row(RowError),
    /// The events cannot be read. The transaction must be rolled back.
    #[error(transparent)]
    Store(StoreError),
}

impl From<RowError> for CatchUpError {
    fn from(error: RowError) -> Self {
        Self::Row(error)
    }
}

impl From<StoreError> for CatchUpError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Reads events for a row, over the connection of the transaction.
pub(crate) trait RowEvents<C>: Sync {
    /// Whether the connection keeps prepared statements.
    fn keeps_statements(&self) -> bool;

    /// Reads the events of a log from an index on, as many as `limit`. Those that the projection does not want, or leaves out
    /// because somebody has decided so, come without payload.
    fn read(
        &self,
        connection: &mut C,
        projection: &'static str,
        place: (LogId, u64),
        limit: u64,
        wanted: &Wanted,
    ) -> impl Future<Output = Result<Vec<FeedEvent>, StoreError>> + Send;
}

impl<R: ResumableRow<Database: RowDatabase>> Rows<R> {
    /// Brings the row of a log up to the newest event that the transaction sees, and returns it; `None` if no event of the log
    /// makes a row.
    ///
    /// The row is a function of the events up to its index. So of two writers that meet, the one with the greater index has
    /// everything that the other one has, and the database lets only the index rise.
    pub(crate) async fn catch_up(
        &self,
        connection: &mut <R::Database as Database>::Connection,
        events: &impl RowEvents<<R::Database as Database>::Connection>,
        log_id: LogId,
    ) -> Result<Option<R>, CatchUpError> {
        let statements = self
            .find_statements(connection, events.keeps_statements())
            .await?;
        let mut lost_with = None;
        loop {
            let mut state = read_row::<R>(connection, statements, log_id).await?;
            let found = state.row.as_ref().map(ProjectedRow::through);
            if found == Some(None) {
                let table = R::TABLE;
                return Err(CatchUpError::NoIndex { log_id, table });
            }
            let found = found.flatten();
            if lost_with.is_some() && found < lost_with {
                return Err(not_taken::<R>(log_id).into());
            }
            apply_new(&mut state, connection, events, log_id).await?;
            let Some(row) = state.changed_by.and(state.row.as_ref()) else {
                return Ok(state.row);
            };
            let written = RowChanges {
                written: vec![statements.table.content(row)?],
                deleted: Vec::new(),
            };
            if R::Database::write(connection, statements, written).await? > 0 {
                return Ok(state.row);
            }
            // Another writer was faster, and has written all of these events or more. So the row is read again.
            lost_with = row.through();
        }
    }

    /// Returns the statements. The first call looks for the table.
    async fn find_statements(
        &self,
        connection: &mut <R::Database as Database>::Connection,
        persistent: bool,
    ) -> Result<&RowStatements, RowError> {
        if let Some(statements) = self.statements_anywhere.get() {
            return Ok(statements);
        }
        if R::THROUGH.is_none() {
            return Err(RowError::Unwritable {
                row: row_name::<R>(),
                reason: "it has no field for the index of the last event; add one, and name it in `THROUGH`"
                    .to_owned(),
            });
        }
        let table = RowTable {
            home: Some(R::NAME),
            ..RowTable::of::<R>()?
        };
        let statements = R::Database::statements(connection, &table).await?;
        let statements = RowStatements {
            persistent,
            ..statements
        };
        Ok(self.statements_anywhere.get_or_init(|| statements))
    }
}

/// Reads the row of a log.
async fn read_row<R: ResumableRow<Database: RowDatabase>>(
    connection: &mut <R::Database as Database>::Connection,
    statements: &RowStatements,
    log_id: LogId,
) -> Result<RowState<R>, RowError> {
    let mut state = RowState::<R>::new(log_id);
    let keys = vec![state.written_key()?];
    let found = R::Database::read::<R>(connection, statements, keys).await?;
    state.row = found.into_iter().next();
    Ok(state)
}

/// Applies the events that the row does not have.
async fn apply_new<R: ResumableRow<Database: RowDatabase>>(
    state: &mut RowState<R>,
    connection: &mut <R::Database as Database>::Connection,
    events: &impl RowEvents<<R::Database as Database>::Connection>,
    log_id: LogId,
) -> Result<(), CatchUpError> {
    let wanted = Wanted::of(R::SOURCES);
    let through = state.row.as_ref().and_then(ProjectedRow::through);
    let mut next = through.map_or(0, |through| through.saturating_add(1));
    loop {
        let page = events.read(connection, R::NAME, (log_id, next), PAGE, &wanted);
        let page = page.await?;
        for event in &page {
            if event.index != next {
                return Err(CatchUpError::BrokenLog {
                    log_id,
                    expected: next,
                    found: event.index,
                });
            }
            next = next.saturating_add(1);
            if event.payload.is_none() || event.source(R::SOURCES).is_none() {
                continue;
            }
            let applied = guarded(|| state.apply(0, event));
            applied.map_err(|source| CatchUpError::NotApplied {
                log_id,
                index: event.index,
                event_type: event.event_type.to_string(),
                source,
            })?;
        }
        if (page.len() as u64) < PAGE {
            return Ok(());
        }
    }
}

/// Makes the error for a row that neither was written nor has later events.
fn not_taken<R: ProjectedRow>(log_id: LogId) -> RowError {
    RowError::Unwritable {
        row: row_name::<R>(),
        reason: format!(
            "the table `{}` has not taken the row of log {log_id}; remove what prevents that, such as a trigger",
            R::TABLE
        ),
    }
}
