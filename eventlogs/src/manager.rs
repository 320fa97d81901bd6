//! [`LogManager`]: the type through which services create, append to and reduce logs.

mod append;
mod cache_writer;
mod deadline;
mod decide;
mod erased;
pub(crate) mod error;
mod flights;
mod fold;
mod lengths;
mod lifecycle;
mod list;
mod options;
mod read;
mod reduce;
mod reduce_options;
mod replays;
mod telemetry;
pub(crate) mod write_options;

pub use decide::Decided;
pub use decide::across::decided::{DecidedAcross, DecidedLog};
pub use decide::across::{Across, IntoLog, IntoLogs, ManagedLog, across};
pub use decide::outcome::{DecisionOutcome, IntoEvents};
pub use error::{DecideError, LogManagerError};
pub use fold::PointInTime;
pub use list::ListOptions;
pub use options::LogManagerOptions;
pub use reduce_options::{Freshness, ReduceOptions};
pub use write_options::{AppendOptions, CreateOptions, DecideOptions};

use crate::aggregate::Aggregate;
use crate::caches::AggregationCache;
use crate::ids::IntoLogId;
use crate::metadata::source::MetadataSource;
use crate::stores::EventStore;
use crate::throttle::Throttle;
use cache_writer::CacheWriter;
use decide::pipeline::Pipelines;
use erased::{ErasedCache, ErasedStore};
use flights::Flights;
use lengths::Lengths;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;
use telemetry::Measures;
use telemetry::labels::Operation;
use tracing::Instrument;

/// Creates, appends to and reduces the logs of one kind of aggregate.
///
/// A manager is a handle that is cheap to clone: clone it into every task and handler.
///
/// The store and the cache are chosen when the manager is made, at run time if you like. Neither appears in its type. They are
/// therefore called through dynamic dispatch, which costs one allocation per call to the store or to the cache.
///
/// ```
/// # #[cfg(feature = "macros")] {
/// use eventlogs::caches::fake::FakeAggregationCache;
/// use eventlogs::stores::fake::FakeEventStore;
/// use eventlogs::{Aggregate, CreateOptions, LogManager, LogManagerOptions, event_handler, ids::LogId};
///
/// #[derive(Debug, Clone)]
/// pub enum BasketEvent { Added { pieces: u32 }, Emptied }
///
/// #[derive(Debug, Default, Clone, Aggregate)]
/// #[aggregate(event = BasketEvent)]
/// pub struct Basket { pieces: u32 }
///
/// #[event_handler(BasketEvent)]
/// impl Basket {
///     #[on(Added)]
///     fn add(&mut self, pieces: u32) { self.pieces += pieces; }
///     #[on(Emptied)]
///     fn empty(&mut self) { self.pieces = 0; }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), eventlogs::LogManagerError> {
/// let baskets = LogManager::<Basket>::new(
///     FakeEventStore::new(),
///     FakeAggregationCache::new(),
///     LogManagerOptions::default(),
/// );
/// let id = LogId::new();
/// let state = baskets.create(&id, &BasketEvent::Added { pieces: 2 }, &CreateOptions::default()).await?;
/// baskets.append(state, &BasketEvent::Added { pieces: 3 }, &Default::default()).await?;
/// assert_eq!(baskets.reduce(&id).await?.aggregate().pieces, 5);
/// # Ok(()) }
/// # }
/// ```
pub struct LogManager<A: Aggregate> {
    /// Shared by all clones.
    inner: Arc<Inner<A>>,
}

/// The state that all clones of a manager share.
struct Inner<A: Aggregate> {
    /// Keeps the logs.
    store: Box<dyn ErasedStore<A::Event>>,
    /// Keeps the aggregates; shared with the background task that writes to it.
    cache: Arc<dyn ErasedCache<A>>,
    /// Writes finished reductions to the cache in the background, so that callers do not wait.
    cache_writer: CacheWriter<A>,
    /// The logs that are being decided on by this manager and its clones.
    pipelines: Pipelines<A>,
    /// The logs that are being reduced from the start.
    flights: Flights<A>,
    /// About how many events the logs have.
    lengths: Lengths,
    /// `true` if a policy in the options replaces the aggregate's own rules.
    has_own_policy: bool,
    /// Supplies metadata that is stored with the events of every write.
    metadata: Option<Arc<dyn MetadataSource>>,
    /// The time limit of a lookup in the cache.
    cache_timeout: Duration,
    /// The number of events that a reduction holds in memory at most.
    page_size: NonZeroUsize,
    /// The metrics.
    measures: Arc<Measures>,
    /// Lets few of the warnings about the cache through.
    cache_warnings: CacheWarnings,
}

/// Limits the warnings about lookups in the cache. The metrics count all.
#[derive(Default)]
struct CacheWarnings {
    /// The cache returned an error.
    failed: Throttle,
    /// The cache took too long.
    too_slow: Throttle,
}

