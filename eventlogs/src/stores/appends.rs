//! Appends to several logs that happen together or not at all.

use crate::event::{Event, LogType};
use crate::ids::{EventId, IntoLogId, LogId};
use crate::log_state::{IntoLogState, LogPosition};
use crate::stores::encoding::event;
use crate::stores::encoding::event::EncodedEvent;
use crate::stores::encoding::event_enum::EventEnum;
use crate::stores::encoding::records::{Place, records};
use crate::stores::error::AppendError;
use crate::stores::error::invalid::InvalidAppend;
use crate::stores::limits::Limits;
use crate::stores::request::{AppendObserver, AppendSettled, Expected};
use crate::stores::write::WriteContext;
use chrono::{DateTime, Utc};
use std::any::Any;
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

/// Events for several logs, of one event enum or of several, for [`append_across`](crate::LogManager::append_across).
///
/// For existing logs of one enum, an array or a `Vec` of states and events is enough. If the enums differ, or a log is to be
/// created, add the parts one by one:
///
/// ```
/// # #[cfg(all(feature = "macros", feature = "json"))] {
/// use eventlogs::{Appends, Event, LogState, ids::LogId};
///
/// #[derive(Event)]
/// enum OrderEvent { #[event(name = "order.paid")] Paid }
/// #[derive(Event)]
/// enum PaymentEvent { #[event(name = "payment.captured")] Captured { cents: u64 } }
///
/// # let (order, payment): (LogState<OrderEvent>, LogId) = (LogState::at(LogId::new(), 3), LogId::new());
/// let appends = Appends::new()
///     .append(order, [OrderEvent::Paid])
///     .create(payment, [PaymentEvent::Captured { cents: 4_900 }]);
/// # assert_eq!(appends.len(), 2);
/// # }
/// ```
///
/// A *requirement* is a part without events: the write happens only if that log has not moved. So the caller can decide on logs
/// that it does not write to:
///
/// ```
/// # #[cfg(all(feature = "macros", feature = "json"))] {
/// use eventlogs::{Appends, Event, LogState, ids::LogId};
///
/// #[derive(Event)]
/// enum AccountEvent { #[event(name = "account.withdrawn")] Withdrawn { cents: u64 } }
/// #[derive(Event)]
/// enum LimitEvent { #[event(name = "limit.set")] Set { cents: u64 } }
/// #[derive(Event)]
/// enum BlockEvent { #[event(name = "block.placed")] Placed }
///
/// # let (account, limit): (LogState<AccountEvent>, LogState<LimitEvent>) = (LogState::at(LogId::new(), 3), LogState::at(LogId::new(), 0));
/// let appends = Appends::new()
///     .append(account, [AccountEvent::Withdrawn { cents: 500 }])
///     .require(limit)
///     .require_absent::<BlockEvent>(LogId::derived("block", account.log_id().to_string()));
/// # assert_eq!(appends.len(), 3);
/// # }
/// ```
#[derive(Debug, Default)]
pub struct Appends {
    /// One part per log.
    parts: Vec<AppendPart>,
}

impl Appends {
    /// Makes an empty list of appends.
    #[must_use]
    pub const fn new() -> Self {
        Self { parts: Vec::new() }
    }

    /// Adds events to be appended after the state of a log.
    #[must_use]
    pub fn append<E: Event>(
        self,
        state: impl IntoLogState<E>,
        events: impl IntoIterator<Item = E>,
    ) -> Self {
        let position = state.into_log_state().position();
        let expected = Expected::After(position);
        self.and(position.log_id(), expected, events)
    }

    /// Adds a log to be created, with its first events.
    #[must_use]
    pub fn create<E: Event>(
        self,
        log_id: impl IntoLogId,
        events: impl IntoIterator<Item = E>,
    ) -> Self {
        self.and(log_id.into_log_id(), Expected::NewLog, events)
    }

