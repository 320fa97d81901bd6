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
/// Logs of one enum need no more than an array or a `Vec` of states and events. Where the enums differ, or a log begins, the
/// parts are added one by one:
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
    /// One a log.
    parts: Vec<AppendPart>,
}

impl Appends {
    /// None yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { parts: Vec::new() }
    }

    /// Adds events behind the state of a log.
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

    /// Adds a log that does not exist yet, with its first events.
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

    /// How many logs there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.parts.len()
    }

    /// Whether there is no log.
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
    /// Where the caller believes the log to end.
    expected: Expected,
    /// One id an event. They stay the same when the request is sent again.
    event_ids: Vec<EventId>,
    /// The events, whose type differs from part to part.
    events: Box<dyn PartEvents>,
}

impl AppendPart {
    /// The log.
    #[must_use]
    pub const fn log_id(&self) -> LogId {
        self.log_id
    }

    /// Where the caller believes the log to end.
    #[must_use]
    pub const fn expected(&self) -> Expected {
        self.expected
    }

    /// One id an event.
    #[must_use]
    pub fn event_ids(&self) -> &[EventId] {
        &self.event_ids
    }

    /// The index that the first of the events gets.
    #[must_use]
    pub const fn first_index(&self) -> u64 {
        self.expected.next_index()
    }

    /// Where the log ends once the events are stored.
    #[must_use]
    pub fn state_after(&self) -> LogPosition {
        self.expected.state_after(self.log_id, &self.event_ids)
    }

    /// The kind of the log.
    #[must_use]
    pub fn log_type(&self) -> LogType {
        self.event_enum().log_type
    }

    /// The events, if they are of this type: for stores that keep one enum as it is.
    #[must_use]
    pub fn events<E: Event>(&self) -> Option<&[E]> {
        self.events_of()
    }

    /// The same without asking more of the type than a store in memory knows.
    pub(super) fn events_of<E: 'static>(&self) -> Option<&[E]> {
        let events: &dyn Any = &*self.events;
        events.downcast_ref::<Vec<E>>().map(Vec::as_slice)
    }

    /// The enum of the events.
    pub(super) fn event_enum(&self) -> EventEnum {
        self.events.event_enum()
    }

    /// The events, encoded.
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

/// The events of a part, whatever their type.
trait PartEvents: Any + Send + Sync {
    /// Their enum.
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

/// Events for the ends of several logs, which happen together or not at all.
#[derive(Debug)]
#[non_exhaustive]
pub struct AppendAcrossRequest<'a> {
    /// The events, one part a log.
    pub parts: Vec<AppendPart>,
    /// What is said of the write besides its events.
    pub context: WriteContext<'a>,
}

impl AppendAcrossRequest<'_> {
    /// All of these appends, or none.
    #[must_use]
    pub fn new(appends: Appends) -> Self {
        Self {
            parts: appends.parts,
            context: WriteContext::default(),
        }
    }

    /// Where each log ends once the events are stored.
    #[must_use]
    pub fn states_after(&self) -> Vec<LogPosition> {
        self.parts.iter().map(AppendPart::state_after).collect()
    }

    /// Checks what every store refuses alike, before anything is written.
    ///
    /// # Errors
    /// No log, a log without events, a log that stands twice, more events than the limit, a time that not every store
    /// keeps, a key that is empty or too long, and one that is to be unique in one log: there are several.
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
