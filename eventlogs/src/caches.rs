//! Caches, which keep reduced aggregates between reductions.

#[cfg(feature = "_shared_cache")]
pub(crate) mod envelope;
pub mod fake;
pub mod memory;
#[cfg(feature = "redis")]
pub mod redis;
#[cfg(feature = "_shared_cache")]
pub(crate) mod seal;
#[cfg(any(feature = "testing", feature = "_shared_cache"))]
pub(crate) mod snapshot;
#[cfg(feature = "redis")]
mod telemetry;
pub mod tiered;

use crate::aggregation::Aggregation;
use crate::ids::LogId;
use crate::log_state::LogPosition;
use std::sync::Arc;
use std::time::Duration;

/// The error of a cache that cannot be read or written. It never reaches the caller of a [`LogManager`](crate::LogManager): a
/// failing cache makes calls slower, but does not make them fail.
pub type CacheError = Box<dyn std::error::Error + Send + Sync>;

/// Keeps aggregates between reductions, and may lose any of them at any time.
///
/// An old entry, or one that is not of the log's true history, does no harm: a reduction that starts from an entry first
/// compares the event that the entry was reduced through with the store, and fetches the events recorded since. The state
/// itself is not checked. So a cache must return what it was given, or nothing. Anyone who can write to it by other means can
/// cause decisions on a state that never existed, see
#[cfg_attr(
    feature = "redis",
    doc = "[`RedisCacheOptions::mac_keys`](crate::RedisCacheOptions::mac_keys)."
)]
#[cfg_attr(not(feature = "redis"), doc = "`RedisCacheOptions::mac_keys`.")]
///
/// The manager limits the time of each call. A call that is dropped half-way must leave the cache usable.
/// [`testing::conformance`](crate::testing::conformance) has the suite that every cache must pass.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a cache for `{A}`",
    note = "a cache holds the aggregations of one type, as in `MemoryAggregationCache::<{A}>::default()`"
)]
pub trait AggregationCache<A>: Send + Sync + 'static {
    /// Returns the aggregation that is kept for a log, if there is one.
    ///
    /// # Errors
    /// If the cache cannot be reached. An entry that cannot be read is not an error; it counts as absent.
    fn get(
        &self,
        log_id: LogId,
    ) -> impl Future<Output = Result<Option<Aggregation<A>>, CacheError>> + Send;

    /// Returns the aggregation that is kept for a log in the memory of this process, if there is one, without waiting.
    ///
    /// A cache that keeps nothing in the process returns `None`, as a cache does that does not implement it.
    fn peek(&self, log_id: LogId) -> Option<Aggregation<A>> {
        let _ = log_id;
        None
    }

    /// Returns `true` if [`get`](AggregationCache::get) asks another process. The manager then reads the newest events of the
    /// log at the same time. A cache that does not implement it returns `false`.
    fn is_remote(&self) -> bool {
        false
    }

    /// Keeps an aggregation, unless the cache already has an entry that was reduced further.
    ///
    /// `ttl` is how long it may be kept; `None` leaves that to the cache.
    ///
    /// # Errors
    /// If the cache cannot be written.
    fn put(
        &self,
        aggregation: Aggregation<A>,
        ttl: Option<Duration>,
    ) -> impl Future<Output = Result<(), CacheError>> + Send;

    /// Removes the entry of a log if it was reduced through exactly this event, and keeps any other entry.
    ///
    /// # Errors
    /// If the cache cannot be written.
    fn remove(&self, state: LogPosition) -> impl Future<Output = Result<(), CacheError>> + Send;

    /// Removes the entry of a log, whatever event it was reduced through. Once this has returned, no tier of the cache returns
    /// the entry until another one is put.
    ///
    /// # Errors
    /// If the cache cannot be written. The entry may then still be there.
    fn forget(&self, log_id: LogId) -> impl Future<Output = Result<(), CacheError>> + Send;
}

/// A cache that is shared by several managers, or by a manager and a test.
impl<A: Send + 'static, C: AggregationCache<A>> AggregationCache<A> for Arc<C> {
    fn get(
        &self,
        log_id: LogId,
    ) -> impl Future<Output = Result<Option<Aggregation<A>>, CacheError>> + Send {
        C::get(self, log_id)
    }

    fn peek(&self, log_id: LogId) -> Option<Aggregation<A>> {
        C::peek(self, log_id)
    }

    fn is_remote(&self) -> bool {
        C::is_remote(self)
    }

    fn put(
        &self,
        aggregation: Aggregation<A>,
        ttl: Option<Duration>,
    ) -> impl Future<Output = Result<(), CacheError>> + Send {
        C::put(self, aggregation, ttl)
    }

    fn remove(&self, state: LogPosition) -> impl Future<Output = Result<(), CacheError>> + Send {
        C::remove(self, state)
    }

    fn forget(&self, log_id: LogId) -> impl Future<Output = Result<(), CacheError>> + Send {
        C::forget(self, log_id)
    }
}
