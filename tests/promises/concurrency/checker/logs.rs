//! Rules for the logs, whatever the results.

use super::{Evidence, Rule, value_of};
use eventlogs::EventRecord;
use std::collections::HashSet;

pub(super) fn check(evidence: &mut Evidence<'_>) {
    let (mut ids, mut values) = (HashSet::new(), HashSet::new());
    for (log_id, records) in evidence.stored {
        for (record, place) in records.iter().zip(0..) {
            evidence.unless(
                record.index() == place && record.log_id() == *log_id,
                Rule::Dense,
                || format!("{record:?} is stored at {place}"),
            );
            let value = value_of(record);
            evidence.unless(
                ids.insert(record.event_id()) && values.insert(value),
                Rule::Once,
                || format!("{record:?} is stored elsewhere, too"),
            );
            let issuer = evidence.issuers.get(&value).copied();
            let want = issuer.and_then(|issuer| issuer.want(*log_id));
            evidence.unless(
                want.is_some_and(|want| want.values.contains(&value)),
                Rule::Issued,
                || format!("{record:?} was not issued for this log: {issuer:?}"),
            );
        }
        evidence.unless(
            records.is_sorted_by_key(EventRecord::recorded_at),
            Rule::Time,
            || format!("the time goes back in {log_id}"),
        );
    }
}
