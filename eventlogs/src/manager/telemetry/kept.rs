//! The names and labels of the metrics of one manager, made once: a call allocates nothing for them.
//!
//! Handles of the recorder are not kept. A program may install its recorder after it has made its managers, and a handle stays
//! with the recorder that has made it.

use crate::manager::telemetry::labels::{CacheWrite, Lookup, Operation};
use crate::manager::telemetry::results;
use metrics::{Histogram, IntoF64, Key, Label, Level, Metadata, with_recorder};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// Says where the metrics come from.
static METADATA: Metadata<'static> =
    Metadata::new(module_path!(), Level::INFO, Some(module_path!()));

/// The operations, at the places of their keys.
const OPERATIONS: [(Operation, &str); 17] = [
    (Operation::Create, "create"),
    (Operation::Append, "append"),
    (Operation::AppendAcross, "append_across"),
    (Operation::Decide, "decide"),
    (Operation::DecideAcross, "decide_across"),
    (Operation::DecideEach, "decide_each"),
    (Operation::Reduce, "reduce"),
    (Operation::ReduceMany, "reduce_many"),
    (Operation::ReduceAt, "reduce_at"),
    (Operation::Load, "load"),
    (Operation::Stream, "stream"),
    (Operation::List, "list"),
    (Operation::Exists, "exists"),
    (Operation::FindKey, "find_key"),
    (Operation::ForgetCached, "forget_cached"),
    (Operation::FlushCache, "flush_cache"),
    (Operation::PruneIdempotencyKeys, "prune_idempotency_keys"),
];
/// The values of `result` for lookups, at the places of their keys.
const LOOKUPS: [(Lookup, &str); 7] = [
    (Lookup::Hit, "hit"),
    (Lookup::Miss, "miss"),
    (Lookup::Stale, "stale"),
    (Lookup::Ahead, "ahead"),
    (Lookup::Forked, "forked"),
    (Lookup::TooSlow, "too_slow"),
    (Lookup::Failed, "failed"),
];
/// The values of `result` for writes to the cache, at the places of their keys.
const CACHE_WRITES: [(CacheWrite, &str); 3] = [
    (CacheWrite::Done, "ok"),
    (CacheWrite::TooSlow, "too_slow"),
    (CacheWrite::Failed, "failed"),
];
/// The value of `aggregate` for a decision on logs of several aggregates.
pub(super) const SEVERAL: &str = "several";

/// The keys of an operation, by result.
type CallKeys = [OnceLock<Key>; results::ALL.len()];

/// The keys of a manager.
pub(super) struct Kept {
    /// The labels of all its metrics.
    labels: [Label; 2],
    /// The name of the aggregate.
    pub(super) aggregate: &'static str,
    /// The name of the store.
    pub(super) store: &'static str,
    /// The keys of the operations, made with the first call: few managers are used for all.
    calls: [OnceLock<Box<CallKeys>>; OPERATIONS.len()],
    lookups: [Key; LOOKUPS.len()],
    cache_writes: [Key; CACHE_WRITES.len()],
    conflicts: Key,
    replays: Key,
    decide_attempts: Key,
    reduced_events: Key,
    cache_dropped: Key,
}

