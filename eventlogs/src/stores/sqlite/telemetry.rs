//! The metrics of the connections of a file. Without the feature `metrics`, nothing here does anything.

#[cfg(feature = "metrics")]
mod readers;

use crate::stores::database::telemetry::{Counted, PoolMetrics};
use sqlx::sqlite::SqlitePool;
#[cfg(not(feature = "metrics"))]
use std::marker::PhantomData;

/// The name of the store in metrics.
pub(super) const STORE: &str = "sqlite";

/// The metrics of the connections of a store.
pub(super) struct ConnectionMetrics {
    /// Those of the connections that read.
    pub(super) readers: PoolMetrics,
    /// Those of the connection that writes.
    pub(super) writer: PoolMetrics,
    /// The connections that read, as sqlx keeps them.
    #[cfg(feature = "metrics")]
    seen: readers::Seen,
}

/// A connection that reads, in use.
pub(super) struct ReaderInUse<'a> {
    _counted: Counted,
    #[cfg(feature = "metrics")]
    _seen: readers::InUse<'a>,
    #[cfg(not(feature = "metrics"))]
    _seen: PhantomData<&'a ()>,
}

impl ConnectionMetrics {
    /// Prepares the metrics of a store with this many connections that read.
    pub(super) fn new(readers: u32) -> Self {
        let readers = PoolMetrics::new(STORE, "readers", readers);
        Self {
            #[cfg(feature = "metrics")]
            seen: readers::Seen::new(&readers),
            readers,
            writer: PoolMetrics::new(STORE, "writer", 1),
        }
    }

    /// Counts a connection of this pool, until the result is dropped.
    pub(super) fn taken(&self, pool: &SqlitePool) -> ReaderInUse<'_> {
        #[cfg(not(feature = "metrics"))]
        let _ = pool;
        ReaderInUse {
            #[cfg(feature = "metrics")]
            _seen: self.seen.taken(pool),
            #[cfg(not(feature = "metrics"))]
            _seen: PhantomData,
            _counted: self.readers.taken(),
        }
    }
}
