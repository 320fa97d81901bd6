//! Laws of an aggregate that is cached outside the process, encoded and decoded as such caches do it.

use super::{assert_same, histories_of};
use crate::aggregate::Aggregate;
use crate::caches::snapshot;
use crate::caches::snapshot::SnapshotError;
use crate::testing::scenario::history::{History, apply_all};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;

/// Every state survives its snapshot unchanged.
///
/// ```
/// # use eventlogs::__example::{Counter, CounterEvent};
/// # use eventlogs::testing::laws;
/// laws::snapshots_come_back::<Counter>([[CounterEvent::Added { amount: 2 }]]);
/// ```
#[track_caller]
pub fn snapshots_come_back<A>(
    histories: impl IntoIterator<Item = impl IntoIterator<Item = A::Event>>,
) where
    A: Aggregate + PartialEq + Debug + Serialize + DeserializeOwned,
{
    for (number, history) in histories_of(histories).iter().enumerate() {
        for split in 0..=history.records().len() {
            let kept: A = state_behind(history, split);
            assert_same(&kept, &restored(&kept), || {
                format!(
                    "history {number}, cached after {split} of its {} events, does not come back from its snapshot as it \
                     was; look for fields that serde skips or reads as something else",
                    history.records().len()
                )
            });
        }
    }
}

/// A state that is read from its snapshot equals the full fold once the rest of the events is applied.
///
/// ```
/// # use eventlogs::__example::{Counter, CounterEvent};
/// # use eventlogs::testing::laws;
/// let two = || CounterEvent::Added { amount: 2 };
/// laws::snapshot_and_tail_is_the_full_fold::<Counter>([[two(), two()]]);
/// ```
#[track_caller]
pub fn snapshot_and_tail_is_the_full_fold<A>(
    histories: impl IntoIterator<Item = impl IntoIterator<Item = A::Event>>,
) where
    A: Aggregate + PartialEq + Debug + Serialize + DeserializeOwned,
{
    for (number, history) in histories_of(histories).iter().enumerate() {
        let full: A = history.fold();
        for split in 0..=history.records().len() {
            let mut continued = restored::<A>(&state_behind(history, split));
            apply_all(&mut continued, &history.records()[split..]);
            assert_same(&full, &continued, || {
                format!(
                    "history {number}, cached after {split} of its {} events and continued from its snapshot, is not the \
                     full fold; look for fields that serde skips or reads as something else",
                    history.records().len()
                )
            });
        }
    }
}

/// Returns the state after the first `events` events of a history.
fn state_behind<A: Aggregate>(history: &History<A::Event>, events: usize) -> A {
    let mut aggregate = A::default();
    apply_all(&mut aggregate, &history.records()[..events]);
    aggregate
}

/// Returns the state as a cache outside the process returns it: encoded and decoded.
#[track_caller]
fn restored<A: Debug + Serialize + DeserializeOwned>(aggregate: &A) -> A {
    let restored = snapshot::take(aggregate, usize::MAX)
        .and_then(|taken| snapshot::restore(&taken.bytes, taken.shape));
    match restored {
        Ok(restored) => restored,
        Err(SnapshotError::NotWritten(problem)) => {
            panic!(
                "a cache outside the process cannot encode this state: {problem}\n{aggregate:#?}"
            )
        }
        Err(SnapshotError::NotRead(problem)) => {
            panic!("this state cannot be read back: {problem}\n{aggregate:#?}")
        }
        Err(error) => {
            panic!("a cache outside the process never keeps this state: {error}\n{aggregate:#?}")
        }
    }
}
