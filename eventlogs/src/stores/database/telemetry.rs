//! The metrics of databases, recorded with the `metrics` crate. Without the feature `metrics`, nothing here does anything.
//! The page `guide::operation` lists the names.
#![cfg_attr(
    not(feature = "metrics"),
    allow(
        clippy::unused_self,
        reason = "without the feature nothing is recorded"
    )
)]

#[cfg(feature = "metrics")]
mod totals;

use std::time::Duration;

/// The metrics of a store.
pub(in crate::stores) struct StoreMetrics {
    #[cfg(feature = "metrics")]
    kept: totals::Kept,
    /// The writes that are not settled yet.
    queued_writes: Gauge,
    /// Their size in bytes.
    queued_bytes: Gauge,
    /// The reads that wait for a statement.
    #[cfg(feature = "postgres")]
    pub(in crate::stores) waiting_reads: Gauge,
}

/// The metrics of the connections that a store uses for one purpose.
pub(in crate::stores) struct PoolMetrics {
    /// The tasks that wait for a connection.
    pub(in crate::stores) waiting: Gauge,
    /// The connections in use.
    in_use: Gauge,
    /// All open connections.
    pub(in crate::stores) open: Gauge,
    /// The connections that are open and not in use.
    #[cfg(any(feature = "metrics", feature = "postgres"))]
    pub(in crate::stores) idle: Gauge,
    /// How many connections there may be.
    max: Gauge,
    /// The part of this store in `max`.
    _max: Counted,
}

/// A number that all stores of a kind in this process add up to: two of them have one value, not that of whichever has spoken
/// last.
#[derive(Clone)]
pub(in crate::stores) struct Gauge {
    #[cfg(feature = "metrics")]
    total: std::sync::Arc<totals::Total>,
}

/// A part of a gauge, until it is dropped.
#[must_use = "it counts until it is dropped"]
pub(in crate::stores) struct Counted {
    #[cfg(feature = "metrics")]
    part: totals::Part,
}

impl StoreMetrics {
    /// Prepares the metrics of a store.
    pub(in crate::stores) fn new(store: &'static str) -> Self {
        Self {
            #[cfg(feature = "metrics")]
            kept: totals::Kept::new(store),
            queued_writes: Gauge::new("eventlogs_queue_writes", store, None),
            queued_bytes: Gauge::new("eventlogs_queue_bytes", store, None),
            #[cfg(feature = "postgres")]
            waiting_reads: Gauge::new("eventlogs_waiting_reads", store, None),
        }
    }

    /// Counts a write of this size, until it is settled.
    pub(in crate::stores) fn queued(&self, bytes: u32) -> [Counted; 2] {
        [
            self.queued_writes.count(1),
            self.queued_bytes.count(i64::from(bytes)),
        ]
    }

    /// Records a batch that was written or refused. `waited` has the time that each of its writes spent in the queue.
    pub(in crate::stores) fn batch_written(
        &self,
        events: usize,
        waited: impl ExactSizeIterator<Item = Duration>,
        took: Duration,
    ) {
        #[cfg(feature = "metrics")]
        self.kept.batch_written(events, waited, took);
        #[cfg(not(feature = "metrics"))]
        let _ = (events, waited, took);
    }
}

impl PoolMetrics {
    /// Prepares the metrics of connections of which there may be this many.
    pub(in crate::stores) fn new(store: &'static str, pool: &'static str, max: u32) -> Self {
        let gauge = |name| Gauge::new(name, store, Some(pool));
        let most = gauge("eventlogs_connections_max");
        Self {
            waiting: gauge("eventlogs_connections_waiting"),
            in_use: gauge("eventlogs_connections_in_use"),
            open: gauge("eventlogs_connections_open"),
            #[cfg(any(feature = "metrics", feature = "postgres"))]
            idle: gauge("eventlogs_connections_idle"),
            _max: most.count(i64::from(max)),
            max: most,
        }
    }

    /// Counts a connection in use, until the result is dropped.
    pub(in crate::stores) fn taken(&self) -> Counted {
        // What seldom changes is told again: the recorder may be newer than the last change.
        self.max.tell();
        self.open.tell();
        self.in_use.count(1)
    }
}

impl Gauge {
    fn new(name: &'static str, store: &'static str, pool: Option<&'static str>) -> Self {
        #[cfg(not(feature = "metrics"))]
        let _ = (name, store, pool);
        Self {
            #[cfg(feature = "metrics")]
            total: totals::total(name, store, pool),
        }
    }

    /// Sets the gauge again.
    fn tell(&self) {
        #[cfg(feature = "metrics")]
        self.total.tell();
    }

    /// Adds this number, until the result is dropped.
    pub(in crate::stores) fn count(&self, number: i64) -> Counted {
        #[cfg(not(feature = "metrics"))]
        let _ = number;
        Counted {
            #[cfg(feature = "metrics")]
            part: totals::Part::new(&self.total, number),
        }
    }
}

#[cfg(all(feature = "metrics", feature = "sqlite"))]
impl Counted {
    /// Changes the number.
    pub(in crate::stores) fn set(&mut self, number: i64) {
        self.part.set(number);
    }
}
