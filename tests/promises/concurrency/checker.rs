//! Compares a history with what is stored.
//!
//! It knows nothing about stores: its input is every operation's outcome and times, and all events as they were read in the
//! end. Each violation is an error in any store, whatever the order in which the operations took effect. An operation whose
//! result was lost, or whose future was dropped, may have taken effect or not, but only once and as a whole.

mod answers;
#[cfg(test)]
mod broken;
mod keys;
mod logs;
mod order;

use super::history::Operation;
use crate::model::domain::TallyEvent;
use eventlogs::ids::LogId;
use eventlogs::{EventRecord, RecordedEvent};
use std::collections::{BTreeMap, HashMap};

/// All events of all logs, as they were read in the end.
pub(super) type Stored = BTreeMap<LogId, Vec<RecordedEvent<TallyEvent>>>;

/// The rules that must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rule {
    /// The indices of a log rise by one from zero.
    Dense,
    /// The recorded time never falls along a log.
    Time,
    /// Nothing is stored twice.
    Once,
    /// A stored event was issued by an operation, for that log.
    Issued,
    /// There is an order of all operations in which each takes effect at one moment between its begin and its end, and which
    /// explains what they wrote, found and returned.
    Order,
    /// Only one operation got an acknowledgement for a position in a log.
    Winner,
    /// An acknowledged event is stored at the position that was returned.
    Kept,
    /// A refused event is not stored.
    Refused,
    /// A write is stored as a whole or not at all, with adjacent events.
    Whole,
    /// A decision follows exactly the state that it was made on.
    Basis,
    /// An aggregate that was returned is the fold of its log.
    Fold,
    /// A log that an operation looked at had the events that were found.
    Found,
    /// A refusal has a reason.
    Reason,
    /// A key is used once.
    Key,
    /// A replay returns what the original wrote.
    Replay,
}

/// A broken rule.
#[derive(Debug)]
pub(super) struct Violation {
    pub(super) rule: Rule,
    /// The finding, as text.
    pub(super) found: String,
}

/// The history and the logs, with indices.
struct Evidence<'a> {
    history: &'a [Operation],
    stored: &'a Stored,
    /// The position of each value.
    places: HashMap<u64, (LogId, u64)>,
    /// The operation that wrote each value, or was to write it.
    issuers: HashMap<u64, &'a Operation>,
    violations: Vec<Violation>,
}

/// Returns all violations; empty if there are none.
pub(super) fn check(history: &[Operation], stored: &Stored) -> Vec<Violation> {
    let records = stored.iter().flat_map(|(log_id, records)| {
        let places = records.iter().zip(0..);
        places.map(|(record, place)| (value_of(record), (*log_id, place)))
    });
    let issued = history.iter();
    let mut evidence = Evidence {
        history,
        stored,
        places: records.collect(),
        issuers: issued
            .flat_map(|operation| operation.values().map(move |value| (value, operation)))
            .collect(),
        violations: Vec::new(),
    };
    logs::check(&mut evidence);
    answers::check(&mut evidence);
    keys::check(&mut evidence);
    order::check(&mut evidence);
    evidence.violations
}

impl<'a> Evidence<'a> {
    fn unless(&mut self, holds: bool, rule: Rule, found: impl FnOnce() -> String) {
        if !holds {
            let found = found();
            self.violations.push(Violation { rule, found });
        }
    }

    fn log(&self, log_id: LogId) -> &'a [RecordedEvent<TallyEvent>] {
        self.stored.get(&log_id).map_or(&[], Vec::as_slice)
    }

    /// Returns the event at an index.
    fn record(&self, log_id: LogId, index: u64) -> Option<&'a RecordedEvent<TallyEvent>> {
        self.log(log_id).get(usize::try_from(index).ok()?)
    }

    /// Returns the events of a log up to this number.
    fn first(&self, log_id: LogId, events: u64) -> &'a [RecordedEvent<TallyEvent>] {
        let events = usize::try_from(events).unwrap_or(usize::MAX);
        self.log(log_id).get(..events).unwrap_or_default()
    }

    /// Returns `true` if any event of an operation is stored.
    fn took_effect(&self, operation: &Operation) -> bool {
        operation
            .values()
            .any(|value| self.places.contains_key(&value))
    }
}

fn value_of(record: &RecordedEvent<TallyEvent>) -> u64 {
    let TallyEvent::Counted { value, .. } = record.event();
    *value
}
