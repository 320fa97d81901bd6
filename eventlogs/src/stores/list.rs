//! A request for a page of a list of logs, and the page.

pub(crate) mod cursor;
mod kinds;

pub use cursor::{
    ListCursor, ListOrder, ListStart, OtherListOrder, SeenChanges, UnknownListCursor,
};

use crate::ids::LogId;
use crate::log_state::{LogPosition, LogState};
use chrono::{DateTime, Utc};
use std::fmt;

/// A request to list the logs of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListRequest {
    /// The order, and where the page starts.
    pub start: ListStart,
    /// The largest number of logs in the page, at least 1.
    pub limit: usize,
}

impl ListRequest {
    /// The largest number of logs that one page in the order of the ids looks at, of whatever kind.
    pub const MOST_LOGS: usize = 1_000;
    /// The largest number of events that one page in the order of the newest changes looks at, of whatever log.
    pub const MOST_CHANGES: usize = 5_000;

    /// Makes a request for at most `limit` logs. A limit of 0 counts as 1.
    #[must_use]
    pub fn new(start: ListStart, limit: usize) -> Self {
        Self {
            start,
            limit: limit.max(1),
        }
    }
}

/// A page of a list of logs.
pub struct LogList<E> {
    /// The logs, in the order of the list.
    pub logs: Vec<ListedLog<E>>,
    /// Where the next page starts; `None` if this page was the last one.
    pub next: Option<ListCursor>,
    /// How far this page has looked: the number of logs, of whatever kind, in the order of the ids; the number of events, of
    /// whatever log, in the order of the newest changes.
    pub looked_at: usize,
}

/// A log of a list.
#[non_exhaustive]
pub struct ListedLog<E> {
    /// The log.
    pub log_id: LogId,
    /// The time at which its last event was recorded, by the store's clock.
    pub changed_at: DateTime<Utc>,
    /// Its last event.
    state: LogState<E>,
}

impl<E> ListedLog<E> {
    /// Makes an entry of a list: the position of the log's last event, and the time at which that event was recorded.
    #[must_use]
    pub const fn new(position: LogPosition, changed_at: DateTime<Utc>) -> Self {
        Self {
            log_id: position.log_id(),
            changed_at,
            state: LogState::from_position(position),
        }
    }

    /// The state of the log: the index and the id of its last event. An append after it succeeds if the log has not changed
    /// since.
    #[must_use]
    pub const fn state(&self) -> LogState<E> {
        self.state
    }
}

// Written by hand: derived impls would demand the same traits of the events.

/// The page of a list without any logs.
impl<E> Default for LogList<E> {
    fn default() -> Self {
        Self {
            logs: Vec::new(),
            next: None,
            looked_at: 0,
        }
    }
}

impl<E> fmt::Debug for LogList<E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("LogList")
            .field("logs", &self.logs)
            .field("next", &self.next)
            .field("looked_at", &self.looked_at)
            .finish()
    }
}

impl<E> Clone for LogList<E> {
    fn clone(&self) -> Self {
        Self {
            logs: self.logs.clone(),
            next: self.next.clone(),
            looked_at: self.looked_at,
        }
    }
}

impl<E> PartialEq for LogList<E> {
    fn eq(&self, other: &Self) -> bool {
        self.logs == other.logs && self.next == other.next && self.looked_at == other.looked_at
    }
}

impl<E> Eq for LogList<E> {}

impl<E> fmt::Debug for ListedLog<E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ListedLog")
            .field("log_id", &self.log_id)
            .field("changed_at", &self.changed_at)
            .field("state", &self.state)
            .finish()
    }
}

impl<E> Clone for ListedLog<E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E> Copy for ListedLog<E> {}

impl<E> PartialEq for ListedLog<E> {
    fn eq(&self, other: &Self) -> bool {
        self.state == other.state && self.changed_at == other.changed_at
    }
}

impl<E> Eq for ListedLog<E> {}
