//! Options of a manager.

use crate::caching::AggregationCachingPolicy;
use crate::metadata::source::MetadataSource;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

/// Options of a [`LogManager`](crate::LogManager).
pub struct LogManagerOptions<A> {
    /// Decides which aggregates are cached, in place of the rules in [`Aggregate::CACHE`](crate::Aggregate::CACHE). None by
    /// default.
    pub caching_policy: Option<Arc<dyn AggregationCachingPolicy<A>>>,
    /// The time that a reduction waits for the cache before it goes on without it: 20 ms by default. `Duration::MAX` means no
    /// limit.
    pub cache_timeout: Duration,
    /// The time that the background task waits for one write to the cache before it abandons that write: 1 s by default.
    ///
    /// [`forget_cached`](crate::LogManager::forget_cached) waits at most that long for a write of the log that is in progress,
    /// and again at most that long for the removal.
    pub cache_write_timeout: Duration,
    /// The number of logs whose aggregate may wait to be cached: 1,000 logs by default. Aggregates of further logs are dropped.
    ///
    /// A log waits at most once, with its newest aggregate.
    pub cache_queue: usize,
    /// Supplies metadata for every write. Metadata in the options of a write takes precedence. None by default.
    ///
    /// It is a closure, a type of your own, [`TaskMetadata`](crate::TaskMetadata), which has what the program has set for the
    /// current request, or `SpanMetadata` (feature `tracing-subscriber`), which takes the `correlation_id` and `causation_id` of
    /// the current `tracing` span.
    pub metadata: Option<Arc<dyn MetadataSource>>,
    /// The number of events that a stream, or a reduction on a store other than PostgreSQL, reads at once and holds in memory at
    /// most: 500 events by default. On PostgreSQL, a reduction applies each event as it arrives.
    pub page_size: NonZeroUsize,
}

impl<A> Default for LogManagerOptions<A> {
    fn default() -> Self {
        const PAGE_SIZE: NonZeroUsize = NonZeroUsize::MIN.saturating_add(499);
        Self {
            caching_policy: None,
            cache_timeout: Duration::from_millis(20),
            cache_write_timeout: Duration::from_secs(1),
            cache_queue: 1_000,
            metadata: None,
            page_size: PAGE_SIZE,
        }
    }
}

impl<A> Clone for LogManagerOptions<A> {
    fn clone(&self) -> Self {
        Self {
            caching_policy: self.caching_policy.clone(),
            metadata: self.metadata.clone(),
            ..*self
        }
    }
}

impl<A> fmt::Debug for LogManagerOptions<A> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("LogManagerOptions")
            .field("caching_policy", &self.caching_policy.is_some())
            .field("cache_timeout", &self.cache_timeout)
            .field("cache_write_timeout", &self.cache_write_timeout)
            .field("cache_queue", &self.cache_queue)
            .field("metadata", &self.metadata.is_some())
            .field("page_size", &self.page_size)
            .finish()
    }
}