    /// Requires that a log still ends at this state, without writing to it: otherwise nothing is written, and the error is a
    /// [conflict](AppendError::Conflict) about that log.
    ///
    /// The state of the log cannot change between the check and the commit. On PostgreSQL, an append of another process to that
    /// log waits for the commit of this write, and so does another write that requires the log.
    #[must_use]
    pub fn require<E: Event>(mut self, state: impl IntoLogState<E>) -> Self {
        let position = state.into_log_state().position();
        let expected = Expected::After(position);
        let part = AppendPart::requirement::<E>(position.log_id(), expected);
        self.parts.push(part);
        self
    }

    /// Requires that a log does not exist, without creating it: otherwise nothing is written, and the error is a
    /// [conflict](AppendError::Conflict) about that log, at index 0.
    ///
    /// As with [`require`](Appends::require), nobody can create the log between the check and the commit.
    #[must_use]
    pub fn require_absent<E: Event>(mut self, log_id: impl IntoLogId) -> Self {
        let part = AppendPart::requirement::<E>(log_id.into_log_id(), Expected::NewLog);
        self.parts.push(part);
        self
    }

    /// Adds a part.
    #[must_use]
    pub(crate) fn with_part(mut self, part: AppendPart) -> Self {
        self.parts.push(part);
        self
    }

    fn and<E: Event>(
        self,
        log_id: LogId,
        expected: Expected,
        events: impl IntoIterator<Item = E>,
    ) -> Self {
        let part = AppendPart::append(log_id, expected, events.into_iter().collect());
        self.with_part(part)
    }

    /// Returns the number of logs, with those that are only required.
    #[must_use]
    pub fn len(&self) -> usize {
        self.parts.len()
    }

    /// Returns `true` if there is no log.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }
}

impl<S: IntoLogState<E>, I: IntoIterator<Item = E>, E: Event> FromIterator<(S, I)> for Appends {
    fn from_iter<T: IntoIterator<Item = (S, I)>>(parts: T) -> Self {
        parts
            .into_iter()
            .fold(Self::new(), |appends, (state, events)| {
                appends.append(state, events)
            })
    }
}

impl<S: IntoLogState<E>, I: IntoIterator<Item = E>, E: Event, const N: usize> From<[(S, I); N]>
    for Appends
{
    fn from(parts: [(S, I); N]) -> Self {
        parts.into_iter().collect()
    }
}

impl<S: IntoLogState<E>, I: IntoIterator<Item = E>, E: Event> From<Vec<(S, I)>> for Appends {
    fn from(parts: Vec<(S, I)>) -> Self {
        parts.into_iter().collect()
    }
}

/// The events for one of several logs, or a requirement: a log that must not have moved.
pub struct AppendPart {
    /// The log.
    log_id: LogId,
    /// Where the caller expects the log to end.
    expected: Expected,
    /// One id per event. The ids stay the same when the request is sent again.
    event_ids: Vec<EventId>,
    /// Whether the log is only required to end there.
    is_requirement: bool,
    /// The events, with their type erased because it differs from part to part.
    events: Box<dyn PartEvents>,
}

impl AppendPart {
    /// Makes the part of a log. Without events it is a requirement.
    #[must_use]
    pub fn new<E: Event>(log_id: LogId, expected: Expected, events: Vec<E>) -> Self {
        if events.is_empty() {
            Self::requirement::<E>(log_id, expected)
        } else {
            Self::append(log_id, expected, events)
        }
    }

    /// Makes a part that must have events.
    fn append<E: Event>(log_id: LogId, expected: Expected, events: Vec<E>) -> Self {
        Self {
            log_id,
            expected,
            event_ids: events.iter().map(|_| EventId::new()).collect(),
            is_requirement: false,
            events: Box::new(TypedEvents {
                events,
                observer: None,
            }),
        }
    }

    fn requirement<E: Event>(log_id: LogId, expected: Expected) -> Self {
        Self {
            is_requirement: true,
            ..Self::append::<E>(log_id, expected, Vec::new())
        }
    }

    /// Sets the observer to notify when the write is queued and when it is settled. It has no effect if the events are not of
    /// type `E`.
    #[must_use]
    pub fn observe<E: Event>(mut self, observer: Arc<dyn AppendObserver<E>>) -> Self {
        let events: &mut dyn Any = &mut *self.events;
        if let Some(events) = events.downcast_mut::<TypedEvents<E>>() {
            events.observer = Some(observer);
        }
        self
    }

