#[cfg(feature = "tls-rustls")]
use crate::caches::redis::tls::options::RedisTls;
use crate::caches::seal::MacKey;
use std::time::Duration;

/// Options of a [`RedisAggregationCache`](crate::RedisAggregationCache).
///
/// ```
/// use eventlogs::RedisCacheOptions;
/// use std::time::Duration;
///
/// let options = RedisCacheOptions {
///     namespace: "shop".to_owned(),
///     default_ttl: Some(Duration::from_hours(1)),
///     ..Default::default()
/// };
/// # let _ = options;
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedisCacheOptions {
    /// The start of all keys; `eventlogs` by default. Programs that share a Redis and have their own databases need one
    /// namespace each; otherwise they would only replace each other's entries.
    pub namespace: String,
    /// How long an entry lives if neither the aggregate nor the policy sets a time; one day by default. It varies by 10 %, so
    /// that entries that were cached at the same time do not expire at the same time. `None` keeps entries until Redis itself
    /// evicts them.
    pub default_ttl: Option<Duration>,
    /// How long Redis may take for one answer; 500 ms by default. A connection that is slower is given up and replaced.
    /// Reductions do not wait for this: they have [a shorter time limit](crate::LogManagerOptions::cache_timeout).
    pub response_timeout: Duration,
    /// The time limit for [`connect`](crate::RedisAggregationCache::connect), and for each later attempt in the background; 5 s
    /// by default.
    pub connect_timeout: Duration,
    /// The largest size of an entry, in bytes; 1 MiB by default. Larger aggregates are not cached: fetching them would not be
    /// faster than reducing them, and they would delay all other users, because Redis answers in the order of arrival.
    pub max_entry_bytes: usize,
    /// Keys for an authentication code (HMAC-SHA-256) that seals each entry together with its Redis key, so that only those who
    /// have a key can make an entry; none by default. Without keys, an entry has a checksum, which only protects against
    /// accidents: anyone who can write to Redis can cause decisions on a state that never existed.
    ///
    /// Entries are sealed with the first key, and accepted with any of the keys. To introduce a new key, add it *after* the old
    /// one in all processes, then move it to the first place, and then remove the old one. An entry that is not sealed with one
    /// of the keys is a miss, and is removed.
    ///
    /// ```
    /// use eventlogs::{MacKey, RedisCacheOptions};
    ///
    /// # let (current, former) = ([1; 32], [2; 32]);
    /// let options = RedisCacheOptions {
    ///     mac_keys: vec![MacKey::new(current), MacKey::new(former)],
    ///     ..Default::default()
    /// };
    /// # let _ = options;
    /// ```
    pub mac_keys: Vec<MacKey>,
    /// The certificates for a URL that starts with `rediss://`. By default, every authority that the system trusts is trusted,
    /// and this process has no certificate.
    #[cfg(feature = "tls-rustls")]
    pub tls: RedisTls,
}

impl Default for RedisCacheOptions {
    fn default() -> Self {
        Self {
            namespace: "eventlogs".to_owned(),
            default_ttl: Some(Duration::from_hours(24)),
            response_timeout: Duration::from_millis(500),
            connect_timeout: Duration::from_secs(5),
            max_entry_bytes: 1024 * 1024,
            mac_keys: Vec::new(),
            #[cfg(feature = "tls-rustls")]
            tls: RedisTls::default(),
        }
    }
}
