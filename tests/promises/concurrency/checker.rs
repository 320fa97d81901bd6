//! Compares a history with what is stored.
//!
//! It knows nothing of stores: it is given what every operation was told and when, and all events as they were read in the
//! end. What it finds is wrong in any store, whatever the order in which the operations took effect. An operation whose answer
//! was lost, or whose future was dropped, may have taken effect or not, but only once and whole.

mod answers;
#[cfg(test)]
mod broken;
mod keys;
mod logs;

use super::history::Operation;
use crate::model::domain::TallyEvent;
use eventlogs::ids::LogId;
use eventlogs::{EventRecord, RecordedEvent};
use std::collections::{BTreeMap, HashMap};

/// All events of all logs, as they were read in the end.
pub(super) type Stored = BTreeMap<LogId, Vec<RecordedEvent<TallyEvent>>>;

/// What must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rule {
    /// The indices of a log rise by one from zero.
    Dense,
    /// The recorded time never falls along a log.
    Time,
    /// Nothing is stored twice.
    Once,
    /// What is stored was asked for, on that log.
    Issued,
    /// What ended before something else began comes before it.
    Order,
    /// A place in a log was promised to one operation only.
    Winner,
    /// What was acknowledged is stored where the answer says.
    Kept,
    /// What was refused is not stored.
    Refused,
    /// A write is stored whole or not at all, its events next to each other.
    Whole,
    /// A decision follows the very state that it was made on.
    Basis,
    /// An aggregate that was returned is the fold of its log.
    Fold,
    /// What was returned is not older than what somebody had known before.
    Fresh,
    /// A refusal has a reason.
    Reason,
    /// A key is used once.
    Key,
    /// A replay says what the original wrote.
    Replay,
}

/// Something that must not be.
#[derive(Debug)]
pub(super) struct Violation {
    pub(super) rule: Rule,
    /// What was found, for people.
    pub(super) found: String,
}

/// The history and the logs, and where to find what.
struct Evidence<'a> {
    history: &'a [Operation],
    stored: &'a Stored,
    /// Where each value stands.
    places: HashMap<u64, (LogId, u64)>,
    /// Who wrote each value, or wanted to.
    issuers: HashMap<u64, &'a Operation>,
    violations: Vec<Violation>,
}

/// All that is wrong; nothing, if nothing is.
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

    /// The event of an index.
    fn record(&self, log_id: LogId, index: u64) -> Option<&'a RecordedEvent<TallyEvent>> {
        self.log(log_id).get(usize::try_from(index).ok()?)
    }

    /// Who wrote the event of an index.
    fn issuer(&self, log_id: LogId, index: u64) -> Option<&'a Operation> {
        let value = value_of(self.record(log_id, index)?);
        self.issuers.get(&value).copied()
    }

    /// Whether anything of an operation is stored.
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
