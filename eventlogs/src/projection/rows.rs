//! A projection whose read model is the rows of one table.

use crate::feed::event::FeedEvent;
use crate::feed::source::Source;
use crate::ids::LogId;
use crate::projection::contract::Projection;
use crate::projection::database::Database;
use crate::projection::handler::{HandlerError, panic_message};
use crate::projection::page::{EventPage, PageError};
use crate::projection::row::{ProjectedRow, RowKeys};
use crate::projection::row_error::{ROW_KEYS, RowError};
use crate::projection::table::{
    RowChanges, RowDatabase, RowKeyStatements, RowStatements, RowTable, row_name,
};
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
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
pub struct Rows<R> {
    /// The statements, after the first look at the table.
    statements: OnceLock<RowStatements>,
    /// The statements for connections of the caller, whose search path is another one.
    #[cfg(feature = "_database")]
    pub(crate) statements_anywhere: OnceLock<RowStatements>,
    /// The type of the rows.
    of: PhantomData<fn() -> R>,
}

impl<R: ProjectedRow<Database: RowDatabase>> Rows<R> {
    /// Makes the projection.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            statements: OnceLock::new(),
            #[cfg(feature = "_database")]
            statements_anywhere: OnceLock::new(),
            of: PhantomData,
        }
    }

    /// Returns the statements. The first call looks at the table.
    async fn statements(
        &self,
        connection: &mut <R::Database as Database>::Connection,
    ) -> Result<&RowStatements, RowError> {
        if let Some(statements) = self.statements.get() {
            return Ok(statements);
        }
        let table = RowTable::of::<R>()?;
        let statements = R::Database::statements(connection, &table).await?;
        Ok(self.statements.get_or_init(|| statements))
    }

    /// Applies events, whose first has this number in its page.
    async fn apply_part(
        &self,
        events: &[FeedEvent],
        first: usize,
        row_keys: Option<&RowKeyStatements>,
        connection: &mut <R::Database as Database>::Connection,
    ) -> Result<(), PageError> {
        let failed = |error: RowError| PageError::SomeEvent(Box::new(error).into());
        let mut part = Part::<R>::of(events, first)?;
        if let Some((number, logs)) = part.recalled() {
            let row_keys = row_keys.ok_or_else(|| nothing_remembers::<R>(number))?;
            let found = R::Database::read_keys(connection, row_keys, R::NAME, &logs).await;
            let recalled = part.recall(found.map_err(failed)?);
            recalled.map_err(failed)?;
        }
        if let (Some(row_keys), false) = (row_keys, part.given.is_empty()) {
            let given = part.remembered().map_err(failed)?;
            let written = R::Database::write_keys(connection, row_keys, R::NAME, given).await;
            written.map_err(failed)?;
        }
        if part.events.is_empty() {
            return Ok(());
        }
        let statements = self.statements(connection).await.map_err(failed)?;
        let keys = part.keys().map_err(failed)?;
        let found = R::Database::read::<R>(connection, statements, keys).await;
        part.found(found.map_err(failed)?);
        part.fold()?;
        let changes = part.changes(&statements.table)?;
        let written = R::Database::write(connection, statements, changes).await;
        // A row that was not written has later events: another writer has caught it up.
        written.map(|_| ()).map_err(failed)
    }
}

impl<R: ProjectedRow<Database: RowDatabase>> Projection for Rows<R> {
    type Database = R::Database;

    const NAME: &'static str = R::NAME;

    const SOURCES: &'static [Source] = R::SOURCES;

    const ONE_PARTITION: bool = R::ONE_PARTITION;

    const CREATE: Option<&'static str> = R::CREATE;

    fn fingerprint() -> u64 {
        R::fingerprint()
    }

    async fn apply(
        &self,
        event: &FeedEvent,
        connection: &mut <R::Database as Database>::Connection,
    ) -> Result<(), HandlerError> {
        let applied = self.apply_part(std::slice::from_ref(event), 0, None, connection);
        applied.await.map_err(|error| match error {
            PageError::OneEvent(_, error) | PageError::SomeEvent(error) => error,
        })
    }

    async fn apply_page(
        &self,
        page: &EventPage<'_>,
        connection: &mut <R::Database as Database>::Connection,
    ) -> Result<usize, PageError> {
        let mut done = 0;
        for part in page.events().chunks(R::Database::EVENTS) {
            let applied = self.apply_part(part, done, page.row_keys(), connection);
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
        Err(PageError::SomeEvent(HandlerError::TimedOut {
            seconds: limit.as_secs(),
        }))
    })
}

