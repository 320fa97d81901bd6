//! The laws of an aggregate.

use super::{assert_same, histories_of};
use crate::aggregate::Aggregate;
use crate::testing::scenario::history::apply_all;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Number of folds per history: enough for results that depend on chance, such as the order of a hash map, to differ.
const FOLDS: usize = 10;

/// Applying is total: an event has already happened, so no aggregate may fail on it, in any state.
///
/// ```
/// # use eventlogs::__example::{Counter, CounterEvent};
/// # use eventlogs::testing::laws;
/// laws::applying_never_panics::<Counter>([[CounterEvent::Added { amount: 2 }]]);
/// ```
#[track_caller]
pub fn applying_never_panics<A: Aggregate>(
    histories: impl IntoIterator<Item = impl IntoIterator<Item = A::Event>>,
) {
    for (number, history) in histories_of(histories).iter().enumerate() {
        let mut applied = 0;
        // The state that the panic left is not read.
        let folded = catch_unwind(AssertUnwindSafe(|| {
            let mut aggregate = A::default();
            for record in history.records() {
                aggregate.apply(record);
                applied += 1;
            }
        }));
        assert!(
            folded.is_ok(),
            "applying event {applied} of history {number} panicked, see above; check before the append whatever can fail"
        );
    }
}

/// Applying is deterministic: the same history always gives the same state.
///
/// ```
/// # use eventlogs::__example::{Counter, CounterEvent};
/// # use eventlogs::testing::laws;
/// laws::folds_are_equal::<Counter>([[CounterEvent::Added { amount: 2 }]]);
/// ```
#[track_caller]
pub fn folds_are_equal<A: Aggregate + PartialEq + Debug>(
    histories: impl IntoIterator<Item = impl IntoIterator<Item = A::Event>>,
) {
    for (number, history) in histories_of(histories).iter().enumerate() {
        let first: A = history.fold();
        for _ in 1..FOLDS {
            assert_same(&first, &history.fold(), || {
                format!(
                    "two folds of history {number} differ; `apply` may depend only on the state and the record, not on \
                     a clock, a random number, a global or the order of a hash map"
                )
            });
        }
    }
}

/// A state cached at any index of a log equals the full fold once the rest of the events is applied. Continuing from a clone
/// leaves the cached state unchanged.
///
/// ```
/// # use eventlogs::__example::{Counter, CounterEvent};
/// # use eventlogs::testing::laws;
/// let two = || CounterEvent::Added { amount: 2 };
/// laws::cached_and_tail_is_the_full_fold::<Counter>([[two(), two()]]);
/// ```
#[track_caller]
pub fn cached_and_tail_is_the_full_fold<A: Aggregate + PartialEq + Debug>(
    histories: impl IntoIterator<Item = impl IntoIterator<Item = A::Event>>,
) {
    for (number, history) in histories_of(histories).iter().enumerate() {
        let full: A = history.fold();
        for split in 0..=history.records().len() {
            let (head, tail) = history.records().split_at(split);
            let mut cached = A::default();
            apply_all(&mut cached, head);
            // Twice, as two callers would: state that the first clone shares with the cache changes the second.
            for caller in ["", "a second time "] {
                let mut continued = cached.clone();
                apply_all(&mut continued, tail);
                assert_same(&full, &continued, || {
                    format!(
                        "history {number}, cached after {split} of its {} events and continued {caller}from a clone, is not \
                         the full fold; a clone must share nothing that changes",
                        head.len() + tail.len()
                    )
                });
            }
            let mut untouched = A::default();
            apply_all(&mut untouched, head);
            assert_same(&untouched, &cached, || {
                format!(
                    "history {number}, cached after {split} of its {} events, changed when a clone of it was continued; a \
                     clone must share nothing that changes",
                    head.len() + tail.len()
                )
            });
        }
    }
}
