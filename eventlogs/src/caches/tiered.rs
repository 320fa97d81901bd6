//! A fast cache in front of a shared one.

use super::{AggregationCache, CacheError};
use crate::aggregation::Aggregation;
use crate::ids::LogId;
use crate::log_state::LogPosition;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::RwLock;

/// How long the near cache keeps what came from the far one, unless said otherwise.
const DEFAULT_NEAR_TTL: Duration = Duration::from_mins(1);

/// Two caches as one: the near one is asked first, the far one only if that has nothing.
///
/// With the process's memory near and Redis far, a log that this process works on costs no round trip to Redis, and one
/// that another process has reduced costs no full fold here.
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
/// What the far cache has goes into the near one on the way. Writes go to both, the near one first, so that a far cache
/// that fails or hangs only loses its own part. That the near cache may be behind the far one does no harm: a reduction
/// fetches what was recorded since, as it always does.
///
/// What this process has reduced itself stays near for as long as the aggregate's rules or the near cache say, and what it
/// copied from the far one [for a minute](TieredAggregationCache::with_near_ttl): so long a log that
/// [another process has had forgotten](crate::LogManager::forget_cached) may be remembered here.
#[derive(Debug, Clone)]
pub struct TieredAggregationCache<N, F> {
    /// Asked first.
    near: N,
    /// Asked if the near one has nothing.
    far: F,
    /// The far cache does not tell how long its entry would have lived on, so the copy gets a short life of its own.
    near_ttl: Duration,
    /// How many logs were forgotten; shared by all clones. Held while the near cache is told, and while it is given a copy:
    /// what was asked of the far cache before a log was forgotten must not be copied after that.
    forgotten: Arc<RwLock<u64>>,
}

impl<N, F> TieredAggregationCache<N, F> {
    /// Puts a near cache in front of a far one.
    #[must_use]
    pub fn new(near: N, far: F) -> Self {
        Self {
            near,
            far,
            near_ttl: DEFAULT_NEAR_TTL,
            forgotten: Arc::default(),
        }
    }

    /// How long the near cache keeps a copy of what the far one had; a minute by default. What this process has reduced
    /// itself stays as long as in the far cache.
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
                    if let Err(error) = copy.await {
                        tracing::warn!(%log_id, error, "the near cache failed; answering from the far one");
                    }
                }
                Ok(Some(aggregation))
            }
            // The near cache has answered, and that is an answer.
            (Err(error), Ok(_)) => {
                tracing::warn!(%log_id, error, "the far cache failed; answering from the near one");
                Ok(None)
            }
            (Ok(None) | Err(_), Err(error)) => Err(error),
            (Ok(None), Ok(_)) => Ok(None),
        }
    }

    async fn put(
        &self,
        aggregation: Aggregation<A>,
        ttl: Option<Duration>,
    ) -> Result<(), CacheError> {
        // One after the other: the time box may end while the far cache hangs, and the near one has it by then.
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
        // The time box may end while the far cache hangs, and the near one has forgotten by then.
        let near = self.near.forget(log_id).await;
        let far = self.far.forget(log_id).await;
        // Meanwhile somebody may have copied the entry.
        let mut forgotten = self.forgotten.write().await;
        *forgotten = forgotten.wrapping_add(1);
        let copy = self.near.forget(log_id).await;
        near.and(copy).and(far)
    }
}