    /// Returns `true` if the part has no events, and only requires that its log has not moved.
    #[must_use]
    pub const fn is_requirement(&self) -> bool {
        self.is_requirement
    }

    /// Returns the id of the log.
    #[must_use]
    pub const fn log_id(&self) -> LogId {
        self.log_id
    }

    /// Returns where the caller expects the log to end.
    #[must_use]
    pub const fn expected(&self) -> Expected {
        self.expected
    }

    /// Returns one id per event.
    #[must_use]
    pub fn event_ids(&self) -> &[EventId] {
        &self.event_ids
    }

    /// Returns the index of the first of the events.
    #[must_use]
    pub const fn first_index(&self) -> u64 {
        self.expected.next_index()
    }

    /// Returns the end of the log after the events are stored. A requirement has none that is different from what it expects.
    #[must_use]
    pub fn state_after(&self) -> LogPosition {
        self.expected.state_after(self.log_id, &self.event_ids)
    }

    /// Returns the kind of the log.
    #[must_use]
    pub fn log_type(&self) -> LogType {
        self.event_enum().log_type
    }

    /// Returns the events if they are of type `E`, for stores that keep plain values of one enum.
    #[must_use]
    pub fn events<E: Event>(&self) -> Option<&[E]> {
        self.events_of()
    }

    /// Returns the events if they are of type `E`. In contrast to [`events`](AppendPart::events), `E` need not be an [`Event`],
    /// because a store in memory accepts other types as well.
    pub(super) fn events_of<E: 'static>(&self) -> Option<&[E]> {
        let events: &dyn Any = &*self.events;
        let events = events.downcast_ref::<TypedEvents<E>>();
        events.map(|events| events.events.as_slice())
    }

    /// Returns the enum of the events.
    pub(super) fn event_enum(&self) -> EventEnum {
        self.events.event_enum()
    }

    /// Encodes the events. Also returns the observer with the decoded events, if there is one.
    pub(super) fn encode(&self, limits: &Limits) -> Result<EncodedPart, AppendError> {
        self.events.encode(&self.event_ids, limits)
    }

    /// Returns the place of the events, for the observer.
    #[cfg_attr(
        not(feature = "_database"),
        allow(dead_code, reason = "only databases queue writes")
    )]
    pub(super) fn place<'a>(&'a self, context: &'a WriteContext<'a>) -> Place<'a> {
        Place {
            log_id: self.log_id,
            first_index: self.first_index(),
            event_ids: &self.event_ids,
            context,
        }
    }
}

impl fmt::Debug for AppendPart {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("AppendPart")
            .field("log_id", &self.log_id)
            .field("expected", &self.expected)
            .field("events", &self.event_ids.len())
            .finish_non_exhaustive()
    }
}

/// The encoded events of a part, and its observer with the decoded events, if there is one.
type EncodedPart = (Vec<EncodedEvent>, Option<Box<dyn Observed>>);

/// The events of a part, with their type erased.
trait PartEvents: Any + Send + Sync {
    /// Returns the enum of the events.
    fn event_enum(&self) -> EventEnum;

    /// Refuses events that are retired.
    fn check_retired(&self) -> Result<(), InvalidAppend>;

    fn encode(&self, ids: &[EventId], limits: &Limits) -> Result<EncodedPart, AppendError>;
}

/// The events of a part, and their observer.
struct TypedEvents<E> {
    events: Vec<E>,
    observer: Option<Arc<dyn AppendObserver<E>>>,
}

impl<E: Event> PartEvents for TypedEvents<E> {
    fn event_enum(&self) -> EventEnum {
        EventEnum::new::<E>()
    }

    fn check_retired(&self) -> Result<(), InvalidAppend> {
        self.events.iter().try_for_each(event::check_retired)
    }

    fn encode(&self, ids: &[EventId], limits: &Limits) -> Result<EncodedPart, AppendError> {
        let mut encoded = Vec::with_capacity(ids.len());
        let mut decoded = Vec::new();
        for (event, id) in self.events.iter().zip(ids) {
            let (event, read_back) = event::encode_event(event, *id, limits)?;
            encoded.push(event);
            if self.observer.is_some() {
                decoded.push(read_back);
            }
        }
        let observed = self.observer.clone().map(|observer| {
            let observed: Box<dyn Observed> = Box::new(ObservedEvents { observer, decoded });
            observed
        });
        Ok((encoded, observed))
    }
}

