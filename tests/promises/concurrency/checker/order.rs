//! A rule for all writes together: they have an order.

use super::{Evidence, Rule};
use crate::concurrency::history::{Ground, Operation};
use eventlogs::RecordedEvent;
use std::collections::HashMap;

pub(super) fn check(evidence: &mut Evidence<'_>) {
    let history = evidence.history.iter();
    let writes: Vec<_> = history
        .filter(|operation| evidence.took_effect(operation))
        .collect();
    let numbers: HashMap<_, _> = (0..writes.len())
        .flat_map(|number| writes[number].values().map(move |value| (value, number)))
        .collect();
    let number_of = |operation: &Operation| numbers.get(&operation.values().next()?).copied();
    // For each write those that come after it.
    let mut after = vec![Vec::new(); writes.len()];
    let mut unmet = Vec::new();
    for log_id in evidence.stored.keys() {
        let issuers = 0..evidence.log(*log_id).len() as u64;
        let issuers = issuers.filter_map(|index| number_of(evidence.issuer(*log_id, index)?));
        let issuers: Vec<_> = issuers.collect();
        for pair in issuers.windows(2) {
            if pair[0] != pair[1] {
                after[pair[0]].push(pair[1]);
            }
        }
    }
    for (number, write) in writes.iter().enumerate() {
        for need in &write.needs {
            let next = match need.ground {
                Ground::After(state) => {
                    let stands = evidence.record(need.log_id, state.index());
                    let is_right = |record: &RecordedEvent<_>| {
                        let id = state.event_id();
                        id.is_none_or(|id| id == record.position().event_id().unwrap_or(id))
                    };
                    if !stands.is_some_and(is_right) {
                        unmet.push(format!("{need:?} of {write:?}"));
                    }
                    let issuer = evidence.issuer(need.log_id, state.index());
                    if let Some(before) = issuer.and_then(number_of) {
                        after[before].push(number);
                    }
                    state.index() + 1
                }
                Ground::New | Ground::Decided => 0,
            };
            let issuer = evidence.issuer(need.log_id, next);
            if let Some(later) = issuer.and_then(number_of) {
                after[number].push(later);
            }
        }
        let began_later = (0..).zip(&writes).filter(|(_, later)| {
            let ended = write.ended();
            ended.is_some_and(|ended| ended < later.invoked)
        });
        after[number].extend(began_later.map(|(later, _)| later));
    }
    for unmet in unmet {
        evidence.unless(false, Rule::Serial, || format!("there never was {unmet}"));
    }
    let circle = left_over(&after);
    evidence.unless(circle.is_empty(), Rule::Serial, || {
        let circle = circle.iter().take(4).map(|number| writes[*number]);
        let circle: Vec<_> = circle.collect();
        format!("no order of {circle:#?}")
    });
}

/// Puts the numbers in order, and returns those that have none because they come after themselves.
fn left_over(after: &[Vec<usize>]) -> Vec<usize> {
    let mut before = vec![0_usize; after.len()];
    for later in after.iter().flatten() {
        before[*later] += 1;
    }
    let mut free: Vec<_> = (0..after.len())
        .filter(|number| before[*number] == 0)
        .collect();
    while let Some(number) = free.pop() {
        for later in &after[number] {
            before[*later] -= 1;
            if before[*later] == 0 {
                free.push(*later);
            }
        }
    }
    (0..after.len())
        .filter(|number| before[*number] > 0)
        .collect()
}
