//! What a log is reduced to: the traits of aggregates.

use crate::aggregation::Aggregation;
use crate::caching::rules::CacheRules;
use crate::log_state::LogState;
use crate::record::EventRecord;

/// A state that is calculated by applying a log's events in order.
///
/// It is usually derived, together with an [`#[event_handler]`](macro@crate::event_handler) block that holds one method
/// an event; writing it by hand takes one `match`:
///
/// ```
/// use eventlogs::{Aggregate, EventRecord};
///
/// pub enum CounterEvent { Added(i64), Reset }
///
/// #[derive(Debug, Default, Clone)]
/// pub struct Counter { total: i64 }
///
/// impl Aggregate for Counter {
///     type Event = CounterEvent;
///
///     fn apply(&mut self, event_record: &impl EventRecord<CounterEvent>) {
///         match event_record.event() {
///             CounterEvent::Added(amount) => self.total += amount,
///             CounterEvent::Reset => self.total = 0,
///         }
///     }
/// }
/// ```
///
/// `Default` is the state before the first event, `Clone` lets a cached state and a caller's state go separate ways.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an aggregate",
    label = "this type does not implement `Aggregate`",
    note = "add `#[derive(Aggregate)]` and `#[aggregate(event = YourEvent)]`, or implement `eventlogs::Aggregate` by hand"
)]
pub trait Aggregate: Default + Clone + Send + Sync + 'static {
    /// The events that this aggregate is reduced from.
    type Event: Send + Sync + 'static;

    /// When a reduced aggregate is worth caching; always, unless said otherwise.
    ///
    /// A [policy in the options](crate::LogManagerOptions::caching_policy) takes its place where one is given.
    const CACHE: CacheRules<Self> = CacheRules::always();

    /// The name that is stored as the kind of a log that this aggregate creates, and that keeps aggregates apart in
    /// shared caches. The derive gives the type's identifier; the default is its full path.
    #[must_use]
    fn name() -> &'static str {
        std::any::type_name::<Self>()
    }

    /// Changes the state by one event.
    ///
    /// It must be total and deterministic: the event has already happened, so it cannot be refused, and the same
    /// events must always give the same state. Whatever can fail belongs before the append.
    fn apply(&mut self, event_record: &impl EventRecord<Self::Event>);
}

/// A number that changes when the code of an aggregate changes, so that caches outside the process never hand an
/// aggregate to code that would have reduced it differently.
///
/// [`derive(Aggregate)`](macro@crate::Aggregate#code-fingerprint) implements it, and lists what it sees. An aggregate
/// written by hand lives in the in-process cache until it implements it, and then has to count up by itself:
///
/// ```
/// use eventlogs::CodeFingerprint;
///
/// pub struct Counter { total: i64 }
///
/// impl CodeFingerprint for Counter {
///     fn code_fingerprint() -> u64 { 3 }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no code fingerprint, which caches outside the process need",
    label = "this type does not implement `CodeFingerprint`",
    note = "derive `Aggregate` instead of implementing it by hand, or implement `eventlogs::CodeFingerprint` and increase its number with every change"
)]
pub trait CodeFingerprint {
    /// The number. It must differ between two builds that reduce the same events to different states, or that serialise
    /// the same state differently.
    fn code_fingerprint() -> u64;
}

/// Says that serde keeps the whole state of an aggregate, so that it comes back from a cache outside the process as it was.
///
/// [`derive(Aggregate)`](macro@crate::Aggregate) implements it, unless a field of the aggregate has one of serde's
/// `skip`, `skip_serializing` and `skip_deserializing`. Then a state from such a cache would have the default there, and not
/// what the events say: a decision that is made on it would be wrong. It sees the aggregate's own fields; types that they
/// hold are tried by [`snapshot_laws!`](crate::testing::snapshot_laws).
///
/// Where a skipped field makes no difference, since it is an index of other fields that is made when it is needed, say, this
/// is how to say so. An aggregate written by hand says it as well:
///
/// ```
/// use eventlogs::WholeSnapshot;
/// use std::cell::OnceCell;
///
/// pub struct Basket {
///     prices: Vec<u64>,
///     // With `#[serde(skip)]`: made from `prices` by whoever asks first.
///     dearest: OnceCell<u64>,
/// }
///
/// impl WholeSnapshot for Basket {}
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` might lose a part of its state in a cache outside the process",
    label = "this type does not implement `WholeSnapshot`",
    note = "`derive(Aggregate)` implements `WholeSnapshot` unless a field has `#[serde(skip)]`, `skip_serializing` or `skip_deserializing`; the cache would return the state with that field's default",
    note = "let serde keep the field, move it out of the aggregate, or use a cache in the process; if the field makes no difference to the state, write `impl eventlogs::WholeSnapshot for {Self} {{}}`"
)]
pub trait WholeSnapshot {}

/// The dispatch of the events `E` to the methods of an aggregate, written by
/// [`#[event_handler]`](macro@crate::event_handler).
///
/// A derived [`Aggregate`] calls it. It can be implemented by hand under a derived `Aggregate`:
///
/// ```
/// # #[cfg(feature = "macros")] {
/// use eventlogs::{Aggregate, EventHandler, EventRecord};
///
/// pub enum DoorEvent { Opened, Closed }
///
/// #[derive(Debug, Default, Clone, Aggregate)]
/// #[aggregate(event = DoorEvent)]
/// pub struct Door { open: bool }
///
/// impl EventHandler<DoorEvent> for Door {
///     fn handle(&mut self, event_record: &impl EventRecord<DoorEvent>) {
///         self.open = matches!(event_record.event(), DoorEvent::Opened);
///     }
/// }
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no handlers for `{E}`",
    label = "no `#[event_handler({E})]` block for `{Self}`",
    note = "add `#[event_handler({E})] impl {Self} {{ … }}` with one `#[on(…)]` method per event"
)]
pub trait EventHandler<E> {
    /// Changes the state by one event.
    fn handle(&mut self, event_record: &impl EventRecord<E>);

    /// The handlers' part of a derived [`CodeFingerprint`]. Those written by hand contribute nothing.
    #[doc(hidden)]
    #[must_use]
    fn handlers_fingerprint() -> u64 {
        0
    }
}

impl<A: Aggregate> Aggregation<A> {
    /// The state of the log to append to.
    #[must_use]
    pub const fn state(&self) -> LogState<A::Event> {
        LogState::from_position(self.position())
    }
}

impl<A: Aggregate> From<Aggregation<A>> for LogState<A::Event> {
    fn from(aggregation: Aggregation<A>) -> Self {
        aggregation.state()
    }
}

impl<A: Aggregate> From<&Aggregation<A>> for LogState<A::Event> {
    fn from(aggregation: &Aggregation<A>) -> Self {
        aggregation.state()
    }
}
