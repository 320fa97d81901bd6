//! Positions in logs, and the end of a log that an append builds on.

use crate::ids::{EventId, LogId};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

/// A position in a log of any events: the log, the index of one of its events, and that event's id.
///
/// Stores, caches, errors and replays use it. Users of a [`LogManager`](crate::LogManager) pass and get a [`LogState`], whose
/// type also has the event enum of the log. Each converts into the other with `into`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LogPosition {
    /// The log.
    log_id: LogId,
    /// The index of the event.
    index: u64,
    /// The id of the event at `index`; with `None` only the index is compared.
    event_id: Option<EventId>,
}

impl LogPosition {
    /// Makes the position of the event `event_id`, which has this index.
    #[must_use]
    pub const fn new(log_id: LogId, index: u64, event_id: EventId) -> Self {
        Self {
            log_id,
            index,
            event_id: Some(event_id),
        }
    }

    /// Makes a position at an index whose event id is not known.
    #[must_use]
    pub const fn at(log_id: LogId, index: u64) -> Self {
        Self {
            log_id,
            index,
            event_id: None,
        }
    }

    /// The log.
    #[must_use]
    pub const fn log_id(&self) -> LogId {
        self.log_id
    }

    /// The index of the event, from 0.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// The id of the event, if it is known.
    #[must_use]
    pub const fn event_id(&self) -> Option<EventId> {
        self.event_id
    }

    /// The id of the event, as a reference for statements.
    #[cfg(feature = "sqlite")]
    pub(crate) const fn event_id_ref(&self) -> Option<&EventId> {
        self.event_id.as_ref()
    }
}

/// The end of a log of `E` events that an append builds on.
///
/// Writes and [`Aggregation::state`](crate::Aggregation::state) return it, and every append takes it. The store compares the id
/// of the last event, not only its index. So an append succeeds only after the very event that its caller saw, even if the
/// database was meanwhile restored to an older state and has another event at the same index.
///
/// With the event enum in the type, the compiler refuses the state of an order where that of a payment is expected. The store
/// refuses it as well ([`WrongKind`](crate::LogManagerError::WrongKind)), so a wrong id in a request cannot do harm either.
pub struct LogState<E> {
    /// The position, without the events' type.
    position: LogPosition,
    /// A function type, so that the state is `Send` and `Sync` whatever the events are.
    events: PhantomData<fn() -> E>,
}

impl<E> LogState<E> {
    /// Makes the state of a log whose last event is `event_id`, at this index.
    #[must_use]
    pub const fn new(log_id: LogId, index: u64, event_id: EventId) -> Self {
        Self::from_position(LogPosition::new(log_id, index, event_id))
    }

    /// Makes the state of a log that ends at an index if the id of the last event is not known, for instance because a client
    /// sent an `If-Match` header.
    ///
    /// An append to it fails if the log has grown. It does not notice if a restore of the database has replaced the event at
    /// this index. The compiler infers the event enum from the call that the state is passed to.
    ///
    /// ```
    /// use eventlogs::{LogState, ids::LogId};
    /// # pub enum PaymentEvent {}
    ///
    /// let state: LogState<PaymentEvent> = LogState::at(LogId::new(), 7);
    /// assert_eq!(state.index(), 7);
    /// assert_eq!(state.event_id(), None);
    /// ```
    #[must_use]
    pub const fn at(log_id: LogId, index: u64) -> Self {
        Self::from_position(LogPosition::at(log_id, index))
    }

    /// Makes the state at a position, for instance that of a [replay](crate::LogManagerError::IdempotentReplay).
    #[must_use]
    pub const fn from_position(position: LogPosition) -> Self {
        Self {
            position,
            events: PhantomData,
        }
    }

    /// The position without the events' type.
    #[must_use]
    pub const fn position(&self) -> LogPosition {
        self.position
    }

    /// The log.
    #[must_use]
    pub const fn log_id(&self) -> LogId {
        self.position.log_id
    }

    /// The index of the last event, from 0.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.position.index
    }

    /// The id of the last event, if it is known.
    #[must_use]
    pub const fn event_id(&self) -> Option<EventId> {
        self.position.event_id
    }
}

/// The end of a log that an append builds on: a [`LogState`], or what contains one. That is an
/// [`Aggregation`](crate::Aggregation) or the result of a [decision](crate::Decided), by value or by reference.
///
/// Every type that converts into a [`LogState`] has it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the end of a log of `{E}`",
    label = "expected what `reduce`, `decide` or the last write returned",
    note = "an append builds on a position in the log: pass the aggregation of `reduce`, not its aggregate, or the state that the last write returned; `LogState::at(log_id, index)` is the state of a client that sends only the index"
)]
pub trait IntoLogState<E> {
    /// Returns the end of the log.
    fn into_log_state(self) -> LogState<E>;
}

// Without the attribute, the compiler would name `Into`, and not say what to pass.
#[diagnostic::do_not_recommend]
impl<E, T: Into<LogState<E>>> IntoLogState<E> for T {
    fn into_log_state(self) -> LogState<E> {
        self.into()
    }
}

impl<E> From<LogPosition> for LogState<E> {
    fn from(position: LogPosition) -> Self {
        Self::from_position(position)
    }
}

impl<E> From<&LogState<E>> for LogState<E> {
    fn from(state: &LogState<E>) -> Self {
        *state
    }
}

impl<E> From<LogState<E>> for LogPosition {
    fn from(state: LogState<E>) -> Self {
        state.position
    }
}

// Written by hand: derived impls would demand the same traits of the events.

impl<E> fmt::Debug for LogState<E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("LogState")
            .field("log_id", &self.log_id())
            .field("index", &self.index())
            .field("event_id", &self.event_id())
            .finish()
    }
}

impl<E> Clone for LogState<E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E> Copy for LogState<E> {}

impl<E> PartialEq for LogState<E> {
    fn eq(&self, other: &Self) -> bool {
        self.position == other.position
    }
}

impl<E> Eq for LogState<E> {}

impl<E> Hash for LogState<E> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.position.hash(hasher);
    }
}

/// Lets tests compare a log's state with a position that a store returned or that an error contains.
impl<E> PartialEq<LogPosition> for LogState<E> {
    fn eq(&self, other: &LogPosition) -> bool {
        self.position == *other
    }
}

/// The comparison in the other direction.
impl<E> PartialEq<LogState<E>> for LogPosition {
    fn eq(&self, other: &LogState<E>) -> bool {
        *self == other.position
    }
}
