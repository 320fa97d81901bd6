//! An aggregate and its events for the examples of the documentation and for the conformance suites.
//!
//! They are written by hand so that they need no macros.

#[cfg(feature = "json")]
pub(crate) mod stored;

use crate::aggregate::{Aggregate, CodeFingerprint, WholeSnapshot};
use crate::record::EventRecord;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The events of a [`Counter`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CounterEvent {
    /// The counter rose, or fell.
    Added {
        /// By how much.
        amount: i64,
    },
    /// Somebody wrote a text down.
    Noted {
        /// The text.
        text: String,
    },
}

/// Sums up and counts: applying an event twice, or leaving one out, shows.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Counter {
    /// The sum of all amounts.
    pub total: i64,
    /// The number of events.
    pub events: u64,
    /// The texts, in their order.
    pub notes: Vec<String>,
}

impl Aggregate for Counter {
    type Event = CounterEvent;

    fn apply(&mut self, event_record: &impl EventRecord<CounterEvent>) {
        self.events += 1;
        match event_record.event() {
            CounterEvent::Added { amount } => self.total += amount,
            CounterEvent::Noted { text } => self.notes.push(text.clone()),
        }
    }
}

// By hand, because serde's derive comes with the macros only.
impl Serialize for Counter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.total, self.events, &self.notes).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Counter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (total, events, notes) = Deserialize::deserialize(deserializer)?;
        Ok(Self {
            total,
            events,
            notes,
        })
    }
}

impl CodeFingerprint for Counter {
    fn code_fingerprint() -> u64 {
        1
    }
}

impl WholeSnapshot for Counter {}
