//! A cache for tests, which has no bound and evicts nothing.

use super::{AggregationCache, CacheError};
use crate::aggregation::Aggregation;
use crate::ids::LogId;
use crate::log_state::LogPosition;
use crate::sync::lock;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// Keeps every aggregate until it expires. It is for unit tests; services use
/// [`MemoryAggregationCache`](crate::MemoryAggregationCache), which is bounded.
pub struct FakeAggregationCache<A> {
    /// One entry per log. No call holds the lock across an await, so a plain mutex is enough.
    entries: Mutex<Entries<A>>,
}

/// The aggregation of each log, and the time at which it expires.
type Entries<A> = HashMap<LogId, (Aggregation<A>, Option<Instant>)>;

impl<A> FakeAggregationCache<A> {
    /// Creates an empty cache.
    #[must_use]
    pub fn new() -> Self {
        Self {
            entries: Mutex::default(),
        }
    }

    fn entries(&self) -> MutexGuard<'_, Entries<A>> {
        lock(&self.entries)
    }
}

impl<A> Default for FakeAggregationCache<A> {
    fn default() -> Self {
        Self::new()
    }
}

impl<A: Send + Sync + 'static> AggregationCache<A> for FakeAggregationCache<A> {
    async fn get(&self, log_id: LogId) -> Result<Option<Aggregation<A>>, CacheError> {
        Ok(AggregationCache::peek(self, log_id))
    }

    fn peek(&self, log_id: LogId) -> Option<Aggregation<A>> {
        let entries = self.entries();
        let live = entries
            .get(&log_id)
            .filter(|(_, expires_at)| expires_at.is_none_or(|at| at > Instant::now()));
        live.map(|(aggregation, _)| aggregation.clone())
    }

    async fn put(
        &self,
        aggregation: Aggregation<A>,
        ttl: Option<Duration>,
    ) -> Result<(), CacheError> {
        let now = Instant::now();
        let mut entries = self.entries();
        let further = entries
            .get(&aggregation.log_id())
            .is_some_and(|(kept, expires_at)| {
                expires_at.is_none_or(|at| at > now)
                    && kept.through_index() > aggregation.through_index()
            });
        if !further {
            let expires_at = ttl.and_then(|ttl| now.checked_add(ttl));
            entries.insert(aggregation.log_id(), (aggregation, expires_at));
        }
        Ok(())
    }

    async fn remove(&self, state: LogPosition) -> Result<(), CacheError> {
        let mut entries = self.entries();
        if entries
            .get(&state.log_id())
            .is_some_and(|(kept, _)| kept.position() == state)
        {
            entries.remove(&state.log_id());
        }
        Ok(())
    }

    async fn forget(&self, log_id: LogId) -> Result<(), CacheError> {
        self.entries().remove(&log_id);
        Ok(())
    }
}

impl<A> fmt::Debug for FakeAggregationCache<A> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("FakeAggregationCache")
            .field("logs", &self.entries().len())
            .finish()
    }
}
