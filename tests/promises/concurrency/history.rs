//! The history: when operations began and ended, what they were to write, and what they returned.

use crate::model::domain::Tally;
use eventlogs::LogPosition;
use eventlogs::ids::LogId;
use std::sync::atomic::{AtomicU64, Ordering};

/// A logical clock that orders the events of all tasks.
#[derive(Debug, Default)]
pub(super) struct Clock(AtomicU64);

impl Clock {
    /// Returns a time later than all that were returned before.
    pub(super) fn tick(&self) -> u64 {
        self.0.fetch_add(1, Ordering::SeqCst)
    }
}

/// One call.
#[derive(Debug, Clone)]
pub(super) struct Operation {
    pub(super) invoked: u64,
    /// `None` if its future was dropped before the end.
    pub(super) returned: Option<u64>,
    /// With the log of its scope, unless the key is unique among all logs.
    pub(super) key: Option<(Option<LogId>, String)>,
    /// The events that it writes if it writes anything, one entry per log.
    pub(super) wants: Vec<Want>,
    /// The logs that must not have moved if it writes anything.
    pub(super) needs: Vec<Need>,
    pub(super) outcome: Outcome,
    /// The aggregation that was returned.
    pub(super) seen: Option<(LogPosition, Tally)>,
}

/// Events for one log.
#[derive(Debug, Clone)]
pub(super) struct Want {
    pub(super) log_id: LogId,
    pub(super) ground: Ground,
    /// Unique among the events of a history.
    pub(super) values: Vec<u64>,
}

/// A log that must not have moved.
#[derive(Debug, Clone, Copy)]
pub(super) struct Need {
    pub(super) log_id: LogId,
    /// Where it must end; `New` if it must not exist.
    pub(super) ground: Ground,
}

/// The position after which events are to be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ground {
    /// At the start of the log, which they create.
    New,
    /// After the event that the log was seen to end with.
    After(LogPosition),
    /// After the state that they were decided on.
    Decided,
}

/// The outcome of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The events are stored, and the logs end like this.
    Written(Vec<LogPosition>),
    /// The operation was to write nothing.
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
    /// The store did not write the events, for this reason.
    Failed(String),
    /// The outcome is unknown.
    Unknown,
}

impl Operation {
    /// Returns the end of an operation that cannot take effect any more.
    pub(super) fn ended(&self) -> Option<u64> {
        self.returned.filter(|_| self.outcome != Outcome::Unknown)
    }

    /// Returns the events that it writes to a log.
    pub(super) fn want(&self, log_id: LogId) -> Option<&Want> {
        self.wants.iter().find(|want| want.log_id == log_id)
    }

    /// Returns where it expects a log to end that it writes to or requires.
    pub(super) fn ground(&self, log_id: LogId) -> Option<Ground> {
        let need = self.needs.iter().find(|need| need.log_id == log_id);
        let need = need.map(|need| need.ground);
        self.want(log_id).map(|want| want.ground).or(need)
    }

    /// Returns all values that it writes if it writes anything.
    pub(super) fn values(&self) -> impl Iterator<Item = u64> {
        self.wants.iter().flat_map(|want| want.values.clone())
    }
}
