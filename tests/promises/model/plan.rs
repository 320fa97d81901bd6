//! The operations of a test, chosen at random and shrunk when the test fails.
//!
//! A plan refers to logs and states by their role ("the second log, as it was some steps ago"), so it stays meaningful when
//! earlier plans are left out.

use proptest::prelude::*;
use proptest::sample::Index;
use std::ops::Range;

/// The number of logs.
pub(super) const LOGS: usize = 4;
/// The number of managers.
pub(super) const MANAGERS: usize = 3;

/// One operation.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    /// The number of the manager that is called.
    pub(super) manager: usize,
    /// The call.
    pub(super) action: PlannedAction,
}

/// The call of a manager. Logs are numbered.
#[derive(Debug, Clone)]
pub(super) enum PlannedAction {
    Create {
        log: usize,
        key: Option<PlannedKey>,
    },
    Append {
        log: usize,
        basis: Basis,
        events: usize,
        key: Option<PlannedKey>,
    },
    AppendMany {
        parts: Vec<PlannedPart>,
        key: Option<PlannedKey>,
    },
    Decide {
        log: usize,
        decision: Decision,
        create_if_missing: bool,
        key: Option<PlannedKey>,
    },
    DecideAcross {
        /// Logs, and the number of events that each gets if the decision returns events.
        logs: Vec<(usize, usize)>,
        decision: Decision,
        create_if_missing: bool,
        key: Option<PlannedKey>,
    },
    Reduce {
        log: usize,
    },
    Load {
        log: usize,
        from: u64,
        limit: usize,
    },
    Prune {
        everything: bool,
    },
}

/// One log of several.
#[derive(Debug, Clone)]
pub(super) struct PlannedPart {
    pub(super) log: usize,
    /// `None` creates it, or requires that it does not exist.
    pub(super) basis: Option<Basis>,
    /// `None` if the log is only required.
    pub(super) events: Option<usize>,
}

/// The end of the log that an append expects.
#[derive(Debug, Clone)]
pub(super) enum Basis {
    /// The current end.
    Current,
    /// The current end without the id of the event.
    IndexOnly,
    /// A former end.
    Stale(Index),
    /// The index after the end, without an id.
    Ahead,
    /// At the right index, with an event of another history.
    OtherHistory,
}

/// A key, one of a few, so that it occurs again on the same log and on others.
#[derive(Debug, Clone)]
pub(super) struct PlannedKey {
    pub(super) number: u8,
    pub(super) in_log: bool,
    pub(super) fingerprint: Option<u8>,
}

/// The result of a decision.
#[derive(Debug, Clone, Copy)]
pub(super) enum Decision {
    Events(usize),
    Nothing,
    Refuse,
    /// One of these, depending on the state.
    Depends,
}

fn key() -> impl Strategy<Value = Option<PlannedKey>> {
    let key = (
        0..3_u8,
        prop::bool::weighted(0.4),
        prop::option::of(0..2_u8),
    );
    let key = key.prop_map(|(number, in_log, fingerprint)| PlannedKey {
        number,
        in_log,
        fingerprint,
    });
    prop::option::weighted(0.45, key)
}

fn basis() -> impl Strategy<Value = Basis> {
    prop_oneof![
        10 => Just(Basis::Current),
        3 => Just(Basis::IndexOnly),
        3 => any::<Index>().prop_map(Basis::Stale),
        1 => Just(Basis::Ahead),
        1 => Just(Basis::OtherHistory),
    ]
}

fn part() -> impl Strategy<Value = PlannedPart> {
    // An append without events is refused, so it is rare.
    let events = prop_oneof![1 => Just(0_usize), 15 => 1..4_usize];
    let events = prop::option::weighted(0.7, events);
    let basis = prop::option::weighted(0.8, basis());
    (0..LOGS, basis, events).prop_map(|(log, basis, events)| PlannedPart { log, basis, events })
}

fn decision() -> impl Strategy<Value = Decision> {
    prop_oneof![
        4 => (1..4_usize).prop_map(Decision::Events),
        1 => Just(Decision::Nothing),
        1 => Just(Decision::Refuse),
        3 => Just(Decision::Depends),
    ]
}

fn action(from: Range<u64>) -> impl Strategy<Value = PlannedAction> {
    use PlannedAction::{Append, AppendMany, Create, Decide, DecideAcross, Load, Prune, Reduce};
    let log = || 0..LOGS;
    prop_oneof![
        3 => (log(), key()).prop_map(|(log, key)| Create { log, key }),
        8 => (log(), basis(), 0..4_usize, key())
            .prop_map(|(log, basis, events, key)| Append { log, basis, events, key }),
        4 => (prop::collection::vec(part(), 1..4), key())
            .prop_map(|(parts, key)| AppendMany { parts, key }),
        8 => (log(), decision(), any::<bool>(), key()).prop_map(
            |(log, decision, create_if_missing, key)| Decide { log, decision, create_if_missing, key }
        ),
        6 => (prop::collection::vec((log(), 0..3_usize), 1..4), decision(), any::<bool>(), key()).prop_map(
            |(logs, decision, create_if_missing, key)| {
                DecideAcross { logs, decision, create_if_missing, key }
            }
        ),
        3 => log().prop_map(|log| Reduce { log }),
        1 => (log(), from, 1..4_usize).prop_map(|(log, from, limit)| Load { log, from, limit }),
        1 => prop::bool::weighted(0.7).prop_map(|everything| Prune { everything }),
    ]
}

fn plan(from: Range<u64>) -> impl Strategy<Value = Plan> {
    (0..MANAGERS, action(from)).prop_map(|(manager, action)| Plan { manager, action })
}

/// Operations one after the other.
pub(super) fn alone() -> impl Strategy<Value = Vec<Vec<Plan>>> {
    prop::collection::vec(prop::collection::vec(plan(0..4), 1..=1), 1..40)
}

/// Operations of which several start concurrently.
pub(super) fn together() -> impl Strategy<Value = Vec<Vec<Plan>>> {
    // After an empty page the manager reads again to see if the log exists. The model does not know of the two reads.
    prop::collection::vec(prop::collection::vec(plan(0..1), 2..=6), 1..8)
}
