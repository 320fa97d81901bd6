//! Tests of handlers, on a connection of the test.

use crate::event::Event;
use crate::ids::IntoLogId;
use crate::metadata::Metadata;
use crate::projection::contract::Projection;
use crate::projection::database::Database;
use crate::projection::page::{EventPage, PageError};
use crate::projection::table::row_name;
use crate::shared_error::cause;
use crate::testing::projected::events::{GivenEvents, named};
use crate::testing::projected::tables::TestDatabase;
use chrono::{DateTime, Utc};
use std::fmt;

/// Starts a test of a projection: give events, have the handlers run on a connection, and read the tables.
///
/// ```
/// # #[cfg(all(feature = "macros", feature = "sqlite", feature = "json"))]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use eventlogs::ids::LogId;
/// use eventlogs::sqlx::{self, Connection, SqliteConnection};
/// use eventlogs::testing::projected_by;
/// use eventlogs::{Event, Projection, event_handler};
///
/// #[derive(Debug, Event)]
/// enum PaymentEvent { Captured { amount: u64 } }
///
/// #[derive(Projection)]
/// #[projection(
///     name = "totals", events(PaymentEvent), database = sqlite,
///     create = "create table totals (account text not null, amount integer not null)",
/// )]
/// struct Totals { account: String }
///
/// #[event_handler(PaymentEvent)]
/// impl Totals {
///     #[on(Captured)]
///     async fn capture(&self, amount: u64, #[context] db: &mut SqliteConnection) -> sqlx::Result<()> {
///         let insert = sqlx::query("insert into totals values ($1, $2)");
///         insert.bind(&self.account).bind(amount.cast_signed()).execute(db).await.map(|_| ())
///     }
/// }
///
/// let mut db = SqliteConnection::connect("sqlite::memory:").await?;
/// let totals = Totals { account: "sales".to_owned() };
/// projected_by(&totals)
///     .given(LogId::new(), [PaymentEvent::Captured { amount: 70 }])
///     .given(LogId::new(), [PaymentEvent::Captured { amount: 30 }])
///     .apply_in(&mut db)
///     .await;
/// let total: i64 = sqlx::query_scalar("select sum(amount) from totals").fetch_one(&mut db).await?;
/// assert_eq!(total, 100);
/// # Ok(()) }
/// # #[cfg(not(all(feature = "macros", feature = "sqlite", feature = "json")))]
/// # fn main() {}
/// ```
///
/// The events are encoded as a store encodes them, in the order in which they are given; the handlers get them as in production.
/// `projected_by(&Rows::<PaymentRow>::new())` tests rows on a real table.
#[must_use = "the handlers run in `apply_in`"]
pub fn projected_by<P: Projection>(projection: &P) -> ProjectionScenario<'_, P> {
    ProjectionScenario {
        projection,
        given: GivenEvents::new(P::SOURCES),
        applied: None,
    }
}

/// The events so far of a test that began with [`projected_by`]. [`apply_in`](ProjectionScenario::apply_in) runs the handlers.
#[must_use = "the handlers run in `apply_in`"]
pub struct ProjectionScenario<'p, P> {
    /// The projection.
    projection: &'p P,
    /// The events.
    given: GivenEvents,
    /// How many of them were applied; `None` before the tables exist.
    applied: Option<usize>,
}

