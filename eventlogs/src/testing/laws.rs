//! Laws that aggregates, events, rows and codecs must obey so that caches and stores treat them correctly, as tests of your own.
//!
//! Each macro makes the tests in one line. It takes an expression for the test data: histories for an aggregate, at least one
//! sample of each variant for events. For a codec the macro generates the values.
//!
//! ```
//! # #[cfg(feature = "macros")]
//! # mod door {
//! use eventlogs::testing::laws::every_sequence;
//! use eventlogs::{Aggregate, Event, event_handler};
//!
//! #[derive(Debug, Clone, PartialEq, Event)]
//! pub enum DoorEvent {
//!     Opened { hours: u64 },
//!     Closed,
//! }
//!
//! #[derive(Debug, Default, Clone, PartialEq, Aggregate)]
//! #[aggregate(event = DoorEvent)]
//! pub struct Door { hours: u64, open: bool }
//!
//! #[event_handler(DoorEvent)]
//! impl Door {
//!     #[on(Opened)]
//!     fn open(&mut self, hours: u64) { self.hours += hours; self.open = true; }
//!     #[on(Closed)]
//!     fn close(&mut self) { self.open = false; }
//! }
//!
//! fn samples() -> Vec<DoorEvent> {
//!     vec![DoorEvent::Opened { hours: 3 }, DoorEvent::Closed]
//! }
//!
//! eventlogs::testing::event_laws!(door_event_laws, DoorEvent, samples());
//! eventlogs::testing::aggregate_laws!(door_laws, Door, every_sequence(samples(), 4));
//! # }
//! # fn main() {}
//! ```
//!
//! [`snapshot_laws!`](crate::testing::snapshot_laws) adds the laws for a cache outside the process,
//! [`projection_laws!`](crate::testing::projection_laws) is for the rows of a projection, and
//! [`codec_laws!`](crate::testing::codec_laws) for a codec of your own. Each law is also a function, which a property test
//! can call with its own histories. It panics if the law is broken.
#![allow(
    clippy::missing_panics_doc,
    clippy::panic,
    reason = "every law is a test, and a broken one panics"
)]

mod aggregate;
mod codec;
mod event;
mod macros;
mod projection;
mod snapshot;

pub use aggregate::{applying_never_panics, cached_and_tail_is_the_full_fold, folds_are_equal};
pub use codec::{codec_brings_back_what_it_was_given, codec_takes_plain_values};
pub use event::{events_survive_their_codec, former_names_are_read, samples_are_complete};
pub use projection::any_pages_give_the_same_rows;
pub use snapshot::{snapshot_and_tail_is_the_full_fold, snapshots_come_back};

use crate::testing::scenario::difference;
use crate::testing::scenario::history::History;
use std::fmt::Debug;

/// Returns every sequence of 1 to `length` of these events, with repetitions: histories for the laws.
///
/// With `n` events there are `n + n² + … + n^length` sequences, so a few events and a length of 3 or 4 are enough.
///
/// ```
/// use eventlogs::testing::laws::every_sequence;
///
/// assert_eq!(
///     every_sequence(['a', 'b'], 2),
///     [vec!['a'], vec!['b'], vec!['a', 'a'], vec!['a', 'b'], vec!['b', 'a'], vec!['b', 'b']],
/// );
/// ```
#[must_use]
pub fn every_sequence<E: Clone>(events: impl IntoIterator<Item = E>, length: usize) -> Vec<Vec<E>> {
    let events: Vec<_> = events.into_iter().collect();
    let mut sequences: Vec<Vec<E>> = Vec::new();
    // The sequences that are one event shorter than the next ones; at first, only the empty one.
    let mut shorter = vec![Vec::new()];
    for _ in 0..length {
        let longer: Vec<_> = shorter
            .iter()
            .flat_map(|sequence: &Vec<E>| {
                events.iter().map(|event| {
                    let mut sequence = sequence.clone();
                    sequence.push(event.clone());
                    sequence
                })
            })
            .collect();
        sequences.append(&mut shorter);
        shorter = longer;
    }
    sequences.append(&mut shorter);
    sequences.retain(|sequence| !sequence.is_empty());
    sequences
}

/// Returns the histories with their records. Without any event, a law would hold whatever the aggregate does.
#[track_caller]
fn histories_of<E>(
    histories: impl IntoIterator<Item = impl IntoIterator<Item = E>>,
) -> Vec<History<E>> {
    let histories: Vec<_> = histories
        .into_iter()
        .map(|events| {
            let mut history = History::default();
            history.push(events);
            history
        })
        .collect();
    assert!(
        histories
            .iter()
            .any(|history| !history.records().is_empty()),
        "no history with an event was given, so the law was not tested; give at least one event"
    );
    histories
}

/// Fails if two states differ. `broken` returns the law that was broken, and where.
#[track_caller]
fn assert_same<T: PartialEq + Debug>(expected: &T, found: &T, broken: impl FnOnce() -> String) {
    assert!(
        expected == found,
        "{}\n{}",
        broken(),
        difference::values(expected, found)
    );
}

/// Formats an error with all its sources.
pub(super) fn with_sources(error: &(dyn std::error::Error + 'static)) -> String {
    std::iter::successors(Some(error), |error| error.source())
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

#[cfg(test)]
mod tests {
    use super::every_sequence;

    #[test]
    fn no_events_and_no_length_make_no_sequence() {
        assert!(every_sequence([0; 0], 3).is_empty());
        assert!(every_sequence([1, 2], 0).is_empty());
        assert_eq!(every_sequence([1, 2, 3], 3).len(), 3 + 9 + 27);
    }
}