/// Events that are applied together, and their rows.
pub(crate) struct Part<'a, R: ProjectedRow> {
    /// The events whose rows are not known yet, each with its number in the page.
    keyed: Vec<(usize, &'a FeedEvent, RowKeys<R::Key>)>,
    /// The keys that an event gave for the later events of its log.
    given: HashMap<LogId, Vec<R::Key>>,
    /// The events, each with its number in the page and the places of its rows.
    events: Vec<(usize, &'a FeedEvent, Vec<usize>)>,
    /// The rows.
    rows: Vec<RowState<R>>,
    /// The places of the rows.
    places: HashMap<R::Key, usize>,
}

/// A row while its events are applied.
pub(crate) struct RowState<R: ProjectedRow> {
    key: R::Key,
    /// The row; `None` if it does not exist.
    pub(crate) row: Option<R>,
    /// Whether it was there before.
    existed: bool,
    /// The number of the last event that has changed it.
    pub(crate) changed_by: Option<usize>,
}

impl<'a, R: ProjectedRow> Part<'a, R> {
    /// Finds out which rows the events change. If that depends on what is [recalled](Self::recalled), no row is known before
    /// [`recall`](Self::recall).
    pub(crate) fn of(events: &'a [FeedEvent], first: usize) -> Result<Self, PageError> {
        let mut part = Self {
            keyed: Vec::new(),
            given: HashMap::new(),
            events: Vec::new(),
            rows: Vec::new(),
            places: HashMap::new(),
        };
        for (number, event) in (first..).zip(events) {
            let is_wanted = event.payload.is_some() && event.source(R::SOURCES).is_some();
            if !is_wanted {
                continue;
            }
            let keys =
                guarded(|| R::keys(event)).map_err(|error| PageError::OneEvent(number, error))?;
            part.keyed.push((number, event, keys));
        }
        if part.recalled().is_none() {
            part.place_events(&HashMap::new());
        }
        Ok(part)
    }

    /// Returns the logs whose keys were given before these events, and the number of the first event that needs them; `None` if
    /// there is none.
    pub(crate) fn recalled(&self) -> Option<(usize, Vec<LogId>)> {
        let (mut first, mut recalled, mut given) = (None, HashSet::new(), HashSet::new());
        for (number, event, keys) in &self.keyed {
            if keys.are_remembered() {
                given.insert(event.log_id);
            } else if keys.are_recalled() && !given.contains(&event.log_id) {
                first = first.or(Some(*number));
                recalled.insert(event.log_id);
            }
        }
        first.map(|first| (first, recalled.into_iter().collect()))
    }

    /// Takes the keys that are remembered for the [recalled](Self::recalled) logs.
    pub(crate) fn recall(&mut self, found: Vec<(LogId, String)>) -> Result<(), RowError> {
        let keys = |(log_id, keys): (LogId, String)| {
            let keys: Vec<R::Key> = serde_json::from_str(&keys)?;
            Ok((log_id, keys))
        };
        let found: Result<_, serde_json::Error> = found.into_iter().map(keys).collect();
        let found = found.map_err(|source| RowError::Unreadable {
            table: ROW_KEYS,
            row: row_name::<R>(),
            source: source.into(),
        })?;
        self.place_events(&found);
        Ok(())
    }

    /// Returns what is to be remembered for the later events of logs.
    pub(crate) fn remembered(&self) -> Result<Vec<(LogId, String)>, RowError> {
        let written = |(log_id, keys): (&LogId, &Vec<R::Key>)| {
            let keys: Result<Vec<_>, _> = keys.iter().map(written::<R>).collect();
            Ok((*log_id, Value::Array(keys?).to_string()))
        };
        self.given.iter().map(written).collect()
    }

    /// Finds the rows of the events, of which some have the keys that were found for their logs.
    fn place_events(&mut self, found: &HashMap<LogId, Vec<R::Key>>) {
        for (number, event, keys) in std::mem::take(&mut self.keyed) {
            let is_remembered = keys.are_remembered();
            let keys = keys.given().unwrap_or_else(|| {
                let earlier = self.given.get(&event.log_id);
                let earlier = earlier.or_else(|| found.get(&event.log_id));
                earlier.cloned().unwrap_or_default()
            });
            if is_remembered {
                self.given.insert(event.log_id, keys.clone());
            }
            let places: Vec<_> = keys.into_iter().map(|key| self.place(key)).collect();
            if !places.is_empty() {
                self.events.push((number, event, places));
            }
        }
    }

    /// Returns the place of a row.
    fn place(&mut self, key: R::Key) -> usize {
        let next = self.rows.len();
        let place = *self.places.entry(key.clone()).or_insert(next);
        if place == next {
            self.rows.push(RowState::new(key));
        }
        place
    }

    /// Returns the keys of all rows, as serde writes them.
    pub(crate) fn keys(&self) -> Result<Vec<Value>, RowError> {
        self.rows
            .iter()
            .map(|state| written::<R>(&state.key))
            .collect()
    }

    /// Takes the rows that exist.
    pub(crate) fn found(&mut self, rows: Vec<R>) {
        for row in rows {
            let place = self.places.get(row.key());
            if let Some(state) = place.and_then(|place| self.rows.get_mut(*place)) {
                state.row = Some(row);
                state.existed = true;
            }
        }
    }

    /// Applies the events to the rows.
    pub(crate) fn fold(&mut self) -> Result<(), PageError> {
        for (number, event, places) in &self.events {
            for place in places {
                if let Some(state) = self.rows.get_mut(*place) {
                    let applied = guarded(|| state.apply(*number, event));
                    applied.map_err(|error| PageError::OneEvent(*number, error))?;
                }
            }
        }
        Ok(())
    }

    /// Returns what is to be written.
    pub(crate) fn changes(&self, table: &RowTable) -> Result<RowChanges, PageError> {
        let mut changes = RowChanges::default();
        for state in &self.rows {
            let Some(number) = state.changed_by else {
                continue;
            };
            let failed = |error: RowError| PageError::OneEvent(number, Box::new(error).into());
            if let Some(row) = &state.row {
                changes.written.push(table.content(row).map_err(failed)?);
            } else if state.existed {
                changes
                    .deleted
                    .push(written::<R>(&state.key).map_err(failed)?);
            }
        }
        Ok(changes)
    }
}

impl<R: ProjectedRow> RowState<R> {
    /// Begins with a row that does not exist.
    pub(crate) const fn new(key: R::Key) -> Self {
        Self {
            key,
            row: None,
            existed: false,
            changed_by: None,
        }
    }

    /// Returns the key as serde writes it.
    #[cfg(feature = "_database")]
    pub(crate) fn written_key(&self) -> Result<Value, RowError> {
        written::<R>(&self.key)
    }

    /// Applies one event.
    pub(crate) fn apply(&mut self, number: usize, event: &FeedEvent) -> Result<(), HandlerError> {
        let row = self.row.get_or_insert_with(|| {
            let mut row = R::default();
            row.set_key(self.key.clone());
            row
        });
        if row.through().is_some_and(|through| event.index <= through) {
            return Ok(());
        }
        row.apply(event)?;
        row.set_through(event.index);
        // After each event, so that the size of the pages makes no difference.
        if !row.keep() {
            self.row = None;
        }
        self.changed_by = Some(number);
        Ok(())
    }
}

/// Returns a key as serde writes it.
fn written<R: ProjectedRow>(key: &R::Key) -> Result<Value, RowError> {
    serde_json::to_value(key).map_err(|error| RowError::Unwritable {
        row: row_name::<R>(),
        reason: error.to_string(),
    })
}

/// Makes the error for an event whose key is that of an earlier page, where none is remembered.
fn nothing_remembers<R>(number: usize) -> PageError {
    let error = RowError::Unwritable {
        row: row_name::<R>(),
        reason: "its key is as before, and nothing remembers the keys of earlier pages here; pass the events in one page, or use a \
                 subscription, or `testing::projected_by`"
            .to_owned(),
    };
    PageError::OneEvent(number, Box::new(error).into())
}

/// Survives a panic of the user's code.
pub(crate) fn guarded<T>(
    call: impl FnOnce() -> Result<T, HandlerError>,
) -> Result<T, HandlerError> {
    // What the code has left half done is not used after an error.
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|panic| {
        Err(HandlerError::Panicked {
            message: panic_message(&*panic),
        })
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
