//! A request to append to one log, and its result.

use crate::ids::{EventId, LogId};
use crate::log_state::LogPosition;
use crate::record::RecordedEvent;
use crate::stores::error::invalid::InvalidAppend;
use crate::stores::limits::Limits;
use crate::stores::write::WriteContext;
use chrono::{DateTime, Utc};
use std::fmt;
use std::sync::Arc;

/// A request to append events to one log.
#[non_exhaustive]
pub struct AppendRequest<'a, E> {
    /// The log.
    pub log_id: LogId,
    /// Where the caller expects the log to end.
    pub expected: Expected,
    /// The events, at least one.
    pub events: &'a [E],
    /// One id per event. The ids stay the same when the request is sent again.
    pub event_ids: Vec<EventId>,
    /// The idempotency key, time, metadata and deadline of the write.
    pub context: WriteContext<'a>,
    /// `true` to get the events in [`Appended::events`], as a later read will return them.
    pub return_events: bool,
    /// The observer to notify when the append is queued and when it is settled.
    pub observer: Option<Arc<dyn AppendObserver<E>>>,
}

/// Observes an append that a store has queued.
///
/// Only a store that writes the appends of a log in the order of its queue calls the observer. The call means that an append
/// which builds on this one may be sent before this one is settled. [`decide`](crate::LogManager::decide) then does so, and
/// concurrent decisions on one log are committed together. Other stores do not call the observer.
pub trait AppendObserver<E>: AppendSettled {
    /// The append has its place in the queue. Called at most once, before the future of the append first waits or while it
    /// waits for a place.
    ///
    /// `events` are those that a later read returns, except for the recorded time, which is not known yet. They are passed here
    /// instead of in [`Appended::events`].
    fn queued(&self, events: Vec<RecordedEvent<E>>);
}

/// Observes the end of an append: the part of [`AppendObserver`] that does not depend on the type of the events.
pub trait AppendSettled: Send + Sync {
    /// The append is settled. `recorded_at` is the time at which it was stored, or `None` if it was refused, was given up, or
    /// is in doubt.
    ///
    /// Called once after [`queued`](AppendObserver::queued), before the future of the append is woken, in the order of the log.
    /// The store's writer calls it, so it must not block.
    fn settled(&self, recorded_at: Option<DateTime<Utc>>);
}

impl<'a, E> AppendRequest<'a, E> {
    /// Makes a request to create a log with these events.
    #[must_use]
    pub fn create(log_id: LogId, events: &'a [E]) -> Self {
        Self::new(log_id, Expected::NewLog, events)
    }

    /// Makes a request to append these events after this state of a log.
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

    /// Checks the rules that are the same for every store, before anything is written.
    ///
    /// # Errors
    /// - [`NoEvents`](InvalidAppend::NoEvents) if there are no events.
    /// - [`EventIds`](InvalidAppend::EventIds) if the number of ids differs from the number of events.
    /// - [`TooManyEvents`](InvalidAppend::TooManyEvents) if there are more events than the limit.
    /// - Those of [`WriteContext::check`].
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
    // Written by hand: the derive would require `Debug` of the events and of the observer.
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
    /// Expects that the log ends at this position.
    #[must_use]
    pub const fn from_position(position: LogPosition) -> Self {
        Self::After(position)
    }

    /// Returns the index of the next event.
    #[must_use]
    pub const fn next_index(self) -> u64 {
        match self {
            Self::NewLog => 0,
            Self::After(position) => position.index().saturating_add(1),
        }
    }

    /// Returns the id of the event that the log must end with, or `None` if any event is accepted or the log must not exist.
    #[cfg(feature = "_database")]
    pub(super) const fn predecessor(&self) -> Option<EventId> {
        match self {
            Self::After(position) => position.event_id(),
            Self::NewLog => None,
        }
    }

    /// Returns the end of the log after events with these ids are stored.
    pub(super) fn state_after(self, log_id: LogId, event_ids: &[EventId]) -> LogPosition {
        let first = self.next_index();
        match event_ids.last() {
            Some(last) => {
                let index = first.saturating_add(event_ids.len() as u64 - 1);
                LogPosition::new(log_id, index, *last)
            }
            // `check` refuses a request without events before anything is stored.
            None => LogPosition::at(log_id, first),
        }
    }
}

/// The result of an append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended<E> {
    /// The end of the log after the append.
    pub state: LogPosition,
    /// The time that was recorded with the events.
    pub recorded_at: DateTime<Utc>,
    /// The events as a later read will return them, if [`AppendRequest::return_events`] is `true`; otherwise empty.
    pub events: Vec<RecordedEvent<E>>,
}
