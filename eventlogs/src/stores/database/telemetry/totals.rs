//! The names and labels of the metrics of stores, and the numbers behind the gauges.
//!
//! The numbers are kept here instead of adding to the gauges of the recorder: a program may install its recorder after it has
//! opened its stores.

use crate::sync::lock;
use metrics::{Key, Label, Level, Metadata, with_recorder};
use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

/// Says where the metrics come from.
static METADATA: Metadata<'static> =
    Metadata::new(module_path!(), Level::INFO, Some(module_path!()));

/// The name of a gauge, and its labels.
type Name = (&'static str, &'static str, Option<&'static str>);

/// The numbers of all stores of this process. There are as many as there are gauges, however many stores are opened.
static TOTALS: LazyLock<Mutex<HashMap<Name, Arc<Total>>>> = LazyLock::new(Mutex::default);

/// The keys of the histograms of a store.
pub(super) struct Kept {
    batch_writes: Key,
    batch_events: Key,
    queue_seconds: Key,
    commit_seconds: Key,
}

impl Kept {
    pub(super) fn new(store: &'static str) -> Self {
        let key = |name: &'static str| {
            Key::from_parts(name, vec![Label::from_static_parts("store", store)])
        };
        Self {
            batch_writes: key("eventlogs_batch_writes"),
            batch_events: key("eventlogs_batch_events"),
            queue_seconds: key("eventlogs_queue_seconds"),
            commit_seconds: key("eventlogs_commit_seconds"),
        }
    }

    pub(super) fn batch_written(
        &self,
        events: usize,
        waited: impl ExactSizeIterator<Item = Duration>,
        took: Duration,
    ) {
        with_recorder(|recorder| {
            let histogram = |key| recorder.register_histogram(key, &METADATA);
            histogram(&self.batch_writes).record(to_f64(waited.len()));
            histogram(&self.batch_events).record(to_f64(events));
            histogram(&self.commit_seconds).record(took);
            let queue = histogram(&self.queue_seconds);
            waited.for_each(|waited| queue.record(waited));
        });
    }
}

/// Converts a count. Batches are small enough for the result to be exact.
fn to_f64(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// The number behind a gauge.
pub(super) struct Total {
    key: Key,
    number: AtomicI64,
}

/// Returns the number behind a gauge.
pub(super) fn total(
    name: &'static str,
    store: &'static str,
    pool: Option<&'static str>,
) -> Arc<Total> {
    let mut totals = lock(&TOTALS);
    let total = totals.entry((name, store, pool)).or_insert_with(|| {
        let mut labels = vec![Label::from_static_parts("store", store)];
        labels.extend(pool.map(|pool| Label::from_static_parts("pool", pool)));
        Arc::new(Total {
            key: Key::from_parts(name, labels),
            number: AtomicI64::new(0),
        })
    });
    Arc::clone(total)
}

impl Total {
    fn add(&self, change: i64) {
        self.number.fetch_add(change, Ordering::SeqCst);
        self.tell();
    }

    /// Sets the gauge of the recorder.
    pub(super) fn tell(&self) {
        let mut number = self.number.load(Ordering::SeqCst);
        let gauge = with_recorder(|recorder| recorder.register_gauge(&self.key, &METADATA));
        loop {
            #[expect(clippy::cast_precision_loss, reason = "it is exact up to 2^53")]
            gauge.set(number as f64);
            // Another task may have set its number, and this one came after it. Whoever sets last sees the last number.
            let now = self.number.load(Ordering::SeqCst);
            if now == number {
                return;
            }
            number = now;
        }
    }
}

/// A part of a number, until it is dropped.
pub(super) struct Part {
    total: Arc<Total>,
    number: i64,
}

impl Part {
    pub(super) fn new(total: &Arc<Total>, number: i64) -> Self {
        total.add(number);
        Self {
            total: Arc::clone(total),
            number,
        }
    }

    #[cfg(feature = "sqlite")]
    pub(super) fn set(&mut self, number: i64) {
        let change = number - self.number;
        if change != 0 {
            self.number = number;
            self.total.add(change);
        }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.total.add(-self.number);
    }
}
