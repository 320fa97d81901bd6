//! Rules for the results, given the logs.

use super::{Evidence, Rule};
use crate::concurrency::history::{Ground, Operation, Outcome, Want};
use crate::model::domain::{Tally, TallyEvent};
use eventlogs::ids::LogId;
use eventlogs::{EventRecord, LogPosition, RecordedEvent};
use std::collections::HashMap;

pub(super) fn check(evidence: &mut Evidence<'_>) {
    let known = Known::of(evidence.history);
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
        if let Some((state, tally)) = &operation.seen {
            fold(evidence, *state, tally);
            let newest = known.before(state.log_id(), operation.invoked);
            evidence.unless(
                newest.is_none_or(|newest| newest <= state.index()),
                Rule::Fresh,
                || format!("{newest:?} was known before {operation:?}"),
            );
        }
        let has_reason = has_reason(evidence, &known, operation);
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

/// Returns `true` if something may have conflicted with an operation while it ran.
fn has_reason(evidence: &Evidence<'_>, known: &Known, operation: &Operation) -> bool {
    let ended = operation.returned.unwrap_or(u64::MAX);
    let taken = |log_id, index| {
        let issuer = evidence.issuer(log_id, index);
        issuer.is_some_and(|issuer| issuer.invoked < ended)
    };
    match operation.outcome {
        Outcome::Conflict(log_id) => match operation.ground(log_id) {
            Some(Ground::After(state)) => {
                let stands = evidence.record(log_id, state.index());
                !stands.is_some_and(|record| is(record, state)) || taken(log_id, state.index() + 1)
            }
            // The log was required not to exist.
            Some(Ground::New) => operation.want(log_id).is_none() && taken(log_id, 0),
            // A decision has tried often; each attempt may have failed for another reason.
            ground => ground == Some(Ground::Decided),
        },
        Outcome::Exists(log_id) => {
            let want = operation.want(log_id);
            want.is_some_and(|want| want.ground == Ground::New) && taken(log_id, 0)
        }
        Outcome::NotFound(log_id) => known.before(log_id, operation.invoked).is_none(),
        _ => true,
    }
}

fn is(record: &RecordedEvent<TallyEvent>, state: LogPosition) -> bool {
    record.index() == state.index() && state.event_id().is_none_or(|id| id == record.event_id())
}

/// The greatest index of each log that any operation had returned by a given time.
struct Known(HashMap<LogId, Vec<(u64, u64)>>);

impl Known {
    fn of(history: &[Operation]) -> Self {
        let mut known: HashMap<LogId, Vec<(u64, u64)>> = HashMap::new();
        for operation in history {
            let written = match &operation.outcome {
                Outcome::Written(states) => states.as_slice(),
                _ => &[],
            };
            let seen = operation.seen.as_ref().map(|(state, _)| state);
            for (state, time) in written
                .iter()
                .chain(seen)
                .zip(operation.returned.iter().cycle())
            {
                let told = known.entry(state.log_id()).or_default();
                told.push((*time, state.index()));
            }
        }
        for told in known.values_mut() {
            told.sort_unstable();
            let mut greatest = 0;
            for (_, index) in told {
                greatest = greatest.max(*index);
                *index = greatest;
            }
        }
        Self(known)
    }

    fn before(&self, log_id: LogId, time: u64) -> Option<u64> {
        let told = self.0.get(&log_id)?;
        let earlier = told.partition_point(|(at, _)| *at < time);
        Some(told.get(earlier.checked_sub(1)?)?.1)
    }
}
