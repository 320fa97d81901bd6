//! The in-process cache.

use super::{AggregationCache, CacheError};
use crate::aggregation::Aggregation;
use crate::ids::LogId;
use crate::log_state::LogPosition;
use quick_cache::sync::{Cache, EntryAction, EntryResult};
use std::fmt;
use std::time::{Duration, Instant};

/// The number of aggregates that are kept by default.
const DEFAULT_CAPACITY: usize = 10_000;

/// Keeps the aggregates of recently used logs in this process's memory.
///
/// It holds a bounded number of aggregates, and evicts those that are used least. A hit copies a pointer, not the aggregate.
/// Nothing is serialised, so aggregates need none of serde's traits.
///
/// ```
/// use eventlogs::MemoryAggregationCache;
/// # #[derive(Debug, Default, Clone)] pub struct Payment;
///
/// let cache = MemoryAggregationCache::<Payment>::with_capacity(50_000);
/// # let _ = cache;
/// ```
pub struct MemoryAggregationCache<A> {
    /// One entry per log. Each shard has its own lock, which is held for the time of one lookup.
    entries: Cache<LogId, Entry<A>>,
}

/// The entry of a log.
struct Entry<A> {
    /// The aggregation itself, shared with the callers that reduced it.
    aggregation: Aggregation<A>,
    /// When the entry stops being valid.
    expires_at: Option<Instant>,
}

impl<A> MemoryAggregationCache<A> {
    /// Creates a cache for the aggregates of at most `logs` logs.
    #[must_use]
    pub fn with_capacity(logs: usize) -> Self {
        Self {
            entries: Cache::new(logs),
        }
    }
}

impl<A> Default for MemoryAggregationCache<A> {
    /// Creates a cache for the aggregates of 10,000 logs.
    fn default() -> Self {
        Self::with_capacity(DEFAULT_CAPACITY)
    }
}

impl<A: Send + Sync + 'static> AggregationCache<A> for MemoryAggregationCache<A> {
    async fn get(&self, log_id: LogId) -> Result<Option<Aggregation<A>>, CacheError> {
        Ok(AggregationCache::peek(self, log_id))
    }

    fn peek(&self, log_id: LogId) -> Option<Aggregation<A>> {
        let entry = self.entries.get(&log_id)?;
        if entry.is_expired() {
            // Only an expired entry: a fresh one may have replaced it since.
            self.entries.remove_if(&log_id, Entry::is_expired);
            return None;
        }
        Some(entry.aggregation)
    }

    async fn put(
        &self,
        aggregation: Aggregation<A>,
        ttl: Option<Duration>,
    ) -> Result<(), CacheError> {
        // A ttl beyond what the clock can count never expires.
        let expires_at = ttl.and_then(|ttl| Instant::now().checked_add(ttl));
        let log_id = aggregation.log_id();
        let through_index = aggregation.through_index();
        let mut entry = Some(Entry {
            aggregation,
            expires_at,
        });
        // Compares and replaces in one step: of two folds that finish at the same time, the shorter one must not stay.
        let place = self.entries.entry(&log_id, None, |_, kept| {
            let further = !kept.is_expired() && kept.aggregation.through_index() > through_index;
            if let Some(entry) = entry.take_if(|_| !further) {
                *kept = entry;
            }
            EntryAction::Retain(())
        });
        if let (EntryResult::Vacant(place), Some(entry)) = (place, entry) {
            // Refused only if the entry of the log was removed at this very moment; the next reduction writes it again.
            let _ = place.insert(entry);
        }
        Ok(())
    }

    async fn remove(&self, state: LogPosition) -> Result<(), CacheError> {
        self.entries.remove_if(&state.log_id(), |entry| {
            entry.aggregation.position() == state
        });
        Ok(())
    }

    async fn forget(&self, log_id: LogId) -> Result<(), CacheError> {
        self.entries.remove(&log_id);
        Ok(())
    }
}

impl<A> Entry<A> {
    fn is_expired(&self) -> bool {
        self.expires_at
            .is_some_and(|expires_at| expires_at <= Instant::now())
    }
}

impl<A> Clone for Entry<A> {
    fn clone(&self) -> Self {
        Self {
            aggregation: self.aggregation.clone(),
            expires_at: self.expires_at,
        }
    }
}

impl<A> fmt::Debug for MemoryAggregationCache<A> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("MemoryAggregationCache")
            .field("capacity", &self.entries.capacity())
            .finish_non_exhaustive()
    }
}