impl<P: Projection> ProjectionScenario<'_, P> {
    /// Adds events of a log. They follow those that the log has already, and come after all events of other logs.
    ///
    /// # Panics
    /// - If the projection does not follow the enum.
    /// - If the log has events of another enum.
    /// - If the codec of the enum refuses an event.
    #[track_caller]
    pub fn given<E: Event>(
        mut self,
        log_id: impl IntoLogId,
        events: impl IntoIterator<Item = E>,
    ) -> Self {
        match self.given.push::<E, P>(log_id.into_log_id(), events) {
            Ok(()) => self,
            Err(misfit) => panic!("{misfit}"),
        }
    }

    /// Sets the time at which the events given last were recorded: one time for all of them, as in one append. Later events are
    /// recorded one second later each.
    ///
    /// # Panics
    /// If no event was given last, or if the event before them in their log was recorded later.
    #[track_caller]
    pub fn recorded_at(mut self, time: DateTime<Utc>) -> Self {
        match self.given.set_recorded_at(time) {
            Ok(()) => self,
            Err(misfit) => panic!("{misfit}"),
        }
    }

    /// Sets the time at which the events given last happened (`occurred_at`).
    ///
    /// # Panics
    /// If no event was given last.
    #[track_caller]
    pub fn occurred_at(mut self, time: DateTime<Utc>) -> Self {
        match self.given.set_occurred_at(time) {
            Ok(()) => self,
            Err(misfit) => panic!("{misfit}"),
        }
    }

    /// Sets the metadata of the events given last, as in one append.
    ///
    /// # Panics
    /// If no event was given last.
    #[track_caller]
    pub fn metadata(mut self, metadata: &Metadata) -> Self {
        match self.given.set_metadata(metadata) {
            Ok(()) => self,
            Err(misfit) => panic!("{misfit}"),
        }
    }

    /// Runs the handlers of the events so far on a connection. The first call creates the tables with the statements of
    /// `create`. A later call on the returned value applies only the events that were given after the call before.
    ///
    /// Rows have a temporary table `row_keys` on the connection, for keys that are
    /// [as before](crate::projection::RememberedKeys::as_before). It begins no transaction. On PostgreSQL, the tables are created where the connection creates tables without a schema: in
    /// the first schema of its `search_path`. If the future is dropped, the handlers have run for some of the events.
    ///
    /// # Panics
    /// - If the tables cannot be created.
    /// - If an event cannot be applied: a handler returns an error or panics, or the event cannot be decoded.
    #[allow(
        clippy::return_self_not_must_use,
        reason = "the call itself runs the handlers"
    )]
    pub async fn apply_in(mut self, connection: &mut <P::Database as Database>::Connection) -> Self
    where
        P::Database: TestDatabase,
    {
        if self.applied.is_none()
            && let Some(statements) = P::CREATE
            && let Err(error) = P::Database::create(connection, statements).await
        {
            panic!(
                "the statements of `create` of `{}` have failed, so use a connection to an empty database, or correct them: {}",
                row_name::<P>(),
                cause(&*error)
            );
        }
        // Only rows remember keys.
        let row_keys = match P::table() {
            Ok(Some(_)) => P::Database::remember(connection).await,
            _ => Ok(None),
        };
        let row_keys = match row_keys {
            Ok(row_keys) => row_keys,
            Err(error) => panic!(
                "the temporary table `row_keys` cannot be created: {}",
                cause(&*error)
            ),
        };
        let mut done = self.applied.unwrap_or_default();
        while let Some(rest) = self.given.all().get(done..).filter(|rest| !rest.is_empty()) {
            let page = EventPage::new(rest).remembering(row_keys.as_ref());
            match self.projection.apply_page(&page, connection).await {
                Ok(0) => panic!("`{}` has handled no event of a page", row_name::<P>()),
                Ok(handled) => done += handled,
                Err(error) => {
                    let (event, error) = match &error {
                        PageError::OneEvent(number, error) => (rest.get(*number), error),
                        PageError::SomeEvent(error) => (None, error),
                    };
                    let what = event.map_or_else(|| "the events".to_owned(), named);
                    let projection = row_name::<P>();
                    panic!("`{projection}` cannot apply {what}: {}", cause(error));
                }
            }
        }
        self.applied = Some(done);
        self
    }
}

impl<P: Projection> fmt::Debug for ProjectionScenario<'_, P> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ProjectionScenario")
            .field("projection", &P::NAME)
            .field("events", &self.given.all().len())
            .finish_non_exhaustive()
    }
}
