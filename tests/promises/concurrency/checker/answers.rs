//! Rules for the results, given the logs.

use super::{Evidence, Rule};
use crate::concurrency::history::{Found, Ground, Operation, Outcome, Want};
use crate::model::domain::{Tally, TallyEvent};
use eventlogs::ids::LogId;
use eventlogs::{EventRecord, LogPosition, RecordedEvent};
use std::collections::HashMap;

pub(super) fn check(evidence: &mut Evidence<'_>) {
    let mut winners = HashMap::new();
    for operation in evidence.history {
        match &operation.outcome {
            Outcome::Written(states) => {
                evidence.unless(states.len() == operation.wants.len(), Rule::Kept, || {
                    format!("a log is missing in the answer to {operation:?}")
                });
                for (want, state) in operation.wants.iter().zip(states) {
                    kept(evidence, &mut winners, want, *state);
                }
                // The states after the operation are those that it has written.
                let mut seen = operation.seen.iter().map(|(state, _)| state);
                let exact = seen
                    .all(|seen| operation.want(seen.log_id()).is_none() || states.contains(seen));
                evidence.unless(exact, Rule::Kept, || {
                    format!("a state after other events was returned: {operation:?}")
                });
            }
            Outcome::Unknown => {}
            _ => {
                let took_effect = evidence.took_effect(operation);
                evidence.unless(!took_effect, Rule::Refused, || {
                    format!("events of {operation:?} are stored")
                });
            }
        }
        if evidence.took_effect(operation) {
            whole(evidence, operation);
        }
        for (state, tally) in &operation.seen {
            fold(evidence, *state, tally);
        }
        found(evidence, operation);
        let has_reason = has_reason(evidence, operation);
        evidence.unless(has_reason, Rule::Reason, || {
            format!("nothing conflicted with {operation:?}")
        });
    }
}

/// An acknowledged event must be stored.
fn kept(
    evidence: &mut Evidence<'_>,
    winners: &mut HashMap<(LogId, u64), u64>,
    want: &Want,
    state: LogPosition,
) {
    let count = want.values.len() as u64;
    let first = (state.index() + 1).saturating_sub(count);
    for (value, index) in want.values.iter().zip(first..) {
        let place = (want.log_id, index);
        evidence.unless(
            evidence.places.get(value) == Some(&place),
            Rule::Kept,
            || format!("{value} is not at {place:?}"),
        );
        let winner = winners.insert(place, *value);
        evidence.unless(winner.is_none(), Rule::Winner, || {
            format!("{place:?} was acknowledged for {value} and for {winner:?}")
        });
    }
    let last = evidence.record(want.log_id, state.index());
    evidence.unless(
        last.map(RecordedEvent::position) == Some(state),
        Rule::Kept,
        || format!("returned {state:?}, but stored {last:?}"),
    );
}

/// A write that took effect must have done so as a whole, on the state that it was meant for.
fn whole(evidence: &mut Evidence<'_>, operation: &Operation) {
    for want in &operation.wants {
        let places = want.values.iter().map(|value| evidence.places.get(value));
        let first = places.clone().next().flatten().copied();
        let together = first.is_some_and(|(log_id, first)| {
            places
                .zip(first..)
                .all(|(place, index)| place == Some(&(log_id, index)))
        });
        evidence.unless(together, Rule::Whole, || {
            format!("{want:?} is torn, of {operation:?}")
        });
        let Some((log_id, first)) = first.filter(|_| together) else {
            continue;
        };
        let log = evidence.log(log_id);
        let first = usize::try_from(first).expect("a log in memory");
        let in_front = log.get(..first).unwrap_or_default();
        let basis = match want.ground {
            Ground::Decided => Tally::of(in_front).order,
            Ground::New | Ground::After(_) => 0,
        };
        let follows = match want.ground {
            Ground::New => in_front.is_empty(),
            Ground::After(state) => in_front.last().is_some_and(|last| is(last, state)),
            Ground::Decided => true,
        };
        let events = log.iter().skip(first).take(want.values.len());
        let right = events.into_iter().all(|record| {
            let TallyEvent::Counted { basis: found, .. } = record.event();
            *found == basis
        });
        evidence.unless(follows && right, Rule::Basis, || {
            format!("{want:?} follows {:?}", in_front.last())
        });
    }
}

fn fold(evidence: &mut Evidence<'_>, state: LogPosition, tally: &Tally) {
    let end = usize::try_from(state.index()).map_or(0, |index| index.saturating_add(1));
    let records = evidence.log(state.log_id()).get(..end).unwrap_or_default();
    let ends = records.last().map(RecordedEvent::position) == Some(state);
    evidence.unless(ends && Tally::of(records) == *tally, Rule::Fold, || {
        format!("{tally:?} at {state:?} is not {:?}", Tally::of(records))
    });
}

/// What a decision or a write found in its logs must have been there.
fn found(evidence: &mut Evidence<'_>, operation: &Operation) {
    let decided = match &operation.outcome {
        Outcome::Written(_) | Outcome::Nothing => true,
        Outcome::Unknown => evidence.took_effect(operation),
        _ => false,
    };
    for look in operation.looks.iter().filter(|_| decided) {
        let records = evidence.first(look.log_id, look.events());
        let right = match &look.found {
            Found::Nothing => true,
            Found::Events(end) => records.last().is_some_and(|last| is(last, *end)),
            Found::Tally(tally) => Tally::of(records).without_times() == tally.without_times(),
        };
        evidence.unless(right, Rule::Found, || {
            format!("{look:?} is not {:?}, of {operation:?}", records.last())
        });
    }
}

/// Returns `true` if the logs show what an operation was refused for. That it was there in time is a question of the order.
fn has_reason(evidence: &Evidence<'_>, operation: &Operation) -> bool {
    let refused_by = |log_id, ground| match ground {
        Ground::New => evidence.record(log_id, 0).is_some(),
        Ground::After(state) => {
            let stands = evidence.record(log_id, state.index());
            !stands.is_some_and(|record| is(record, state))
                || evidence.record(log_id, state.index() + 1).is_some()
        }
        // A decision has tried often; each attempt may have failed for another reason.
        Ground::Decided => true,
    };
    match operation.outcome {
        Outcome::Conflict(log_id) => {
            let ground = operation.ground(log_id);
            ground.is_some_and(|ground| refused_by(log_id, ground))
        }
        Outcome::Exists(log_id) => {
            let want = operation.want(log_id);
            want.is_some_and(|want| want.ground == Ground::New) && refused_by(log_id, Ground::New)
        }
        _ => true,
    }
}

fn is(record: &RecordedEvent<TallyEvent>, state: LogPosition) -> bool {
    record.index() == state.index() && state.event_id().is_none_or(|id| id == record.event_id())
}
