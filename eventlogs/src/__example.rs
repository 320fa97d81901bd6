//! An aggregate and its events for the documentation's examples and for the conformance suites.
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
    /// The counter rose or fell.
    Added {
        /// The difference.
        amount: i64,
    },
    /// A text was noted.
    Noted {
        /// The text.
        text: String,
    },
}

/// Sums and counts its events, so that a test notices an event that is applied twice or left out.
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

// Written by hand, because serde's derive comes only with the macros.
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
