//! Combines a fast cache with a shared one.

use super::{AggregationCache, CacheError};
use crate::aggregation::Aggregation;
use crate::ids::LogId;
use crate::log_state::LogPosition;
use crate::throttle::Throttle;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::RwLock;

/// How long the near cache keeps a copy of an entry of the far cache by default.
const DEFAULT_NEAR_TTL: Duration = Duration::from_mins(1);

/// Combines two caches: a lookup asks the near cache first, and the far cache only if the near one has nothing.
///
/// With the process's memory as the near cache and Redis as the far one, a log that this process works on costs no round trip
/// to Redis, and a log that another process has reduced costs no full fold here.
///
/// ```no_run
/// # #[cfg(feature = "redis")] {
/// use eventlogs::{MemoryAggregationCache, RedisAggregationCache, TieredAggregationCache};
/// # use eventlogs::__example::Counter;
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let near = MemoryAggregationCache::<Counter>::default();
/// let far = RedisAggregationCache::<Counter>::connect("redis://127.0.0.1:6379").await?;
/// let cache = TieredAggregationCache::new(near, far);
/// # let _ = cache;
/// # Ok(())
/// # }
/// # }
/// ```
///
/// An entry that is found in the far cache is copied into the near one. Writes go to both caches, to the near one first, so
/// that a far cache that fails or hangs loses only its own entry. The near cache may have an older entry than the far one. This
/// does no harm: every reduction fetches the events recorded since.
///
/// An entry that this process has reduced itself stays in the near cache for as long as the aggregate's rules or the near cache
/// allow. A copy of an entry of the far cache stays [for one minute](TieredAggregationCache::with_near_ttl). For that long,
/// this process may still remember a log that [another process has forgotten](crate::LogManager::forget_cached).
#[derive(Debug, Clone)]
pub struct TieredAggregationCache<N, F> {
    /// The cache that is asked first.
    near: N,
    /// The cache that is asked if the near one has nothing.
    far: F,
    /// The time to live of a copy in the near cache. The far cache does not return how long its entry will live, so the copy
    /// gets its own, short time.
    near_ttl: Duration,
    /// The number of logs that were forgotten; shared by all clones. The lock is held while the near cache forgets, and while
    /// it is given a copy: an entry that was requested from the far cache before its log was forgotten must not be copied after
    /// that.
    forgotten: Arc<RwLock<u64>>,
    /// Lets few of the warnings through; shared by all clones.
    warnings: Arc<Warnings>,
}

/// Limits the warnings about each of the two caches.
#[derive(Debug, Default)]
struct Warnings {
    /// About the near cache.
    near: Throttle,
    /// About the far cache.
    far: Throttle,
}

impl<N, F> TieredAggregationCache<N, F> {
    /// Combines a near cache with a far one.
    #[must_use]
    pub fn new(near: N, far: F) -> Self {
        Self {
            near,
            far,
            near_ttl: DEFAULT_NEAR_TTL,
            forgotten: Arc::default(),
            warnings: Arc::default(),
        }
    }

    /// Sets how long the near cache keeps a copy of an entry of the far one; one minute by default. An entry that this process
    /// has reduced itself stays as long as in the far cache.
    ///
    /// ```
    /// use eventlogs::TieredAggregationCache;
    /// use eventlogs::caches::fake::FakeAggregationCache;
    /// use std::time::Duration;
    ///
    /// # use eventlogs::__example::Counter;
    /// let near = FakeAggregationCache::<Counter>::new();
    /// let far = FakeAggregationCache::<Counter>::new();
    /// let cache = TieredAggregationCache::new(near, far).with_near_ttl(Duration::from_secs(10));
    /// # let _ = cache;
    /// ```
    #[must_use]
    pub fn with_near_ttl(mut self, ttl: Duration) -> Self {
        self.near_ttl = ttl;
        self
    }
}

impl<A, N, F> AggregationCache<A> for TieredAggregationCache<N, F>
where
    A: Send + Sync + 'static,
    N: AggregationCache<A>,
    F: AggregationCache<A>,
{
    async fn get(&self, log_id: LogId) -> Result<Option<Aggregation<A>>, CacheError> {
        let near = self.near.get(log_id).await;
        if let Ok(Some(aggregation)) = near {
            return Ok(Some(aggregation));
        }
        let forgotten = *self.forgotten.read().await;
        match (self.far.get(log_id).await, near) {
            (Ok(Some(aggregation)), _) => {
                let since = self.forgotten.read().await;
                if *since == forgotten {
                    let copy = self.near.put(aggregation.clone(), Some(self.near_ttl));
                    if let Err(error) = copy.await
                        && let Some(times) = self.warnings.near.next()
                    {
                        tracing::warn!(%log_id, error, times, "the near cache failed; using the far one");
                    }
                }
                Ok(Some(aggregation))
            }
            // The near cache works, and has nothing: a miss, not an error.
            (Err(error), Ok(_)) => {
                if let Some(times) = self.warnings.far.next() {
                    tracing::warn!(%log_id, error, times, "the far cache failed; using the near one");
                }
                Ok(None)
            }
            (Ok(None) | Err(_), Err(error)) => Err(error),
            (Ok(None), Ok(_)) => Ok(None),
        }
    }

    fn peek(&self, log_id: LogId) -> Option<Aggregation<A>> {
        self.near.peek(log_id)
    }

    fn is_remote(&self) -> bool {
        self.near.is_remote() || self.far.is_remote()
    }

    async fn put(
        &self,
        aggregation: Aggregation<A>,
        ttl: Option<Duration>,
    ) -> Result<(), CacheError> {
        // One after the other: the time limit may end while the far cache hangs, and the near one has the entry by then.
        let near = self.near.put(aggregation.clone(), ttl).await;
        let far = self.far.put(aggregation, ttl).await;
        near.and(far)
    }

    async fn remove(&self, state: LogPosition) -> Result<(), CacheError> {
        let near = self.near.remove(state).await;
        let far = self.far.remove(state).await;
        near.and(far)
    }

    async fn forget(&self, log_id: LogId) -> Result<(), CacheError> {
        // The time limit may end while the far cache hangs, and the near one has forgotten by then.
        let near = self.near.forget(log_id).await;
        let far = self.far.forget(log_id).await;
        // A lookup may have copied the entry meanwhile.
        let mut forgotten = self.forgotten.write().await;
        *forgotten = forgotten.wrapping_add(1);
        let copy = self.near.forget(log_id).await;
        near.and(copy).and(far)
    }
}
