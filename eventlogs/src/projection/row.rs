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
    type Key: Serialize + DeserializeOwned + Clone + Eq + Hash + Send + Sync;

    /// The name under which the projection's progress is kept.
    const NAME: &'static str;

    /// The name of the table.
    const TABLE: &'static str;

    /// The name of the column with the key.
    const KEY: &'static str;

    /// The name of the column with the index of the last event in the row.
    const THROUGH: Option<&'static str> = None;

    /// Whether events of several logs change one row. Then the projection needs one partition: two would overwrite each other's
    /// changes of a row.
    const ONE_PARTITION: bool = false;

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
///
/// An event that has no key in itself needs [`RememberedKeys`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowKeys<K> {
    /// The keys, each once.
    keys: Vec<K>,
    /// What they have to do with those of other events.
    memory: Memory,
}

/// What the keys of an event have to do with those of other events of its log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Memory {
    /// Nothing.
    Apart,
    /// They are those of later events, too.
    Remember,
    /// They are those of an earlier event.
    Recall,
}

impl<K> RowKeys<K> {
    /// The event changes one row.
    #[must_use]
    pub fn one(key: K) -> Self {
        Self {
            keys: vec![key],
            memory: Memory::Apart,
        }
    }

    /// The event changes no row.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            keys: Vec::new(),
            memory: Memory::Apart,
        }
    }

    /// Returns the keys; `None` if they are those of an earlier event.
    pub(crate) fn given(self) -> Option<Vec<K>> {
        (self.memory != Memory::Recall).then_some(self.keys)
    }

    /// Returns `true` if the keys are those of an earlier event.
    pub(crate) fn are_recalled(&self) -> bool {
        self.memory == Memory::Recall
    }

    /// Returns `true` if the keys are those of later events, too.
    pub(crate) fn are_remembered(&self) -> bool {
        self.memory == Memory::Remember
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

/// The keys of the rows that an event changes, remembered for the later events of its log: one, several, none, or as before.
///
/// Return it where only some events of a log have the key in them:
///
/// ```
/// # #[cfg(all(feature = "macros", feature = "sqlite", feature = "json", feature = "testing"))] {
/// use eventlogs::ids::LogId;
/// use eventlogs::projection::RememberedKeys;
/// use eventlogs::testing::projected;
/// use eventlogs::{Event, EventRecord, FeedRecord, Projection, event_handler};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, Event)]
/// enum PaymentEvent { Requested { customer: String }, Captured { cents: u64 } }
///
/// /// What each customer has paid.
/// #[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize, Projection)]
/// #[projection(name = "paid", events(PaymentEvent by customer_of), database = sqlite, table = "paid")]
/// struct Paid { #[key] customer: String, payments: u64, cents: u64 }
///
/// fn customer_of(record: &FeedRecord<PaymentEvent>) -> RememberedKeys<String> {
///     match record.event() {
///         PaymentEvent::Requested { customer } => RememberedKeys::one(customer.clone()),
///         PaymentEvent::Captured { .. } => RememberedKeys::as_before(),
///     }
/// }
///
/// #[event_handler(PaymentEvent)]
/// impl Paid {
///     #[on(Requested { .. })]
///     fn request(&mut self) { self.payments += 1; }
///     #[on(Captured)]
///     fn capture(&mut self, cents: u64) { self.cents += cents; }
/// }
///
/// let requested = || PaymentEvent::Requested { customer: "Ada".to_owned() };
/// let paid = projected::<Paid>()
///     .given(LogId::new(), [requested(), PaymentEvent::Captured { cents: 70 }])
///     .given(LogId::new(), [requested(), PaymentEvent::Captured { cents: 30 }]);
/// let ada = "Ada".to_owned();
/// assert_eq!(paid.row(&ada), Some(Paid { customer: ada, payments: 2, cents: 100 }));
/// # }
/// ```
///
/// A subscription keeps the keys in the table `row_keys` of the store, written in the transaction of the page. It reads and writes
/// them with one statement each per page, and only if a page needs them.
///
/// What is remembered for a log are the keys of the last event that gave some; [`none`](RememberedKeys::none) changes nothing
/// about it. These events give no keys:
///
/// - events that the handlers ignore: they are not read;
/// - events before the first one of a subscription that [starts now](crate::subscriptions::StartAt::Now);
/// - events that were [skipped](crate::subscriptions::RunningSubscriptions::skip).
///
/// If code has changed, keys that older code gave stay, like its rows, until the tables are
/// [built anew](crate::guide::read_models#changing-a-projection).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RememberedKeys<K>(RowKeys<K>);

impl<K> RememberedKeys<K> {
    /// The event changes one row, and so do the later events of its log that are [as before](Self::as_before).
    #[must_use]
    pub fn one(key: K) -> Self {
        Self(RowKeys {
            memory: Memory::Remember,
            ..RowKeys::one(key)
        })
    }

    /// The event changes no row. For later events it makes no difference.
    #[must_use]
    pub const fn none() -> Self {
        Self(RowKeys::none())
    }

    /// The event changes the rows that an earlier event of the log gave: the last one that gave some. If none did, it changes no
    /// row.
    #[must_use]
    pub const fn as_before() -> Self {
        Self(RowKeys {
            keys: Vec::new(),
            memory: Memory::Recall,
        })
    }
}

/// Several keys replace those of earlier events; without a key it is [`none`](RememberedKeys::none).
impl<K: PartialEq> FromIterator<K> for RememberedKeys<K> {
    fn from_iter<I: IntoIterator<Item = K>>(keys: I) -> Self {
        let keys = RowKeys::from_iter(keys);
        let memory = if keys.keys.is_empty() {
            Memory::Apart
        } else {
            Memory::Remember
        };
        Self(RowKeys { memory, ..keys })
    }
}

impl<K> From<RememberedKeys<K>> for RowKeys<K> {
    fn from(keys: RememberedKeys<K>) -> Self {
        keys.0
    }
}
