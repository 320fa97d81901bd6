//! What must hold of idempotency keys that nobody forgets.

use super::{Evidence, Rule};
use crate::concurrency::history::{Operation, Outcome};
use eventlogs::RecordedEvent;
use std::collections::HashMap;

pub(super) fn check(evidence: &mut Evidence<'_>) {
    let mut originals: HashMap<_, &Operation> = HashMap::new();
    for operation in evidence.history {
        let Some(key) = &operation.key else { continue };
        if !evidence.took_effect(operation) {
            continue;
        }
        let other = originals.insert(key, operation);
        evidence.unless(other.is_none(), Rule::Key, || {
            format!("{key:?} was used by {operation:?} and by {other:?}")
        });
    }
    for operation in evidence.history {
        let replay = matches!(
            operation.outcome,
            Outcome::Replayed { .. } | Outcome::Reused { .. }
        );
        if !replay {
            continue;
        }
        let key = operation.key.as_ref();
        let original = key.and_then(|key| originals.get(key).copied());
        let ended = operation.returned.unwrap_or(u64::MAX);
        let right = original.is_some_and(|original| {
            original.invoked < ended && is_about(evidence, &operation.outcome, original)
        });
        evidence.unless(right, Rule::Replay, || {
            format!("{operation:?} was told of {original:?}")
        });
    }
}

/// Whether this is what a later user of the key is told of a write; of several logs, that is the first.
fn is_about(evidence: &Evidence<'_>, told: &Outcome, original: &Operation) -> bool {
    let values = original.wants.first().map(|want| want.values.as_slice());
    let values = values.unwrap_or_default();
    let place = |value: Option<&u64>| evidence.places.get(value?).copied();
    let (Some(first), Some((last_log, last))) = (place(values.first()), place(values.last()))
    else {
        return false;
    };
    let count = values.len() as u64;
    match told {
        Outcome::Replayed {
            first_index,
            event_count,
            state,
        } => {
            let end = evidence.record(last_log, last).map(RecordedEvent::position);
            (*first_index, *event_count, Some(*state)) == (first.1, count, end)
        }
        Outcome::Reused {
            log_id,
            event_index,
        } => (*log_id, *event_index) == first,
        _ => false,
    }
}
