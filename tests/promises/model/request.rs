//! Operations with all their arguments, and their results.

use super::domain::{Tally, TallyEvent, source_of};
use super::plan::Decision;
use chrono::{DateTime, Utc};
use eventlogs::ids::LogId;
use eventlogs::stores::InvalidAppend;
use eventlogs::{IdempotencyScope, LogPosition, Metadata, RequestFingerprint};

/// One operation.
#[derive(Debug, Clone)]
pub(super) struct Request {
    /// Unique per operation; the values of its events and their metadata derive from it.
    pub(super) number: u32,
    /// The number of the manager that is called.
    pub(super) manager: usize,
    /// The call.
    pub(super) action: Action,
}

/// The call of a manager.
#[derive(Debug, Clone)]
pub(super) enum Action {
    Create {
        log_id: LogId,
        key: Option<Key>,
    },
    Append {
        state: LogPosition,
        events: usize,
        key: Option<Key>,
    },
    AppendMany {
        parts: Vec<Part>,
        key: Option<Key>,
    },
    Decide {
        log_id: LogId,
        decision: Decision,
        create_if_missing: bool,
        key: Option<Key>,
    },
    DecideAcross {
        /// Logs, and the number of events that each gets if the decision returns events.
        logs: Vec<(LogId, usize)>,
        decision: Decision,
        create_if_missing: bool,
        key: Option<Key>,
    },
    Reduce {
        log_id: LogId,
    },
    Load {
        log_id: LogId,
        from: u64,
        limit: usize,
    },
    Prune {
        everything: bool,
    },
}

/// One log of several.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) log_id: LogId,
    /// `None` creates it, or requires that it does not exist.
    pub(super) state: Option<LogPosition>,
    /// `None` if the log is only required.
    pub(super) events: Option<usize>,
}

/// An idempotency key.
#[derive(Debug, Clone)]
pub(super) struct Key {
    pub(super) text: String,
    pub(super) scope: IdempotencyScope,
    pub(super) fingerprint: Option<RequestFingerprint>,
}

/// The result of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    Written(Vec<LogPosition>),
    Decided {
        state: LogPosition,
        tally: Tally,
        /// First index, number of events and end of the earlier write.
        replay: Option<(u64, u64, LogPosition)>,
    },
    DecidedAcross(Vec<DecidedLog>),
    /// First index, number of events and end of the parts of the earlier write, in the order of their logs. The states that come
    /// with it were read one after the other, so they need not have been true together.
    ReplayedAcross(Vec<(u64, u64, LogPosition)>),
    Refused(u64),
    Reduced {
        state: LogPosition,
        tally: Tally,
    },
    Loaded(Vec<TallyEvent>),
    Pruned(u64),
    Replay {
        log_id: LogId,
        event_index: u64,
        event_count: u64,
        state: LogPosition,
    },
    Reused {
        log_id: LogId,
        event_index: u64,
    },
    Conflict {
        log_id: LogId,
        event_index: u64,
    },
    Exists(LogId),
    NotFound(LogId),
    Invalid(InvalidAppend),
    /// A result that the model does not know.
    Other(String),
}

/// A log after a decision on several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DecidedLog {
    /// `None` if there is no log.
    pub(super) state: Option<(LogPosition, Tally)>,
    /// First index and number of events that were appended.
    pub(super) written: Option<(u64, u64)>,
}

impl Request {
    /// Returns the events that an append of this operation writes to the log at this place among several.
    pub(super) fn events(&self, place: u64, events: usize, basis: u64) -> Vec<TallyEvent> {
        let first = u64::from(self.number) * 100 + place * 10;
        (first..)
            .take(events)
            .map(|value| TallyEvent::Counted { value, basis })
            .collect()
    }

    /// Returns the events decided on a state, or the state that the decision refuses.
    pub(super) fn decide(&self, decision: Decision, tally: &Tally) -> Result<Vec<TallyEvent>, u64> {
        let basis = tally.order;
        match (decision, basis % 3) {
            (Decision::Events(events), _) => Ok(self.events(0, events, basis)),
            (Decision::Nothing, _) | (Decision::Depends, 1) => Ok(Vec::new()),
            (Decision::Refuse, _) | (Decision::Depends, 2) => Err(basis),
            (Decision::Depends, _) => Ok(self.events(0, 1, basis)),
        }
    }

    /// Returns the events per log decided on several states, or what stands for the states that the decision refuses.
    pub(super) fn decide_across(
        &self,
        decision: Decision,
        logs: &[(LogId, usize)],
        tallies: &[&Tally],
    ) -> Result<Vec<Vec<TallyEvent>>, u64> {
        let orders = tallies.iter().map(|tally| tally.order);
        let basis = orders.fold(0, u64::wrapping_add);
        let lists = || {
            let places = (0..).zip(logs.iter().zip(tallies));
            places.map(|(place, ((_, events), tally))| self.events(place, *events, tally.order))
        };
        match (decision, basis % 3) {
            (Decision::Nothing, _) | (Decision::Depends, 1) => Ok(vec![Vec::new(); logs.len()]),
            (Decision::Refuse, _) | (Decision::Depends, 2) => Err(basis),
            (Decision::Events(_) | Decision::Depends, _) => Ok(lists().collect()),
        }
    }

    /// Returns the metadata that the caller passes.
    pub(super) fn given_metadata(&self) -> Metadata {
        let metadata = Metadata::new().with_correlation_id(self.number.to_string());
        match self.number % 3 {
            0 => Metadata::new(),
            1 => metadata,
            _ => metadata.with("manager", "as the caller says"),
        }
    }

    /// Returns the metadata that is stored in the end.
    pub(super) fn metadata(&self) -> Metadata {
        self.given_metadata().or(source_of(self.manager))
    }

    /// Returns the time at which the events happened.
    pub(super) fn occurred_at(&self) -> Option<DateTime<Utc>> {
        let time = DateTime::from_timestamp(i64::from(self.number), 0);
        time.filter(|_| self.number.is_multiple_of(2))
    }
}
