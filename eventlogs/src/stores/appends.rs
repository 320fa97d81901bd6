//! Appends to several logs that happen together or not at all.

use crate::event::{Event, LogType};
use crate::ids::{EventId, LogId};
use crate::log_state::{LogPosition, LogState};
use crate::stores::encoding::event;
use crate::stores::encoding::event::EncodedEvent;
use crate::stores::encoding::event_enum::EventEnum;
use crate::stores::error::AppendError;
use crate::stores::error::invalid::InvalidAppend;
use crate::stores::limits::Limits;
use crate::stores::request::Expected;
use crate::stores::write::WriteContext;
use std::any::Any;
use std::collections::HashSet;
use std::fmt;

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
        state: impl Into<LogState<E>>,
        events: impl IntoIterator<Item = E>,
    ) -> Self {
        let position = state.into().position();
        let expected = Expected::After(position);
        self.and(position.log_id(), expected, events)
    }

    /// Adds a log to be created, with its first events.
    #[must_use]
    pub fn create<E: Event>(
        self,
        log_id: impl Into<LogId>,
        events: impl IntoIterator<Item = E>,
    ) -> Self {
        self.and(log_id.into(), Expected::NewLog, events)
    }

    fn and<E: Event>(
        mut self,
        log_id: LogId,
        expected: Expected,
        events: impl IntoIterator<Item = E>,
    ) -> Self {
        let events: Vec<E> = events.into_iter().collect();
        self.parts.push(AppendPart {
            log_id,
            expected,
            event_ids: events.iter().map(|_| EventId::new()).collect(),
            events: Box::new(events),
        });
        self
    }

    /// Returns the number of logs.
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

impl<S: Into<LogState<E>>, I: IntoIterator<Item = E>, E: Event> FromIterator<(S, I)> for Appends {
    fn from_iter<T: IntoIterator<Item = (S, I)>>(parts: T) -> Self {
        parts
            .into_iter()
            .fold(Self::new(), |appends, (state, events)| {
                appends.append(state, events)
            })
    }
}

impl<S: Into<LogState<E>>, I: IntoIterator<Item = E>, E: Event, const N: usize> From<[(S, I); N]>
    for Appends
{
    fn from(parts: [(S, I); N]) -> Self {
        parts.into_iter().collect()
    }
}

impl<S: Into<LogState<E>>, I: IntoIterator<Item = E>, E: Event> From<Vec<(S, I)>> for Appends {
    fn from(parts: Vec<(S, I)>) -> Self {
        parts.into_iter().collect()
    }
}

/// The events for one of several logs.
pub struct AppendPart {
    /// The log.
    log_id: LogId,
    /// Where the caller expects the log to end.
    expected: Expected,
    /// One id per event. The ids stay the same when the request is sent again.
    event_ids: Vec<EventId>,
    /// The events, with their type erased because it differs from part to part.
    events: Box<dyn PartEvents>,
}

impl AppendPart {
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

    /// Returns the end of the log after the events are stored.
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
        events.downcast_ref::<Vec<E>>().map(Vec::as_slice)
    }

    /// Returns the enum of the events.
    pub(super) fn event_enum(&self) -> EventEnum {
        self.events.event_enum()
    }

    /// Encodes the events.
    pub(super) fn encode(&self, limits: &Limits) -> Result<Vec<EncodedEvent>, AppendError> {
        self.events.encode(&self.event_ids, limits)
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

/// The events of a part, with their type erased.
trait PartEvents: Any + Send + Sync {
    /// Returns the enum of the events.
    fn event_enum(&self) -> EventEnum;

    fn encode(&self, ids: &[EventId], limits: &Limits) -> Result<Vec<EncodedEvent>, AppendError>;
}

impl<E: Event> PartEvents for Vec<E> {
    fn event_enum(&self) -> EventEnum {
        EventEnum::new::<E>()
    }

    fn encode(&self, ids: &[EventId], limits: &Limits) -> Result<Vec<EncodedEvent>, AppendError> {
        let events = self.iter().zip(ids);
        events
            .map(|(event, id)| Ok(event::encode_event(event, *id, limits)?.0))
            .collect()
    }
}

/// A request to append events to several logs, to all of them or to none.
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

    /// Returns the end of each log after the events are stored.
    #[must_use]
    pub fn states_after(&self) -> Vec<LogPosition> {
        self.parts.iter().map(AppendPart::state_after).collect()
    }

    /// Checks the rules that are the same for every store, before anything is written.
    ///
    /// # Errors
    /// - [`NoEvents`](InvalidAppend::NoEvents) if there is no log, or a log without events.
    /// - [`LogTwice`](InvalidAppend::LogTwice) if two parts are for the same log.
    /// - [`TooManyEvents`](InvalidAppend::TooManyEvents) if there are more events than the limit.
    /// - [`KeyOfOneLog`](InvalidAppend::KeyOfOneLog) if the scope of the idempotency key is one log.
    /// - Those of [`WriteContext::check`].
    pub fn check(&self, limits: &Limits) -> Result<(), InvalidAppend> {
        let mut logs = HashSet::new();
        let mut events = 0;
        for part in &self.parts {
            if part.event_ids.is_empty() {
                return Err(InvalidAppend::NoEvents);
            }
            if !logs.insert(part.log_id) {
                return Err(InvalidAppend::LogTwice {
                    log_id: part.log_id,
                });
            }
            events += part.event_ids.len();
        }
        if self.parts.is_empty() {
            return Err(InvalidAppend::NoEvents);
        }
        if events > limits.max_events_per_append {
            return Err(InvalidAppend::TooManyEvents {
                events,
                limit: limits.max_events_per_append,
            });
        }
        match &self.context.idempotency_key {
            Some(key) if key.scope.is_some() => Err(InvalidAppend::KeyOfOneLog),
            _ => self.context.check(),
        }
    }
}
