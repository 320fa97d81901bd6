//! What a row of a projection is.

use crate::aggregate::EventHandler;
use crate::event::interest::Interest;
use crate::feed::event::FeedEvent;
use crate::feed::record::FeedRecord;
use crate::feed::source::Source;
use crate::ids::LogId;
use crate::projection::database::Database;
use crate::projection::handler::HandlerError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::hash::Hash;

/// A struct whose instances are the rows of a table.
///
/// [`derive(Projection)`](macro@crate::Projection#rows) implements it for a struct with `#[projection(table = "…")]`.
/// [`Rows`](crate::projection::Rows) is its projection. `Default` is the row before its first event, and serde's names of the
/// fields are those of the columns.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a row of a projection",
    label = "this type does not implement `ProjectedRow`",
    note = "add `#[derive(Projection)]` and `#[projection(name = \"…\", events(…), database = …, table = \"…\")]`"
)]
pub trait ProjectedRow: RowContent + 'static {
    /// Where the table is.
    type Database: Database;

    /// What tells one row from another: the id of a log, unless the projection says otherwise.
    type Key: Serialize + Clone + Eq + Hash + Send + Sync;

    /// The name under which the projection's progress is kept.
    const NAME: &'static str;

    /// The name of the table.
    const TABLE: &'static str;

    /// The name of the column with the key.
    const KEY: &'static str;

    /// The name of the column with the index of the last event in the row.
    const THROUGH: Option<&'static str> = None;

    /// The events that it wants.
    const SOURCES: &'static [Source];

    /// The statements that create the table, run once, before the first event.
    const CREATE: Option<&'static str> = None;

    /// Returns a number that changes when the code of the projection changes.
    #[must_use]
    fn fingerprint() -> u64;

    /// Returns the keys of the rows that an event changes.
    ///
    /// # Errors
    /// [`HandlerError::Decode`] if the event must be decoded for that, and cannot be.
    fn keys(event: &FeedEvent) -> Result<RowKeys<Self::Key>, HandlerError>;

    /// Returns the key of the row.
    fn key(&self) -> &Self::Key;

    /// Sets the key of a new row.
    fn set_key(&mut self, key: Self::Key);

    /// Returns the index of the last event in the row; `None` if the row does not keep it, or has no event yet.
    fn through(&self) -> Option<u64> {
        None
    }

    /// Sets the index of the last event in the row.
    fn set_through(&mut self, index: u64) {
        let _ = index;
    }

    /// Returns `false` if the row is to be deleted.
    fn keep(&self) -> bool {
        true
    }

    /// Changes the row by one event.
    ///
    /// # Errors
    /// [`HandlerError::Decode`] if the event cannot be decoded.
    fn apply(&mut self, event: &FeedEvent) -> Result<(), HandlerError>;
}

/// A row of one log that knows which events of the log it has, so that it can be brought up to date by whoever comes first: the
/// subscription, or a [transaction](crate::guide::read_models#written-with-the-events) that has just appended.
///
/// [`derive(Projection)`](macro@crate::Projection#rows) implements it for rows with `#[through]` and without `keep`: a row that
/// is deleted takes the index along, and what comes next could not tell which events it had. An implementation by hand must
/// have one row per log, a [`THROUGH`](ProjectedRow::THROUGH), and never return `false` from [`keep`](ProjectedRow::keep).
#[diagnostic::on_unimplemented(
    message = "the row `{Self}` cannot be caught up in a transaction",
    label = "this row does not say which events of its log it has",
    note = "mark a field of the row, as in `#[through] through: Option<u64>`",
    note = "a row with `keep` has no such index after it was deleted, and a row with another key than the log (`by`) has several: leave such rows to the subscription"
)]
pub trait ResumableRow: ProjectedRow<Key = LogId> {}

/// What a row needs besides its handlers. Every type that can be a row has it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from a table and written to it",
    label = "this row lacks one of `Default`, `Clone`, `Serialize`, `Deserialize`, `Send` and `Sync`",
    note = "add `#[derive(Default, Clone, serde::Serialize, serde::Deserialize)]`"
)]
pub trait RowContent: Default + Clone + Serialize + DeserializeOwned + Send + Sync {}

#[diagnostic::do_not_recommend]
impl<R: Default + Clone + Serialize + DeserializeOwned + Send + Sync> RowContent for R {}

/// The handlers of a row: an [`EventHandler`], which [`#[event_handler]`](macro@crate::event_handler) writes for a block of
/// methods that are not `async`.
#[diagnostic::on_unimplemented(
    message = "the row `{Self}` has no handlers for `{E}`",
    label = "no `#[event_handler({E})]` block of methods that are not `async`",
    note = "a row is changed in memory: add `#[event_handler({E})] impl {Self} {{ … }}` with one `#[on(…)] fn …(&mut self, …)` per event",
    note = "handlers that run SQL themselves, with `async` and `#[context]`, belong to a projection without `table`"
)]
pub trait RowHandler<E> {
    /// Which variants of the enum have a handler.
    const INTEREST: Interest;

    /// Changes the row by one event.
    fn change(&mut self, event_record: &FeedRecord<E>);

    /// Returns the handlers' part of the fingerprint.
    #[doc(hidden)]
    #[must_use]
    fn handlers_fingerprint() -> u64;
}

#[diagnostic::do_not_recommend]
impl<E, R: EventHandler<E>> RowHandler<E> for R {
    const INTEREST: Interest = <R as EventHandler<E>>::INTEREST;

    fn change(&mut self, event_record: &FeedRecord<E>) {
        self.handle(event_record);
    }

    fn handlers_fingerprint() -> u64 {
        <R as EventHandler<E>>::handlers_fingerprint()
    }
}

/// The keys of the rows that an event changes: one, several or none.
///
/// ```
/// use eventlogs::projection::RowKeys;
///
/// assert_eq!(RowKeys::one("ada").into_iter().collect::<Vec<_>>(), ["ada"]);
/// assert_eq!(RowKeys::<String>::none().into_iter().count(), 0);
/// // A key that is given twice counts once.
/// assert_eq!(RowKeys::from_iter([1, 2, 1]).into_iter().collect::<Vec<_>>(), [1, 2]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowKeys<K> {
    /// The keys, each once.
    keys: Vec<K>,
}

impl<K> RowKeys<K> {
    /// The event changes one row.
    #[must_use]
    pub fn one(key: K) -> Self {
        Self { keys: vec![key] }
    }

    /// The event changes no row.
    #[must_use]
    pub const fn none() -> Self {
        Self { keys: Vec::new() }
    }
}

impl<K: PartialEq> FromIterator<K> for RowKeys<K> {
    fn from_iter<I: IntoIterator<Item = K>>(keys: I) -> Self {
        let mut own = Self::none();
        for key in keys {
            if !own.keys.contains(&key) {
                own.keys.push(key);
            }
        }
        own
    }
}

impl<K> IntoIterator for RowKeys<K> {
    type Item = K;
    type IntoIter = std::vec::IntoIter<K>;

    fn into_iter(self) -> Self::IntoIter {
        self.keys.into_iter()
    }
}
