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
    /// What all keys start with; `eventlogs` by default. Programs with databases of their own that share a Redis need
    /// one each, or they would only push out each other's entries.
    pub namespace: String,
    /// How long an entry lives if neither the aggregate nor the policy says so; a day by default. It varies by a tenth,
    /// so that what was cached at once does not expire at once. `None` keeps entries until Redis itself lets go of
    /// them.
    pub default_ttl: Option<Duration>,
    /// How long Redis may take for one answer; 500 ms by default. A connection that is slower is given up and made
    /// anew. Reductions do not wait for this: they have [a shorter time box of their
    /// own](crate::LogManagerOptions::cache_timeout).
    pub response_timeout: Duration,
    /// How long [`connect`](crate::RedisAggregationCache::connect), and each later attempt in the background, may take;
    /// 5 s by default.
    pub connect_timeout: Duration,
    /// How many bytes an entry may have; 1 MiB by default. Larger aggregates are not cached: fetching them would not be
    /// faster than reducing them, and Redis answers everybody else in the order of arrival.
    pub max_entry_bytes: usize,
    /// Keys for a code (HMAC-SHA-256) that seals each entry together with where it stands, so that only those who have a
    /// key can make one; none by default. Without, an entry has a checksum, which is about accidents: whoever can write to
    /// Redis can have a state decided on that never was.
    ///
    /// Entries are sealed with the first key, and accepted with any. A new key is brought in by adding it *behind* the old
    /// one in all processes, then moving it to the front, and then leaving out the old one. What is not sealed with one of
    /// the keys is a miss, and is dropped.
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
    /// Whom to trust, and how to be known, where the URL begins with `rediss://`; by default everybody whom the system trusts,
    /// and not at all.
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
