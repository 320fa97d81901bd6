//! What callers may choose.

use crate::AggregationCachingPolicy;
use chrono::{DateTime, Utc};
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

/// Options of a [`LogManager`](crate::LogManager).
pub struct LogManagerOptions<A> {
    /// Decides which aggregates are cached, in place of the rules in
    /// [`Aggregate::CACHE`](crate::Aggregate::CACHE).
    pub caching_policy: Option<Arc<dyn AggregationCachingPolicy<A>>>,
    /// How long a reduction waits for the cache before it goes on without it; 20 ms by default.
    pub cache_timeout: Duration,
    /// How long the background task waits for one write to the cache before it gives it up; 1 s by default.
    pub cache_write_timeout: Duration,
    /// How many logs may wait for their aggregate to be cached; further ones are dropped. 1,000 by default.
    pub cache_queue: usize,
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
            page_size: PAGE_SIZE,
        }
    }
}

impl<A> Clone for LogManagerOptions<A> {
    fn clone(&self) -> Self {
        Self {
            caching_policy: self.caching_policy.clone(),
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
            .field("page_size", &self.page_size)
            .finish()
    }
}

/// Options of [`LogManager::create`](crate::LogManager::create).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CreateOptions {
    /// Lets the log be created only once, however often the call is retried: 1 to 512 bytes, unique among all logs.
    pub idempotency_key: Option<String>,
    /// When the event happened, if that differs from when it is recorded.
    pub occurred_at: Option<DateTime<Utc>>,
}

/// Options of [`LogManager::append`](crate::LogManager::append) and
/// [`append_all`](crate::LogManager::append_all).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AppendOptions {
    /// Lets the append happen only once, however often the call is retried: 1 to 512 bytes, unique among all logs.
    pub idempotency_key: Option<String>,
    /// When the events happened, if that differs from when they are recorded.
    pub occurred_at: Option<DateTime<Utc>>,
}

/// Options of [`LogManager::decide`](crate::LogManager::decide).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecideOptions {
    /// Lets the decision take effect only once, however often the call is retried: 1 to 512 bytes, unique among all
    /// logs.
    pub idempotency_key: Option<String>,
    /// When the events happened, if that differs from when they are recorded.
    pub occurred_at: Option<DateTime<Utc>>,
    /// Decides on the default aggregate where there is no log yet, and creates it with the events decided on.
    pub create_if_missing: bool,
    /// How often the closure may be asked because others appended in between; 20 by default, and at least once.
    pub max_attempts: u32,
}

impl Default for DecideOptions {
    fn default() -> Self {
        Self {
            idempotency_key: None,
            occurred_at: None,
            create_if_missing: false,
            max_attempts: 20,
        }
    }
}
