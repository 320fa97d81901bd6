//! The one thing that services talk to.

mod append;
mod cache_writer;
mod deadline;
mod decide;
mod erased;
pub(crate) mod error;
mod fold;
mod options;
mod read;
mod reduce;
mod replays;
mod telemetry;
pub(crate) mod write_options;

pub use decide::Decided;
pub use error::{DecideError, LogManagerError};
pub use options::LogManagerOptions;
pub use reduce::PointInTime;
pub use write_options::{AppendOptions, CreateOptions, DecideOptions};

use crate::aggregate::Aggregate;
use crate::caches::AggregationCache;
use crate::ids::LogId;
use crate::metadata::source::MetadataSource;
use crate::stores::EventStore;
use cache_writer::CacheWriter;
use decide::pipeline::Pipelines;
use erased::{ErasedCache, ErasedStore};
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;
use tracing::Instrument;

/// Creates, appends to and reduces the logs of one kind of aggregate.
///
/// It is a cheaply cloned handle: clone it into every task and handler. The store and the cache are chosen when it is
/// made, at run time if you like; neither shows in its type. Calling them through that choice costs one box a call.
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

/// What the clones of a manager share.
struct Inner<A: Aggregate> {
    /// Where the logs are.
    store: Box<dyn ErasedStore<A::Event>>,
    /// Where the aggregates are kept; shared with the background task that writes to it.
    cache: Arc<dyn ErasedCache<A>>,
    /// Takes finished reductions to the cache, off the callers' path.
    cache_writer: CacheWriter<A>,
    /// The logs that are being decided on in this process.
    pipelines: Pipelines<A>,
    /// What is recorded beside the events of every write.
    metadata: Option<Arc<dyn MetadataSource>>,
    /// The time box of a look-up in the cache.
    cache_timeout: Duration,
    /// The greatest number of events that a reduction holds at a time.
    page_size: NonZeroUsize,
}

impl<A: Aggregate> LogManager<A> {
    /// A manager of the logs in `store`, with their aggregates in `cache`.
    ///
    /// It does nothing until it is used, and needs no runtime before that.
    ///
    /// On the fakes and with [`MemoryAggregationCache`](crate::MemoryAggregationCache) its futures can be polled anywhere, by
    /// hand in a test, say; outside a runtime nothing is cached. Everything else wants a tokio runtime with timers
    /// (`enable_all`): databases, Redis, a cache of your own that waits, a deadline that has to be waited for, and
    /// [`decide`](LogManager::decide) when it loses a race twice.
    #[must_use]
    pub fn new(
        store: impl EventStore<A::Event>,
        cache: impl AggregationCache<A>,
        options: LogManagerOptions<A>,
    ) -> Self {
        let cache: Arc<dyn ErasedCache<A>> = Arc::new(cache);
        let inner = Inner {
            store: Box::new(store),
            cache: Arc::clone(&cache),
            pipelines: Pipelines::default(),
            metadata: options.metadata.clone(),
            cache_timeout: options.cache_timeout,
            page_size: options.page_size,
            cache_writer: CacheWriter::new(cache, options),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Forgets the idempotency keys that were used longer ago than this, by the store's clock, and returns how many writes they
    /// belonged to: those of all managers on the store. The events stay.
    ///
    /// A retry that comes later is not recognised and happens again, so keep keys for at least the longest time in which a
    /// client may retry: days rather than minutes. Unless somebody calls this, keys are kept for ever.
    ///
    /// # Errors
    /// [`Store`](LogManagerError::Store). What was forgotten before that stays forgotten.
    pub async fn prune_idempotency_keys(
        &self,
        older_than: Duration,
    ) -> Result<u64, LogManagerError> {
        Ok(self.inner.store.prune_idempotency_keys(older_than).await?)
    }

    /// Waits until the aggregates reduced so far have been written to the cache, or dropped because it failed.
    ///
    /// Nothing is wrong with ending a process without it: what the cache misses is reduced again. Dropped half-way, the
    /// writing goes on in the background.
    pub async fn flush_cache(&self) {
        self.inner.cache_writer.flush().await;
    }

    /// Has the cache forget a log, so that the next reduction reads all its events again: for when stored events were
    /// changed by other means, as to erase what somebody wanted forgotten. Change the events first.
    ///
    /// Once it has returned, neither this process's memory nor a tier that processes share has the log, whatever event it was
    /// reduced through, and nothing that was under way on this manager and its clones puts it back. A reduction that had
    /// begun still returns what it has read, and so does a decision; a decision that had begun counts as a rival for those
    /// that begin afterwards.
    ///
    /// What is out of reach:
    /// - The memory of another process, or of another manager with a cache of its own, until its entry ends. Bound that by
    ///   `#[aggregate(cache(ttl = "10m"))]`, or by [`with_near_ttl`](crate::TieredAggregationCache::with_near_ttl), or make the
    ///   call in each process.
    /// - A reduction that another process has under way, which may put what it has read into the shared tier afterwards. To
    ///   be sure of that one, make the call once more after the longest time that a reduction takes.
    /// - Entries that another version of the program has put into a shared tier under its own
    ///   [fingerprint](crate::CodeFingerprint), until they end: by default within
    ///   [a day or so](crate::RedisCacheOptions::default_ttl).
    ///
    /// Dropped half-way, it may have forgotten the log or not.
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
    /// [`NotForgotten`](LogManagerError::NotForgotten) if the cache cannot be told, or not within
    /// [`cache_write_timeout`](LogManagerOptions::cache_write_timeout).
    pub async fn forget_cached(&self, log_id: impl Into<LogId>) -> Result<(), LogManagerError> {
        let log_id = log_id.into();
        let span = tracing::info_span!("forget_cached", aggregate = A::name(), %log_id);
        async {
            let forgotten = self.inner.cache_writer.forget_log(log_id).await;
            self.inner.pipelines.forget(log_id);
            forgotten.map_err(|source| LogManagerError::NotForgotten { log_id, source })
        }
        .instrument(span)
        .await
    }
}

impl<A: Aggregate> Clone for LogManager<A> {
    // By hand, because the derive would ask nothing more but say so of `A`.
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
