//! Parked logs: logs with an event that a subscription cannot apply.

use crate::ids::LogId;
use chrono::{DateTime, Utc};

/// A log whose events a subscription passes over, from the one that it could not apply. All other logs go on.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParkedLog {
    /// The name of the subscription.
    pub name: String,
    /// The log.
    pub log_id: LogId,
    /// The index of the event that was not applied. No later event of the log was applied either.
    pub event_index: u64,
    /// The stored name of that event.
    pub event_type: String,
    /// Why it was not applied.
    pub error: String,
    /// How often it was tried.
    pub attempts: u32,
    /// When the log was parked, by the clock of the database.
    pub parked_at: DateTime<Utc>,
    /// What the process that has the lease is to do.
    pub wish: Option<ParkedWish>,
}

/// What is to be done with a parked log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParkedWish {
    /// Apply its events from the parked one.
    Retry,
    /// Apply its events from the one after the parked one.
    Skip {
        /// Who wants it.
        by: String,
    },
}

/// A change of one parked log, in the transaction that moves the checkpoint.
///
/// `at` is the index of the event at which the log is parked before the change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParkedChange<'a> {
    /// Parks the log.
    Park {
        /// The log.
        log_id: LogId,
        /// The event that was not applied.
        event: ParkedEvent<'a>,
        /// How often it was tried.
        attempts: u32,
    },
    /// The events before `to` were applied in this transaction, and those after it will be.
    Advance {
        /// The log.
        log_id: LogId,
        /// Where the log was parked.
        at: u64,
        /// Where it is parked from now on.
        to: u64,
    },
    /// Another attempt has failed: at the same event, or at a later one. The wish is fulfilled.
    Fail {
        /// The log.
        log_id: LogId,
        /// Where the log was parked.
        at: u64,
        /// The event that was not applied.
        event: ParkedEvent<'a>,
    },
    /// Notes that the event is never applied, and wishes a retry with the events after it.
    Skip {
        /// The log.
        log_id: LogId,
        /// Where the log was parked.
        at: u64,
        /// Who wants it.
        by: &'a str,
    },
    /// All events up to the checkpoint were applied: the log is not parked any more.
    Free {
        /// The log.
        log_id: LogId,
        /// Where the log was parked.
        at: u64,
    },
}

/// An event that was not applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParkedEvent<'a> {
    /// Its index.
    pub index: u64,
    /// Its stored name.
    pub event_type: &'a str,
    /// Why it was not applied.
    pub error: &'a str,
}

/// The stored form of a wish.
#[cfg(feature = "_database")]
pub(crate) const RETRY: &str = "retry";
/// The stored form of a wish.
#[cfg(feature = "_database")]
pub(crate) const SKIP: &str = "skip";

impl ParkedWish {
    /// Returns the stored form: what is wished, and by whom.
    #[cfg(feature = "_database")]
    pub(crate) fn stored(&self) -> (&'static str, Option<&str>) {
        match self {
            Self::Retry => (RETRY, None),
            Self::Skip { by } => (SKIP, Some(by)),
        }
    }

    /// Makes a wish of its stored form.
    #[cfg(feature = "_database")]
    pub(crate) fn from_stored(wish: &str, by: Option<String>) -> Self {
        match (wish, by) {
            (SKIP, Some(by)) => Self::Skip { by },
            _ => Self::Retry,
        }
    }
}

impl ParkedChange<'_> {
    /// Returns the log, and where it was parked.
    pub(crate) const fn place(&self) -> (LogId, u64) {
        match *self {
            Self::Park { log_id, event, .. } => (log_id, event.index),
            Self::Advance { log_id, at, .. }
            | Self::Fail { log_id, at, .. }
            | Self::Skip { log_id, at, .. }
            | Self::Free { log_id, at } => (log_id, at),
        }
    }
}
