//! Where reduced aggregates are kept between reductions.

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
pub mod tiered;

use crate::aggregation::Aggregation;
use crate::ids::LogId;
use crate::log_state::LogPosition;
use std::sync::Arc;
use std::time::Duration;

/// Why a cache did not answer. It never reaches the caller of a [`LogManager`](crate::LogManager): a failing cache is a
/// slow cache, not an error.
pub type CacheError = Box<dyn std::error::Error + Send + Sync>;

/// A place for aggregates that may lose anything at any time.
///
/// An entry need not be of the log's true history, nor be new, to be harmless: a reduction that starts from it first compares
/// the event that it was reduced through with the store, and fetches what was recorded since. The state itself is believed.
/// So a cache gives back what it was given, or nothing; and whoever can write to it by other means can have decisions made on
/// a state that never was, see
#[cfg_attr(
    feature = "redis",
    doc = "[`RedisCacheOptions::mac_keys`](crate::RedisCacheOptions::mac_keys)."
)]
#[cfg_attr(not(feature = "redis"), doc = "`RedisCacheOptions::mac_keys`.")]
///
/// Calls are time-boxed by the manager, and a call that is dropped half-way must leave the cache usable.
/// [`testing::conformance`](crate::testing::conformance) has the suite that every cache must pass.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a cache for `{A}`",
    note = "a cache holds the aggregations of one type, as in `MemoryAggregationCache::<{A}>::default()`"
)]
pub trait AggregationCache<A>: Send + Sync + 'static {
    /// What is kept for a log, if anything.
    ///
    /// # Errors
    /// When the cache cannot be asked. An entry that cannot be read is not an error but absent.
    fn get(
        &self,
        log_id: LogId,
    ) -> impl Future<Output = Result<Option<Aggregation<A>>, CacheError>> + Send;

    /// Keeps an aggregation, unless an entry that was reduced further is already there.
    ///
    /// `ttl` is how long it may be kept; `None` leaves that to the cache.
    ///
    /// # Errors
    /// When the cache cannot be written.
    fn put(
        &self,
        aggregation: Aggregation<A>,
        ttl: Option<Duration>,
    ) -> impl Future<Output = Result<(), CacheError>> + Send;

    /// Drops the entry of a log if it was reduced through exactly this event, and leaves any other alone.
    ///
    /// # Errors
    /// When the cache cannot be written.
    fn remove(&self, state: LogPosition) -> impl Future<Output = Result<(), CacheError>> + Send;

    /// Drops the entry of a log, whatever event it was reduced through. Once it has returned, the cache does not give the
    /// entry back, from whatever tier, until somebody puts another one.
    ///
    /// # Errors
    /// When the cache cannot be written: then the entry may still be there.
    fn forget(&self, log_id: LogId) -> impl Future<Output = Result<(), CacheError>> + Send;
}

/// A cache that several managers, or a manager and a test, share.
impl<A: Send + 'static, C: AggregationCache<A>> AggregationCache<A> for Arc<C> {
    fn get(
        &self,
        log_id: LogId,
    ) -> impl Future<Output = Result<Option<Aggregation<A>>, CacheError>> + Send {
        C::get(self, log_id)
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
