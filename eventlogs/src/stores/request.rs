//! An append to one log, and what it did.

use crate::ids::{EventId, LogId};
use crate::log_state::LogPosition;
use crate::record::RecordedEvent;
use crate::stores::error::invalid::InvalidAppend;
use crate::stores::limits::Limits;
use crate::stores::write::WriteContext;
use chrono::{DateTime, Utc};
use std::fmt;
use std::sync::Arc;

/// Events for the end of one log.
#[non_exhaustive]
pub struct AppendRequest<'a, E> {
    /// The log.
    pub log_id: LogId,
    /// Where the caller believes the log to end.
    pub expected: Expected,
    /// The events, at least one.
    pub events: &'a [E],
    /// One id an event. They stay the same when the request is sent again.
    pub event_ids: Vec<EventId>,
    /// What is said of the write besides its events.
    pub context: WriteContext<'a>,
    /// Whether [`Appended::events`] shall hold the events as a later read will return them.
    pub return_events: bool,
    /// Who wants to hear what becomes of the append while it is on its way.
    pub observer: Option<Arc<dyn AppendObserver<E>>>,
}

/// Hears what becomes of an append that waits for its turn in a store.
///
/// A store that writes the appends of a log in the order in which it took them calls it, and with that says: an append which
/// builds on this one may be sent before this one is answered. [`decide`](crate::LogManager::decide) then does so, and a log
/// that many decide on at once commits their decisions together. Other stores leave it alone.
pub trait AppendObserver<E>: AppendSettled {
    /// The append has its place. Called at most once, before the future of the append first waits or while it waits for a
    /// place.
    ///
    /// `events` are those that a later read returns, but for the recorded time, which is not known yet. They are handed over
    /// here in place of [`Appended::events`].
    fn queued(&self, events: Vec<RecordedEvent<E>>);
}

/// Hears the end of an append: the part of [`AppendObserver`] that knows nothing of its events.
pub trait AppendSettled: Send + Sync {
    /// The append was stored at this time; `None`: it was refused, given up, or nobody knows. Called once after
    /// [`queued`](AppendObserver::queued), before the future of the append is woken, in the order of the log, and by the
    /// store's writer: it must not block.
    fn settled(&self, recorded_at: Option<DateTime<Utc>>);
}

impl<'a, E> AppendRequest<'a, E> {
    /// Events for a log that does not exist yet.
    #[must_use]
    pub fn create(log_id: LogId, events: &'a [E]) -> Self {
        Self::new(log_id, Expected::NewLog, events)
    }

    /// Events for the end of a log that was last seen in this state.
    #[must_use]
    pub fn after(state: impl Into<LogPosition>, events: &'a [E]) -> Self {
        let state = state.into();
        Self::new(state.log_id(), Expected::After(state), events)
    }

    fn new(log_id: LogId, expected: Expected, events: &'a [E]) -> Self {
        Self {
            log_id,
            expected,
            events,
            event_ids: events.iter().map(|_| EventId::new()).collect(),
            context: WriteContext::default(),
            return_events: false,
            observer: None,
        }
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

    /// Checks what every store refuses alike, before anything is written.
    ///
    /// # Errors
    /// No events, more or fewer ids than events, more events than the limit, a time that not every store keeps, or a key that
    /// is empty or too long.
    pub fn check(&self, limits: &Limits) -> Result<(), InvalidAppend> {
        if self.events.is_empty() {
            return Err(InvalidAppend::NoEvents);
        }
        if self.events.len() != self.event_ids.len() {
            return Err(InvalidAppend::EventIds {
                events: self.events.len(),
                ids: self.event_ids.len(),
            });
        }
        if self.events.len() > limits.max_events_per_append {
            return Err(InvalidAppend::TooManyEvents {
                events: self.events.len(),
                limit: limits.max_events_per_append,
            });
        }
        self.context.check()
    }
}

impl<E> fmt::Debug for AppendRequest<'_, E> {
    // By hand, because the derive would ask it of the events and of the observer.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("AppendRequest")
            .field("log_id", &self.log_id)
            .field("expected", &self.expected)
            .field("events", &self.events.len())
            .finish_non_exhaustive()
    }
}

/// Where an append expects its log to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// The log does not exist.
    NewLog,
    /// The log ends with the event at this position.
    After(LogPosition),
}

impl Expected {
    /// That the log ends at this position.
    #[must_use]
    pub const fn from_position(position: LogPosition) -> Self {
        Self::After(position)
    }

    /// The index that the next event gets.
    #[must_use]
    pub const fn next_index(self) -> u64 {
        match self {
            Self::NewLog => 0,
            Self::After(position) => position.index().saturating_add(1),
        }
    }

    /// The id of the event that the log must end with; none if any event will do, or if there must be no log.
    #[cfg(feature = "_database")]
    pub(super) const fn predecessor(&self) -> Option<EventId> {
        match self {
            Self::After(position) => position.event_id(),
            Self::NewLog => None,
        }
    }

    /// Where the log ends once events with these ids are stored.
    pub(super) fn state_after(self, log_id: LogId, event_ids: &[EventId]) -> LogPosition {
        let first = self.next_index();
        match event_ids.last() {
            Some(last) => {
                let index = first.saturating_add(event_ids.len() as u64 - 1);
                LogPosition::new(log_id, index, *last)
            }
            // Refused by `check` before anything is stored.
            None => LogPosition::at(log_id, first),
        }
    }
}

/// What an append did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended<E> {
    /// Where the log ends now.
    pub state: LogPosition,
    /// The time that was recorded with the events.
    pub recorded_at: DateTime<Utc>,
    /// The events as a later read will return them, if that was asked for; else empty.
    pub events: Vec<RecordedEvent<E>>,
}
