//! Rules for idempotency keys that are never pruned.

use super::{Evidence, Rule};
use crate::concurrency::history::{Operation, Outcome};
use eventlogs::RecordedEvent;
use eventlogs::ids::LogId;
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
            original.invoked < ended && is_about(evidence, operation, original)
        });
        evidence.unless(right, Rule::Replay, || {
            format!("{operation:?} returned a replay of {original:?}")
        });
    }
}

/// Returns `true` if a later user of the key gets this write as its replay. Of a write to several logs, the replay is about the
/// user's own log if that is among them.
fn is_about(evidence: &Evidence<'_>, user: &Operation, original: &Operation) -> bool {
    let is_users = |log_id: LogId| user.wants.iter().any(|want| want.log_id == log_id);
    let has_users = original.wants.iter().any(|want| is_users(want.log_id));
    original.wants.iter().any(|want| {
        if has_users && !is_users(want.log_id) {
            return false;
        }
        let place = |value: Option<&u64>| evidence.places.get(value?).copied();
        let values = &want.values;
        let (Some(first), Some((last_log, last))) = (place(values.first()), place(values.last()))
        else {
            return false;
        };
        match &user.outcome {
            Outcome::Replayed {
                first_index,
                event_count,
                state,
            } => {
                let end = evidence.record(last_log, last).map(RecordedEvent::position);
                let count = values.len() as u64;
                (*first_index, *event_count, Some(*state)) == (first.1, count, end)
            }
            Outcome::Reused {
                log_id,
                event_index,
            } => (*log_id, *event_index) == first,
            _ => false,
        }
    })
}
