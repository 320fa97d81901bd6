//! What happened: when operations began and ended, what they wanted, and what they were told.

use crate::model::domain::Tally;
use eventlogs::LogPosition;
use eventlogs::ids::LogId;
use std::sync::atomic::{AtomicU64, Ordering};

/// Orders what happens in all tasks.
#[derive(Debug, Default)]
pub(super) struct Clock(AtomicU64);

impl Clock {
    /// A later time than all that were told before.
    pub(super) fn tick(&self) -> u64 {
        self.0.fetch_add(1, Ordering::SeqCst)
    }
}

/// One call.
#[derive(Debug, Clone)]
pub(super) struct Operation {
    pub(super) invoked: u64,
    /// `None` if its future was dropped half-way.
    pub(super) returned: Option<u64>,
    /// With the log that it is unique in, if it is not so among all.
    pub(super) key: Option<(Option<LogId>, String)>,
    /// What it writes if it writes anything, one entry a log.
    pub(super) wants: Vec<Want>,
    pub(super) outcome: Outcome,
    /// The aggregation that was returned.
    pub(super) seen: Option<(LogPosition, Tally)>,
}

/// Events for one log.
#[derive(Debug, Clone)]
pub(super) struct Want {
    pub(super) log_id: LogId,
    pub(super) ground: Ground,
    /// No two events of a history have the same value.
    pub(super) values: Vec<u64>,
}

/// What events are to follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ground {
    /// Nothing: they begin the log.
    New,
    /// The event that the log was seen to end with.
    After(LogPosition),
    /// Whatever they were decided on.
    Decided,
}

/// What an operation was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The events are stored, and the logs end like this.
    Written(Vec<LogPosition>),
    /// Nothing was to be written.
    Nothing,
    /// The key was used before.
    Replayed {
        first_index: u64,
        event_count: u64,
        state: LogPosition,
    },
    /// The key was used for something else.
    Reused { log_id: LogId, event_index: u64 },
    /// The log does not end as expected.
    Conflict(LogId),
    /// The log exists.
    Exists(LogId),
    /// The log does not exist.
    NotFound(LogId),
    /// The store could not write it, and did not, for this reason.
    Failed(String),
    /// Nobody knows.
    Unknown,
}

impl Operation {
    /// Whether it is over for good: nothing of it happens any more.
    pub(super) fn ended(&self) -> Option<u64> {
        self.returned.filter(|_| self.outcome != Outcome::Unknown)
    }

    /// What it wants of a log.
    pub(super) fn want(&self, log_id: LogId) -> Option<&Want> {
        self.wants.iter().find(|want| want.log_id == log_id)
    }

    /// All values that it writes if it writes anything.
    pub(super) fn values(&self) -> impl Iterator<Item = u64> {
        self.wants.iter().flat_map(|want| want.values.clone())
    }
}
