//! The traits of aggregates: the states that logs are reduced to.

use crate::aggregation::Aggregation;
use crate::caching::rules::CacheRules;
use crate::event::EventSchema;
use crate::event::interest::Interest;
use crate::event::needs::EventNeeds;
use crate::log_state::LogState;
use crate::record::EventRecord;

/// A state that is computed by applying a log's events in order.
///
/// It is usually derived, together with an [`#[event_handler]`](macro@crate::event_handler) block that has one method per
/// event. An implementation by hand takes one `match`:
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
/// `Default` is the state before the first event. `Clone` gives a caller its own copy of the state, so that a change to it does
/// not change the cached one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an aggregate",
    label = "this type does not implement `Aggregate`",
    note = "add `#[derive(Aggregate)]` and `#[aggregate(event = YourEvent)]`, or implement `eventlogs::Aggregate` by hand"
)]
pub trait Aggregate: Default + Clone + Send + Sync + 'static {
    /// The events that this aggregate is reduced from.
    type Event: Send + Sync + 'static;

    /// The rules that decide which reduced aggregates are worth caching: all of them by default.
    ///
    /// A [policy in the options](crate::LogManagerOptions::caching_policy) of a manager replaces these rules.
    const CACHE: CacheRules<Self> = CacheRules::always();

    /// What the aggregate looks at: by default everything, because an `apply` that is written by hand sees everything.
    ///
    /// [`apply`](Aggregate::apply) must not depend on anything else: it may be left out for the events that are
    /// [ignored](EventNeeds::ignores). The derive takes the value from the handlers:
    ///
    /// ```
    /// # #[cfg(feature = "macros")] {
    /// use eventlogs::feed::Interest;
    /// use eventlogs::{Aggregate, EventNeeds, event_handler};
    ///
    /// pub enum DoorEvent { Opened, Painted }
    ///
    /// #[derive(Debug, Default, Clone, Aggregate)]
    /// #[aggregate(event = DoorEvent)]
    /// pub struct Door { open: bool }
    ///
    /// #[event_handler(DoorEvent, ignore(Painted))]
    /// impl Door {
    ///     #[on(Opened)]
    ///     fn open(&mut self) { self.open = true; }
    /// }
    ///
    /// assert_eq!(Door::NEEDS, EventNeeds::new(Interest::Except(&["Painted"]), false));
    /// # }
    /// ```
    const NEEDS: EventNeeds = EventNeeds::EVERYTHING;

    /// The name of the aggregate, which keeps aggregates apart in shared caches and names them in `tracing` spans.
    ///
    /// The derive returns the type's identifier. The default is the type's full path.
    #[must_use]
    fn name() -> &'static str {
        std::any::type_name::<Self>()
    }

    /// Returns the entry of the event in the schema if it is [retired](macro@crate::Event#retired), for stores that do not know
    /// the schema. The derive knows it.
    #[doc(hidden)]
    #[must_use]
    fn retired(event: &Self::Event) -> Option<&'static EventSchema> {
        let _ = event;
        None
    }

    /// Changes the state by one event.
    ///
    /// It must be total: the event has already happened, so it cannot be refused. It must be deterministic: the same events
    /// must always give the same state. Code that can fail belongs before the append.
    fn apply(&mut self, event_record: &impl EventRecord<Self::Event>);
}

/// A number that changes when the code of an aggregate changes.
///
/// If the number differs, a cache outside the process does not return the aggregate, because this code might have reduced it
/// differently.
///
/// [`derive(Aggregate)`](macro@crate::Aggregate#code-fingerprint) implements the trait, and its page lists the code that the
/// number covers. An aggregate written by hand can only use the in-process cache until it implements this trait and
/// [`WholeSnapshot`]. Then its author has to increase the number with every change:
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
    /// Returns the number. It must differ between two builds that reduce the same events to different states, or that serialise
    /// the same state differently.
    fn code_fingerprint() -> u64;
}

/// Marks an aggregate whose whole state serde keeps, so that a cache outside the process returns it unchanged.
///
/// [`derive(Aggregate)`](macro@crate::Aggregate) implements it, unless a field of the aggregate has one of serde's
/// `skip`, `skip_serializing` and `skip_deserializing`. A state from such a cache would have the default in that field, instead
/// of the value that follows from the events, and a decision on it would be wrong. The derive sees only the aggregate's own
/// fields; [`snapshot_laws!`](crate::testing::snapshot_laws) tests the types of the fields.
///
/// Implement the trait by hand if a skipped field makes no difference, for instance because it is an index of other fields that
/// is built when it is needed. An aggregate that is written by hand also needs a handwritten implementation:
///
/// ```
/// use eventlogs::WholeSnapshot;
/// use std::sync::OnceLock;
///
/// pub struct Basket {
///     prices: Vec<u64>,
///     // With `#[serde(skip)]`: computed from `prices` on first use.
///     dearest: OnceLock<u64>,
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
/// A derived [`Aggregate`] calls it. It can be implemented by hand for a derived `Aggregate`:
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
    /// Which variants of the enum have a handler. A [row](crate::projection::ProjectedRow) receives only their events.
    const INTEREST: Interest = Interest::All;

    /// Whether a handler has a `#[record]` parameter. If none has, the position, times and metadata of events need not be
    /// fetched.
    const USES_RECORD: bool = true;

    /// Changes the state by one event.
    fn handle(&mut self, event_record: &impl EventRecord<E>);

    /// Returns the handlers' part of a derived [`CodeFingerprint`]. Handlers written by hand contribute nothing.
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
