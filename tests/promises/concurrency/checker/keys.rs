//! Rules for idempotency keys that are never pruned.

use super::{Evidence, Rule};
use crate::concurrency::history::{Earlier, Operation, Outcome, Want};
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
            Outcome::Replayed(_) | Outcome::ReplayedAll(_) | Outcome::Reused { .. }
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

/// Returns `true` if a later user of the key gets this write as its replay. Of a write to several logs, the replay of an append is
/// about the user's own log if that is among them.
fn is_about(evidence: &Evidence<'_>, user: &Operation, original: &Operation) -> bool {
    let is_users = |log_id: LogId| user.wants.iter().any(|want| want.log_id == log_id);
    let has_users = original.wants.iter().any(|want| is_users(want.log_id));
    match &user.outcome {
        Outcome::Replayed(earlier) => {
            let mut wants = original.wants.iter();
            wants.any(|want| {
                (!has_users || is_users(want.log_id)) && part(evidence, want) == Some(*earlier)
            })
        }
        Outcome::ReplayedAll(all) => {
            let parts = original.wants.iter().map(|want| part(evidence, want));
            all.len() == original.wants.len() && parts.flatten().all(|part| all.contains(&part))
        }
        Outcome::Reused {
            log_id,
            event_index,
        } => {
            let mut parts = original
                .wants
                .iter()
                .filter_map(|want| part(evidence, want));
            parts.any(|part| (part.state.log_id(), part.first_index) == (*log_id, *event_index))
        }
        _ => false,
    }
}

/// Returns what a write has appended to one of its logs.
fn part(evidence: &Evidence<'_>, want: &Want) -> Option<Earlier> {
    let place = |value: Option<&u64>| evidence.places.get(value?).copied();
    let (_, first_index) = place(want.values.first())?;
    let (log_id, last) = place(want.values.last())?;
    Some(Earlier {
        first_index,
        event_count: want.values.len() as u64,
        state: evidence.record(log_id, last)?.position(),
    })
}