/// The observer of a part, with the type of the events erased.
#[cfg_attr(
    not(feature = "_database"),
    allow(dead_code, reason = "only databases queue writes")
)]
pub(super) trait Observed: Send {
    /// Notifies the observer that the part is queued.
    fn queued(self: Box<Self>, place: &Place<'_>, guess: DateTime<Utc>) -> Arc<dyn AppendSettled>;
}

/// An observer, and the events that it is notified of.
#[cfg_attr(
    not(feature = "_database"),
    allow(dead_code, reason = "only databases queue writes")
)]
struct ObservedEvents<E> {
    observer: Arc<dyn AppendObserver<E>>,
    decoded: Vec<E>,
}

impl<E: Event> Observed for ObservedEvents<E> {
    fn queued(self: Box<Self>, place: &Place<'_>, guess: DateTime<Utc>) -> Arc<dyn AppendSettled> {
        let Self { observer, decoded } = *self;
        observer.queued(records(place, decoded, guess));
        observer
    }
}

/// A request to append events to several logs, to all of them or to none.
///
/// Some of its parts may be [requirements](AppendPart::is_requirement).
#[derive(Debug)]
#[non_exhaustive]
pub struct AppendAcrossRequest<'a> {
    /// The events, one part per log.
    pub parts: Vec<AppendPart>,
    /// The idempotency key, time, metadata and deadline of the write.
    pub context: WriteContext<'a>,
}

impl AppendAcrossRequest<'_> {
    /// Makes a request for these appends, with a default context.
    #[must_use]
    pub fn new(appends: Appends) -> Self {
        Self {
            parts: appends.parts,
            context: WriteContext::default(),
        }
    }

    /// Returns the parts with events.
    pub(crate) fn written(&self) -> impl Iterator<Item = &AppendPart> {
        self.parts.iter().filter(|part| !part.is_requirement)
    }

    /// Returns the end of each log that the request writes to after the events are stored.
    #[must_use]
    pub fn states_after(&self) -> Vec<LogPosition> {
        self.written().map(AppendPart::state_after).collect()
    }

    /// Checks the rules that are the same for every store, before anything is written.
    ///
    /// # Errors
    /// - [`NoEvents`](InvalidAppend::NoEvents) if there is no log to write to, or a log without events that is not a
    ///   requirement.
    /// - [`LogTwice`](InvalidAppend::LogTwice) if two parts are for the same log.
    /// - [`Retired`](InvalidAppend::Retired) if an event is read, but no longer written.
    /// - [`TooManyEvents`](InvalidAppend::TooManyEvents) if there are more events than the limit.
    /// - [`TooManyLogs`](InvalidAppend::TooManyLogs) if there are more logs than that, with those that are only required.
    /// - [`KeyOfOneLog`](InvalidAppend::KeyOfOneLog) if the scope of the idempotency key is one log.
    /// - Those of [`WriteContext::check`].
    pub fn check(&self, limits: &Limits) -> Result<(), InvalidAppend> {
        let mut logs = HashSet::new();
        let mut events = 0;
        for part in &self.parts {
            if part.event_ids.is_empty() && !part.is_requirement {
                return Err(InvalidAppend::NoEvents);
            }
            if !logs.insert(part.log_id) {
                return Err(InvalidAppend::LogTwice {
                    log_id: part.log_id,
                });
            }
            part.events.check_retired()?;
            events += part.event_ids.len();
        }
        if events == 0 {
            return Err(InvalidAppend::NoEvents);
        }
        let limit = limits.max_events_per_append;
        if events > limit {
            return Err(InvalidAppend::TooManyEvents { events, limit });
        }
        let logs = self.parts.len();
        if logs > limit {
            return Err(InvalidAppend::TooManyLogs { logs, limit });
        }
        match &self.context.idempotency_key {
            Some(key) if key.scope.is_some() => Err(InvalidAppend::KeyOfOneLog),
            _ => self.context.check(),
        }
    }
}
