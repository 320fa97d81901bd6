//! Options of a reduction.

use std::time::Duration;

/// Options of [`reduce_with`](crate::LogManager::reduce_with).
///
/// ```
/// use eventlogs::{Freshness, ReduceOptions};
/// use std::time::Duration;
///
/// let options = ReduceOptions { freshness: Freshness::AtMost(Duration::from_secs(1)) };
/// assert_eq!(ReduceOptions::default().freshness, Freshness::Latest);
/// # let _ = options;
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReduceOptions {
    /// How old the state may be; [`Latest`](Freshness::Latest) by default.
    pub freshness: Freshness,
}

/// How old a reduced state may be.
///
/// Only `Latest` is monotonic: a caller who has seen a state never gets an earlier one of the same log. With the others it may,
/// for instance because an entry of the cache was evicted and replaced by an older one of another tier. Decisions do not depend
/// on it: [`decide`](crate::LogManager::decide) compares every state with the store, whatever it was reduced with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Freshness {
    /// The state includes all events that were committed before the call. It takes one round trip to the store.
    #[default]
    Latest,
    /// The state includes all events that were committed this long before the call. The age counts from the time at which the
    /// read was sent that has last compared the state with the store.
    ///
    /// If the cache has such a state in this process, the call takes no round trip. Otherwise it is as for `Latest`. A state
    /// that comes from a shared cache, such as Redis, is of unknown age until this process has compared it.
    AtMost(Duration),
    /// Any state that the cache has, however old. If the cache has it in this process, the call takes no round trip, and if a
    /// shared cache has it, one to that cache. If no cache has the log, it is as for `Latest`.
    ///
    /// The age is limited by nothing but the time to live of the entries, see
    /// [`CacheRules::ttl`](crate::CacheRules::ttl).
    Cached,
}