impl Kept {
    pub(super) fn new(aggregate: &'static str, store: &'static str) -> Self {
        let labels = [
            Label::from_static_parts("aggregate", aggregate),
            Label::from_static_parts("store", store),
        ];
        let key = |name: &'static str| Key::from_parts(name, labels.to_vec());
        let with = |name: &'static str, result| {
            let result = Label::from_static_parts("result", result);
            Key::from_parts(name, [&labels[..], &[result]].concat())
        };
        Self {
            aggregate,
            store,
            calls: [const { OnceLock::new() }; OPERATIONS.len()],
            lookups: LOOKUPS.map(|(_, result)| with("eventlogs_cache_lookups_total", result)),
            cache_writes: CACHE_WRITES
                .map(|(_, result)| with("eventlogs_cache_writes_total", result)),
            conflicts: key("eventlogs_conflicts_total"),
            replays: key("eventlogs_replays_total"),
            decide_attempts: key("eventlogs_decide_attempts"),
            reduced_events: key("eventlogs_reduced_events"),
            cache_dropped: key("eventlogs_cache_dropped_total"),
            labels,
        }
    }

    pub(super) fn begin(&self, operation: Operation) -> Call<'_> {
        let mut begun = None;
        let key = self.key(operation, 0, results::OK);
        histogram(key).record_many(Clock(&mut begun), 0);
        Call {
            kept: self,
            operation,
            begun,
        }
    }

    pub(super) fn conflicted(&self) {
        count(&self.conflicts);
    }

    pub(super) fn replayed(&self) {
        count(&self.replays);
    }

    pub(super) fn decided(&self, attempts: u32) {
        histogram(&self.decide_attempts).record(attempts);
    }

    pub(super) fn looked_up(&self, lookup: Lookup) {
        count(&self.lookups[lookup as usize]);
    }

    pub(super) fn reduced(&self, events: u64) {
        let events = u32::try_from(events).unwrap_or(u32::MAX);
        histogram(&self.reduced_events).record(events);
    }

    pub(super) fn cached(&self, write: CacheWrite) {
        count(&self.cache_writes[write as usize]);
    }

    pub(super) fn dropped(&self) {
        count(&self.cache_dropped);
    }

    /// Records how long a call took.
    fn took(&self, operation: Operation, result: &'static str, took: Duration) {
        match results::ALL.iter().position(|known| *known == result) {
            Some(place) => histogram(self.key(operation, place, result)).record(took),
            None => histogram(&self.new_key(operation, result)).record(took),
        }
    }

    /// Returns the key of an operation with the result at this place.
    fn key(&self, operation: Operation, place: usize, result: &'static str) -> &Key {
        let none = || Box::new([const { OnceLock::new() }; results::ALL.len()]);
        let keys = self.calls[operation as usize].get_or_init(none);
        keys[place].get_or_init(|| self.new_key(operation, result))
    }

    fn new_key(&self, operation: Operation, result: &'static str) -> Key {
        let further = [
            Label::from_static_parts("operation", OPERATIONS[operation as usize].1),
            Label::from_static_parts("result", result),
        ];
        let labels = [&self.labels[..], &further].concat();
        Key::from_parts("eventlogs_operation_seconds", labels)
    }
}

/// A call that is being measured.
pub(super) struct Call<'a> {
    kept: &'a Kept,
    operation: Operation,
    /// `None` if there was no recorder, and when the call is over.
    begun: Option<Instant>,
}

/// Reads the clock, but only if there is a recorder: only a recorder asks for the value. Without one, reading the clock twice would
/// cost a reduction that is answered from memory a third of its time.
struct Clock<'a>(&'a mut Option<Instant>);

impl IntoF64 for Clock<'_> {
    fn into_f64(self) -> f64 {
        *self.0 = Some(Instant::now());
        0.0
    }
}

impl Call<'_> {
    /// Ends the call with this result.
    pub(super) fn end(mut self, result: &'static str) {
        self.note(|| result);
    }

    fn note(&mut self, result: impl FnOnce() -> &'static str) {
        if let Some(begun) = self.begun.take() {
            self.kept.took(self.operation, result(), begun.elapsed());
        }
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        self.note(|| {
            if std::thread::panicking() {
                results::PANICKED
            } else {
                results::DROPPED
            }
        });
    }
}

fn count(key: &Key) {
    with_recorder(|recorder| recorder.register_counter(key, &METADATA)).increment(1);
}

fn histogram(key: &Key) -> Histogram {
    with_recorder(|recorder| recorder.register_histogram(key, &METADATA))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The keys are found by the number of the variant.
    #[test]
    fn each_variant_has_its_own_place() {
        for (place, (operation, _)) in OPERATIONS.into_iter().enumerate() {
            assert_eq!(operation as usize, place);
        }
        for (place, (lookup, _)) in LOOKUPS.into_iter().enumerate() {
            assert_eq!(lookup as usize, place);
        }
        for (place, (write, _)) in CACHE_WRITES.into_iter().enumerate() {
            assert_eq!(write as usize, place);
        }
    }
}
