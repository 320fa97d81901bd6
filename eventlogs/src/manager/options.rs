//! What callers may choose.

use crate::caching::AggregationCachingPolicy;
use crate::metadata::source::MetadataSource;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

/// Options of a [`LogManager`](crate::LogManager).
pub struct LogManagerOptions<A> {
    /// Decides which aggregates are cached, in place of the rules in
    /// [`Aggregate::CACHE`](crate::Aggregate::CACHE).
    pub caching_policy: Option<Arc<dyn AggregationCachingPolicy<A>>>,
    /// How long a reduction waits for the cache before it goes on without it; 20 ms by default. `Duration::MAX` is for ever.
    pub cache_timeout: Duration,
    /// How long the background task waits for one write to the cache before it gives it up; 1 s by default.
    pub cache_write_timeout: Duration,
    /// How many logs may wait for their aggregate to be cached; further ones are dropped. 1,000 by default.
    pub cache_queue: usize,
    /// Supplies metadata for every write; what the options of the write itself hold takes precedence. Nothing by default.
    ///
    /// A closure, or `SpanMetadata` (feature `tracing-subscriber`), which takes the `correlation_id` and `causation_id` of the
    /// current `tracing` span.
    pub metadata: Option<Arc<dyn MetadataSource>>,
    /// How many events a reduction or a stream holds at a time; 500 by default.
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
