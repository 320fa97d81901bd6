//! Where a caller believes a log to end.

use crate::ids::{EventId, LogId};

/// A position in a log that an append builds on: the log, the index of its last event, and that event's id.
///
/// Writes return it, [`Aggregation::state`](crate::Aggregation::state) gives it, and every append takes it. The store
/// compares the id, not only the index, so an append lands only on top of the very event that its caller saw, even
/// if the database was meanwhile restored to an older state and grew a different event at the same index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LogState {
    /// The log.
    log_id: LogId,
    /// The index of the log's last event.
    index: u64,
    /// The id of the event at `index`; `None` compares the index alone.
    event_id: Option<EventId>,
}

impl LogState {
    /// The position at the event `event_id`, which has this index.
    #[must_use]
    pub const fn new(log_id: LogId, index: u64, event_id: EventId) -> Self {
        Self {
            log_id,
            index,
            event_id: Some(event_id),
        }
    }

    /// The position at an index whose event id is not known, as when a client sends back an `If-Match` header.
    ///
    /// An append on top of it still fails if the log has grown; what it cannot notice is that the event at this index
    /// was replaced by a restore of the database.
    ///
    /// ```
    /// use eventlogs::{LogState, ids::LogId};
    ///
    /// let state = LogState::at(LogId::new(), 7);
    /// assert_eq!(state.index(), 7);
    /// assert_eq!(state.event_id(), None);
    /// ```
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

    /// The zero-based index of the last event.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// The id of the last event, if it is known.
    #[must_use]
    pub const fn event_id(&self) -> Option<EventId> {
        self.event_id
    }
}