impl<A: Aggregate> LogManager<A> {
    /// Makes a manager of the logs in `store`, which keeps their aggregates in `cache`.
    ///
    /// The manager does nothing until its first call, and needs no runtime before that.
    ///
    /// With the fake store, and the fake cache or [`MemoryAggregationCache`](crate::MemoryAggregationCache), its futures can be
    /// polled anywhere, for instance by hand in a test. Outside a runtime nothing is cached. The following need a tokio runtime
    /// with timers (`enable_all`):
    /// - databases and Redis;
    /// - a cache of your own that waits;
    /// - a deadline that has to be waited for;
    /// - [`decide`](LogManager::decide), when it loses a race twice.
    #[must_use]
    pub fn new(
        store: impl EventStore<A::Event>,
        cache: impl AggregationCache<A>,
        options: LogManagerOptions<A>,
    ) -> Self {
        let cache: Arc<dyn ErasedCache<A>> = Arc::new(cache);
        let measures = Arc::new(Measures::new(A::name(), store.store_name()));
        let inner = Inner {
            store: Box::new(store),
            cache: Arc::clone(&cache),
            pipelines: Pipelines::default(),
            flights: Flights::default(),
            lengths: Lengths::default(),
            has_own_policy: options.caching_policy.is_some(),
            metadata: options.metadata.clone(),
            cache_timeout: options.cache_timeout,
            page_size: options.page_size,
            cache_writer: CacheWriter::new(cache, options, Arc::clone(&measures)),
            measures,
            cache_warnings: CacheWarnings::default(),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Deletes the idempotency keys that were used more than `older_than` ago, by the store's clock, and returns the number of
    /// writes they belonged to.
    ///
    /// The keys of all managers on the store are deleted. The events stay.
    ///
    /// A retry with a deleted key is not recognised: its write happens again. So keep keys for at least the longest time in
    /// which a client may retry: days rather than minutes. Without this call, keys are kept indefinitely.
    ///
    /// # Errors
    /// - [`Store`](LogManagerError::Store) if the database fails. Keys deleted before the failure stay deleted.
    pub async fn prune_idempotency_keys(
        &self,
        older_than: Duration,
    ) -> Result<u64, LogManagerError> {
        let call = self.inner.measures.begin(Operation::PruneIdempotencyKeys);
        let span =
            tracing::info_span!("prune_idempotency_keys", aggregate = A::name(), ?older_than);
        let pruned = self.inner.store.prune_idempotency_keys(older_than);
        call.end(pruned.instrument(span).await.map_err(LogManagerError::from))
    }

    /// Waits until the aggregates reduced so far are written to the cache, or are dropped because the cache failed.
    ///
    /// A process may end without this call: aggregates that the cache lacks are reduced again. If the future is dropped, the
    /// writing goes on in the background.
    pub async fn flush_cache(&self) {
        let call = self.inner.measures.begin(Operation::FlushCache);
        let span = tracing::info_span!("flush_cache", aggregate = A::name());
        self.inner.cache_writer.flush().instrument(span).await;
        call.done();
    }

    /// Removes a log from the cache, so that the next reduction reads all its events again.
    ///
    /// It is for stored events that were changed by other means, for instance to erase personal data. Change the events first.
    ///
    /// After the call has returned:
    /// - This manager's cache has no entry of the log any more, no matter at which event of the log an entry ended. That holds
    ///   for its memory and for a cache that processes share.
    /// - No call in progress on this manager and its clones puts the log back.
    /// - A reduction or a decision that began before still returns a state computed from the events that it had read.
    /// - A decision that began before does not take turns with decisions that begin later. They can conflict, as decisions of
    ///   two processes can.
    ///
    /// The call does not reach:
    /// - The memory of another process, or of another manager with a cache of its own, until its entry expires. Limit that time
    ///   with `#[aggregate(cache(ttl = "10m"))]` or [`with_near_ttl`](crate::TieredAggregationCache::with_near_ttl), or make
    ///   the call in each process.
    /// - A reduction in progress in another process, or in another manager of this process, which may later put the state that
    ///   it has computed into the shared tier. To be sure, repeat the call after the longest time that a reduction takes.
    /// - Entries that another version of the program has put into a shared tier under its own
    ///   [fingerprint](crate::CodeFingerprint), until they expire: by default within
    ///   [about a day](crate::RedisCacheOptions::default_ttl).
    ///
    /// If the future is dropped, the log's entries may or may not have been removed from the cache.
    ///
    /// ```
    /// # use eventlogs::caches::fake::FakeAggregationCache;
    /// # use eventlogs::stores::fake::FakeEventStore;
    /// # use eventlogs::__example::{Counter, CounterEvent};
    /// # use eventlogs::{LogManager, LogManagerOptions, ids::LogId};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), eventlogs::LogManagerError> {
    /// # let logs = LogManager::<Counter>::new(FakeEventStore::new(), FakeAggregationCache::new(), LogManagerOptions::default());
    /// # let id = LogId::new();
    /// # logs.create(&id, &CounterEvent::Added { amount: 1 }, &Default::default()).await?;
    /// logs.reduce(&id).await?;
    /// logs.flush_cache().await;
    /// logs.forget_cached(id).await?;
    /// assert_eq!(logs.reduce(&id).await?.applied_events(), 1);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// - [`NotForgotten`](LogManagerError::NotForgotten) if the cache fails, or does not confirm the removal within
    ///   [`cache_write_timeout`](LogManagerOptions::cache_write_timeout).
    pub async fn forget_cached(&self, log_id: impl IntoLogId) -> Result<(), LogManagerError> {
        let log_id = log_id.into_log_id();
        let call = self.inner.measures.begin(Operation::ForgetCached);
        let span = tracing::info_span!("forget_cached", aggregate = A::name(), %log_id);
        let forgotten = async {
            let forgotten = self.inner.cache_writer.forget_log(log_id).await;
            self.inner.pipelines.forget(log_id);
            forgotten.map_err(|error| LogManagerError::NotForgotten {
                log_id,
                source: error.into(),
            })
        };
        call.end(forgotten.instrument(span).await)
    }
}

impl<A: Aggregate> Clone for LogManager<A> {
    // Written by hand: a derived `Clone` would add a redundant `A: Clone` bound.
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
        }
    }
}

impl<A: Aggregate> fmt::Debug for LogManager<A> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("LogManager")
            .field("aggregate", &A::name())
            .finish_non_exhaustive()
    }
}
