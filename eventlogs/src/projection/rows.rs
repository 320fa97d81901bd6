//! A projection whose read model is the rows of one table.

use crate::feed::event::FeedEvent;
use crate::feed::source::Source;
use crate::projection::contract::Projection;
use crate::projection::database::Database;
use crate::projection::handler::HandlerError;
use crate::projection::page::{EventPage, PageError};
use crate::projection::part::Part;
use crate::projection::row::{ProjectedRow, RowError};
use crate::projection::table::{RowDatabase, RowTable};
use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

/// The projection whose read model is the rows `R`.
///
/// It reads the rows of a page of events with one statement, applies the events in memory, and writes the changed rows. On
/// PostgreSQL that is one more statement, on SQLite one per row. A row that `keep` does not want any more is deleted; the next
/// event of its key begins a new one.
///
/// ```
/// # #[cfg(all(feature = "macros", feature = "sqlite", feature = "json"))]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use eventlogs::ids::LogId;
/// use eventlogs::subscriptions::Subscriptions;
/// use eventlogs::{Event, Projection, Rows, SqliteEventStore, event_handler};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, Event)]
/// enum PaymentEvent { Captured { amount: u64 } }
///
/// #[derive(Debug, Default, Clone, Serialize, Deserialize, Projection)]
/// #[projection(
///     name = "payments", events(PaymentEvent), database = sqlite, table = "payments",
///     create = "create table payments (id text primary key, captured integer not null)",
/// )]
/// struct PaymentRow { #[key] id: LogId, captured: u64 }
///
/// #[event_handler(PaymentEvent)]
/// impl PaymentRow {
///     #[on(Captured)]
///     fn capture(&mut self, amount: u64) { self.captured += amount; }
/// }
///
/// let store = SqliteEventStore::in_memory().await?;
/// let running = Subscriptions::new(&store).projection(Rows::<PaymentRow>::new()).start().await?;
/// // … serve requests …
/// running.shutdown().await;
/// # Ok(()) }
/// # #[cfg(not(all(feature = "macros", feature = "sqlite", feature = "json")))]
/// # fn main() {}
/// ```
pub struct Rows<R>
where
    R: ProjectedRow<Database: RowDatabase>,
{
    /// The table and its statements, after the first look at it.
    known: OnceLock<Known<R>>,
}

/// A table and its statements.
struct Known<R: ProjectedRow<Database: RowDatabase>> {
    table: RowTable,
    statements: <R::Database as RowDatabase>::Statements,
}

impl<R: ProjectedRow<Database: RowDatabase>> Rows<R> {
    /// Makes the projection.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            known: OnceLock::new(),
        }
    }

    /// Returns the table and its statements. The first call looks at the table.
    async fn known(
        &self,
        connection: &mut <R::Database as Database>::Connection,
    ) -> Result<&Known<R>, RowError> {
        if let Some(known) = self.known.get() {
            return Ok(known);
        }
        let table = RowTable::of::<R>()?;
        let statements = R::Database::statements(connection, &table).await?;
        Ok(self.known.get_or_init(|| Known { table, statements }))
    }

    /// Applies events, whose first has this number in its page.
    async fn apply_part(
        &self,
        events: &[FeedEvent],
        first: usize,
        connection: &mut <R::Database as Database>::Connection,
    ) -> Result<(), PageError> {
        let failed = |error: RowError| PageError::Events(Box::new(error).into());
        let mut part = Part::<R>::of(events, first)?;
        if part.is_empty() {
            return Ok(());
        }
        let known = self.known(connection).await.map_err(failed)?;
        let keys = part.keys().map_err(failed)?;
        let found = R::Database::read::<R>(connection, &known.statements, keys).await;
        part.found(found.map_err(failed)?);
        part.fold()?;
        let changes = part.changes(&known.table)?;
        let written = R::Database::write(connection, &known.statements, changes).await;
        written.map_err(failed)
    }
}

impl<R: ProjectedRow<Database: RowDatabase>> Projection for Rows<R> {
    type Database = R::Database;

    const NAME: &'static str = R::NAME;

    const SOURCES: &'static [Source] = R::SOURCES;

    const CREATE: Option<&'static str> = R::CREATE;

    fn fingerprint() -> u64 {
        R::fingerprint()
    }

    async fn apply(
        &self,
        event: &FeedEvent,
        connection: &mut <R::Database as Database>::Connection,
    ) -> Result<(), HandlerError> {
        let applied = self.apply_part(std::slice::from_ref(event), 0, connection);
        applied.await.map_err(|error| match error {
            PageError::Event(_, error) | PageError::Events(error) => error,
        })
    }

    async fn apply_page(
        &self,
        page: &EventPage<'_>,
        connection: &mut <R::Database as Database>::Connection,
    ) -> Result<usize, PageError> {
        let mut done = 0;
        for part in page.events().chunks(R::Database::EVENTS) {
            let applied = self.apply_part(part, done, connection);
            // Only a statement takes long: the handlers do not wait for anything.
            let applied = in_time(page.handler_timeout(), applied);
            applied.await?;
            done += part.len();
            if page.must_end_after(done) {
                break;
            }
        }
        Ok(done)
    }

    fn table() -> Result<Option<RowTable>, RowError> {
        RowTable::of::<R>().map(Some)
    }
}

async fn in_time(
    limit: Duration,
    applied: impl Future<Output = Result<(), PageError>>,
) -> Result<(), PageError> {
    let applied = tokio::time::timeout(limit, applied).await;
    applied.unwrap_or_else(|_| {
        Err(PageError::Events(HandlerError::TimedOut {
            seconds: limit.as_secs(),
        }))
    })
}

impl<R: ProjectedRow<Database: RowDatabase>> Default for Rows<R> {
    fn default() -> Self {
        Self::new()
    }
}

impl<R: ProjectedRow<Database: RowDatabase>> fmt::Debug for Rows<R> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Rows").field(&R::NAME).finish()
    }
}
