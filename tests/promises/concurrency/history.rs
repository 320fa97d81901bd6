//! The history: when operations began and ended, what they were to write, and what they returned.

use crate::model::domain::Tally;
use eventlogs::LogPosition;
use eventlogs::ids::LogId;
use eventlogs::stores::Replay;
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
    /// The logs that it required, or those that a decision was made on as its closure saw them last. If it took effect, or if a
    /// decision wrote nothing, all of them were like this at one moment.
    pub(super) looks: Vec<Look>,
    pub(super) outcome: Outcome,
    /// The aggregations that were returned, at most one per log.
    pub(super) seen: Vec<(LogPosition, Tally)>,
}

/// Events for one log.
#[derive(Debug, Clone)]
pub(super) struct Want {
    pub(super) log_id: LogId,
    pub(super) ground: Ground,
    /// Unique among the events of a history.
    pub(super) values: Vec<u64>,
}

/// A log at the moment at which an operation took effect, or was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) log_id: LogId,
    pub(super) found: Found,
}

/// What was found in a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// No events.
    Nothing,
    /// Events up to this one.
    Events(LogPosition),
    /// Events with this tally, whose times of recording may be guesses.
    Tally(Tally),
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
    Replayed(Earlier),
    /// The key was used before, and all parts of that write were returned.
    ReplayedAll(Vec<Earlier>),
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

/// What an earlier write with the same key has appended to a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Earlier {
    pub(super) first_index: u64,
    pub(super) event_count: u64,
    pub(super) state: LogPosition,
}

impl From<Replay> for Earlier {
    fn from(replay: Replay) -> Self {
        Self {
            first_index: replay.first_index,
            event_count: replay.event_count,
            state: replay.state,
        }
    }
}

impl Look {
    /// Returns the number of events that were found.
    pub(super) fn events(&self) -> u64 {
        match &self.found {
            Found::Nothing => 0,
            Found::Events(end) => end.index() + 1,
            Found::Tally(tally) => tally.events,
        }
    }
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

    /// Returns where a log must end for it to take effect.
    pub(super) fn ground(&self, log_id: LogId) -> Option<Ground> {
        if let Some(want) = self.want(log_id) {
            return Some(want.ground);
        }
        let look = self.looks.iter().find(|look| look.log_id == log_id)?;
        Some(match look.found {
            Found::Nothing => Ground::New,
            Found::Events(end) => Ground::After(end),
            Found::Tally(_) => Ground::Decided,
        })
    }

    /// Returns all values that it writes if it writes anything.
    pub(super) fn values(&self) -> impl Iterator<Item = u64> {
        self.wants.iter().flat_map(|want| want.values.clone())
    }
}
