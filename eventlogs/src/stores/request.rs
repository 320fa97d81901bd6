//! What stores are asked and what they answer.

use super::InvalidAppend;
use crate::ids::{EventId, LogId};
use crate::{LogState, RecordedEvent};
use chrono::{DateTime, Utc};

/// Events for the end of one log.
#[derive(Debug)]
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
    /// Makes the append happen only once.
    pub idempotency_key: Option<&'a str>,
    /// When the events happened, if the caller says so.
    pub occurred_at: Option<DateTime<Utc>>,
    /// The kind of the log, stored with its first event.
    pub log_type: Option<&'a str>,
    /// Whether [`Appended::events`] shall hold the events as a later read will return them.
    pub return_events: bool,
}

impl<'a, E> AppendRequest<'a, E> {
    /// Events for a log that does not exist yet.
    #[must_use]
    pub fn create(log_id: LogId, events: &'a [E]) -> Self {
        Self::new(log_id, Expected::NewLog, events)
    }

    /// Events for the end of a log that was last seen in this state.
    #[must_use]
    pub fn after(state: LogState, events: &'a [E]) -> Self {
        Self::new(
            state.log_id(),
            Expected::After {
                index: state.index(),
                event_id: state.event_id(),
            },
            events,
        )
    }

    fn new(log_id: LogId, expected: Expected, events: &'a [E]) -> Self {
        Self {
            log_id,
            expected,
            events,
            event_ids: events.iter().map(|_| EventId::new()).collect(),
            idempotency_key: None,
            occurred_at: None,
            log_type: None,
            return_events: false,
        }
    }

    /// The index that the first of the events gets.
    #[must_use]
    pub const fn first_index(&self) -> u64 {
        match self.expected {
            Expected::NewLog => 0,
            Expected::After { index, .. } => index.saturating_add(1),
        }
    }

    /// Where the log ends once the events are stored.
    #[must_use]
    pub fn state_after(&self) -> LogState {
        match self.event_ids.last() {
            Some(last) => LogState::new(
                self.log_id,
                self.first_index()
                    .saturating_add(self.event_ids.len() as u64 - 1),
                *last,
            ),
            // Refused by `check` before anything is stored.
            None => LogState::at(self.log_id, self.first_index()),
        }
    }

    /// What another request with the same idempotency key is told once the events are stored.
    #[must_use]
    pub fn replay(&self, recorded_at: DateTime<Utc>) -> Replay {
        Replay {
            first_index: self.first_index(),
            event_count: self.event_ids.len() as u64,
            state: self.state_after(),
            recorded_at,
        }
    }

    /// Checks what every store refuses alike, before anything is written.
    ///
    /// # Errors
    /// No events, more events than the limit, or a key that is empty or too long.
    pub fn check(&self, limits: &Limits) -> Result<(), InvalidAppend> {
        if self.events.is_empty() {
            return Err(InvalidAppend::NoEvents);
        }
        if self.events.len() > limits.max_events_per_append {
            return Err(InvalidAppend::TooManyEvents {
                events: self.events.len(),
                limit: limits.max_events_per_append,
            });
        }
        match self.idempotency_key {
            Some(key) if key.is_empty() || key.len() > Limits::MAX_KEY_BYTES => {
                Err(InvalidAppend::IdempotencyKey { bytes: key.len() })
            }
            _ => Ok(()),
        }
    }
}

/// Where an append expects its log to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// The log does not exist.
    NewLog,
    /// The log ends with this event.
    After {
        /// The index of the event.
        index: u64,
        /// Its id, if the caller knows it.
        event_id: Option<EventId>,
    },
}

/// What an append did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended<E> {
    /// Where the log ends now.
    pub state: LogState,
    /// The time that was recorded with the events.
    pub recorded_at: DateTime<Utc>,
    /// The events as a later read will return them, if that was asked for; else empty.
    pub events: Vec<RecordedEvent<E>>,
}

/// The earlier write that used an idempotency key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replay {
    /// The index of its first event.
    pub first_index: u64,
    /// How many events it wrote.
    pub event_count: u64,
    /// Where its log ended right after it.
    pub state: LogState,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
}

/// One page of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReadRequest {
    /// The log.
    pub log_id: LogId,
    /// The first event of the page.
    pub start: ReadStart,
    /// The greatest number of events in the page.
    pub limit: usize,
}

impl ReadRequest {
    /// At most `limit` events from `start` on.
    #[must_use]
    pub const fn new(log_id: LogId, start: ReadStart, limit: usize) -> Self {
        Self {
            log_id,
            start,
            limit,
        }
    }
}

/// Where a page starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadStart {
    /// At this index.
    Index(u64),
    /// Behind this state, whose event must still be there: else the read fails with
    /// [`ReadError::HistoryChanged`](super::ReadError::HistoryChanged).
    After(LogState),
}

/// The events of one read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<E> {
    /// The events, in order.
    pub records: Vec<RecordedEvent<E>>,
    /// Whether the log goes on behind them. A store may end a page early to keep its memory bounded.
    pub more: bool,
}

/// The bounds that keep one caller from hurting the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The greatest encoded size of one event's payload, in bytes; 16 MiB by default.
    pub max_payload_bytes: usize,
    /// The greatest number of events in one append; 1,000 by default.
    pub max_events_per_append: usize,
}

impl Limits {
    /// The greatest length of an idempotency key, in bytes.
    pub const MAX_KEY_BYTES: usize = 512;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_payload_bytes: 16 * 1024 * 1024,
            max_events_per_append: 1_000,
        }
    }
}
