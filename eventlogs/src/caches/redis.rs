//! The cache in Redis, which several processes share.

mod connect;
mod connection;
mod error;
mod moved;
mod options;
mod reconnect;
mod scripts;
mod timeouts;
mod tls;

use super::{AggregationCache, CacheError};
use crate::aggregate::{Aggregate, CodeFingerprint, WholeSnapshot};
use crate::aggregation::Aggregation;
use crate::caches::envelope;
use crate::caches::envelope::Identity;
use crate::caches::seal::Sealing;
use crate::caches::snapshot::SnapshotError;
use crate::caches::telemetry;
use crate::ids::LogId;
use crate::log_state::LogPosition;
use connection::Connection;
use redis::{ErrorKind, RedisError, RedisResult, ServerErrorKind, Value, cmd};
use scripts::Compare;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

pub use crate::caches::seal::MacKey;
pub use error::RedisConnectError;
pub use options::RedisCacheOptions;
#[cfg(feature = "tls-rustls")]
pub use tls::{RedisTls, RedisTlsClient};

/// The longest time to live, before it is varied; Redis refuses a time that exceeds its clock.
const LONGEST_TTL: Duration = Duration::from_hours(24 * 365 * 100);

/// Keeps aggregates in Redis (6.2 or later, or another server that speaks its protocol), where other processes find them.
///
/// The aggregate must be serialisable, and implement [`CodeFingerprint`] and [`WholeSnapshot`]; `derive(Aggregate)` implements
/// both. Programs whose [fingerprints](#other-versions-of-the-program) differ share a Redis without seeing each other's
/// entries.
///
/// ```no_run
/// use eventlogs::{Aggregate, Event, LogManager, LogManagerOptions, RedisAggregationCache, event_handler};
/// # use eventlogs::stores::fake::FakeEventStore;
/// use serde::{Deserialize, Serialize};
/// # #[derive(Debug, Clone, Event)]
/// # pub enum PaymentEvent { #[event(name = "payment.captured")] Captured { amount: u64 } }
///
/// #[derive(Debug, Default, Clone, Serialize, Deserialize, Aggregate)]
/// #[aggregate(event = PaymentEvent)]
/// pub struct Payment { captured: u64 }
/// # #[event_handler(PaymentEvent)]
/// # impl Payment { #[on(Captured)] fn capture(&mut self, amount: u64) { self.captured += amount; } }
///
/// # async fn run(store: FakeEventStore<PaymentEvent>) -> Result<(), Box<dyn std::error::Error>> {
/// let cache = RedisAggregationCache::<Payment>::connect("redis://127.0.0.1:6379").await?;
/// let payments = LogManager::<Payment>::new(store, cache, LogManagerOptions::default());
/// # Ok(())
/// # }
/// ```
///
/// # Cost
///
/// Every call takes one round trip, on one connection that all calls and all clones of the cache share: `get` sends a `GET`,
/// `forget` an `UNLINK`, `put` and `remove` one script each. Two cases take one more round trip each: the first use of a script
/// after Redis was started, and a value that is not a valid entry, which is removed.
///
/// # Cached states
///
/// The cache keeps a state only if reading it back gives the same state. Before an aggregate is put, in the background, it is
/// read back from its bytes and compared. An aggregate that comes back as another value, or not at all, is not cached, and a
/// warning is logged. The comparison distinguishes `Some(None)` from `None` at any depth, and `-0.0` from `0.0`.
///
/// This check cannot find a value that serde does not write, nor two states that are written alike. [`WholeSnapshot`] excludes
/// aggregates whose own fields have `#[serde(skip)]`, `skip_serializing` or `skip_deserializing`. For the types of those
/// fields, write a test with [`snapshot_laws!`](crate::testing::snapshot_laws).
///
/// # Other versions of the program
///
/// Code with another fingerprint uses other keys in Redis. The [fingerprint](CodeFingerprint) does not cover the types of
/// fields, so an entry also records what the types of the state requested from serde when it was read back: the names of fields
/// and variants, and the kinds of numbers. If the types of the reader request something else, the entry is a miss. Two versions
/// that differ only in a nested type replace each other's entries for as long as both run. A string in
/// [`#[aggregate(fingerprint = "…")]`](macro@crate::Aggregate#fingerprint--) gives the new version its own keys. A change goes
/// unnoticed if it does not alter what the types request from serde. An example is a change to a variant of an untagged or
/// internally tagged enum, if the state does not use that variant.
///
/// # Write access to Redis
///
/// A forged entry, with a true event id and a false state, is believed: reductions return that state, and decisions are made on
/// it. Keep strangers out of the Redis, or give the cache [`mac_keys`](RedisCacheOptions::mac_keys): then only the entries of
/// those who have a key count. An old entry of the same log that is put back does no harm, because a reduction fetches the
/// events recorded since. The exception is a log whose stored events were changed by other means: the old entry brings the
/// former state back. After such a change, use new keys.
///
/// # Lost entries and failures
///
/// Redis may lose, evict or expire entries at any time, also under `maxmemory` with an `allkeys` policy. A connection that
/// breaks is replaced in the background; until then, calls fail at once. A connection to a server that has become a replica, or
/// that is still loading, is replaced as well: after a failover, the cache follows the address within seconds. A value that is
/// not an entry of this log, aggregate and code is a miss. So is an entry on which a type's `Deserialize` panics, which may
/// come from another build. (The program's panic hook runs for it; with `panic = "abort"` nothing can be caught.)
///
/// A Redis user with few privileges needs `ping`, `get`, `evalsha`, `eval`, `getrange`, `set` and `unlink`.
///
/// # TLS
///
/// With the feature `tls-rustls`, the cache uses TLS for a URL that starts with `rediss://`. The server's certificate must be
/// for the host that the URL names, and must be signed by an authority that the system trusts, or by one of those in the
/// options (`RedisCacheOptions::tls`). Without TLS, everything is sent in plain text, including the password and the
/// aggregates. Use that only in a network in which no other machine can read or answer.
///
/// The implementation of TLS is rustls. It uses the cryptography that the program has installed as the process's default
/// (`rustls::crypto::CryptoProvider`). If there is none, the first cache with such a URL installs *ring* as the default.
///
/// # Keys
///
/// A key such as `eventlogs:Payment:88a1f0c2b4d6e813:{0198b0a2-…}` consists of the namespace, the [name](Aggregate::name) and
/// the fingerprint of the aggregate, and the log. The braces keep a log's entries on one node of a cluster.
pub struct RedisAggregationCache<A> {
    /// Shared by all clones.
    connection: Arc<dyn Connection>,
    /// Shared by all clones.
    options: Arc<RedisCacheOptions>,
    /// How entries are sealed; shared by all clones.
    sealing: Arc<Sealing>,
    /// No field holds an `A`; the type only determines the keys and the entries.
    aggregate: PhantomData<fn() -> A>,
}

impl<A> RedisAggregationCache<A> {
    fn over(connection: Arc<dyn Connection>, options: RedisCacheOptions) -> Self {
        Self {
            connection,
            sealing: Arc::new(Sealing::new(&options.mac_keys)),
            options: Arc::new(options),
            aggregate: PhantomData,
        }
    }

    /// Returns a cache for another aggregate, on the same connection and with the same options.
    ///
    /// ```no_run
    /// # use eventlogs::RedisAggregationCache;
    /// # pub struct Payment; pub struct Customer;
    /// # async fn run() -> Result<(), eventlogs::RedisConnectError> {
    /// let payments = RedisAggregationCache::<Payment>::connect("redis://127.0.0.1:6379").await?;
    /// let customers = payments.for_aggregate::<Customer>();
    /// # let _ = customers;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn for_aggregate<B>(&self) -> RedisAggregationCache<B> {
        RedisAggregationCache {
            connection: Arc::clone(&self.connection),
            options: Arc::clone(&self.options),
            sealing: Arc::clone(&self.sealing),
            aggregate: PhantomData,
        }
    }

    /// Runs a script by its hash, which Redis usually knows.
    async fn run(&self, script: &Compare, key: &str, arguments: &[&[u8]]) -> RedisResult<()> {
        let answer = self.connection.send(&script.by_hash(key, arguments)).await;
        let unknown = ErrorKind::Server(ServerErrorKind::NoScript);
        if answer.as_ref().is_err_and(|error| error.kind() == unknown) {
            self.connection
                .send(&script.by_code(key, arguments))
                .await?;
        } else {
            answer?;
        }
        Ok(())
    }

    /// Removes a value that is not a valid entry, which would only be fetched again and again. A failure is not an error,
    /// because nothing depends on the removal.
    async fn discard(&self, key: &str, bytes: &[u8]) {
        if let Err(error) = self.run(&scripts::DISCARD, key, &[bytes]).await {
            tracing::debug!(key, %error, "could not remove a value that is not a valid entry");
        }
    }

    /// The time to live in milliseconds, or an empty string if an entry may stay. A time that the caller asked for is never
    /// exceeded.
    fn milliseconds_to_live(&self, ttl: Option<Duration>) -> String {
        let (ttl, most) = match (ttl, self.options.default_ttl) {
            (Some(ttl), _) => (ttl, 1.0),
            (None, Some(ttl)) => (ttl, 1.1),
            (None, None) => return String::new(),
        };
        let varied = ttl
            .min(LONGEST_TTL)
            .mul_f64(0.9 + (most - 0.9) * fastrand::f64());
        varied.as_millis().max(1).to_string()
    }
}

impl<A: Aggregate + CodeFingerprint> RedisAggregationCache<A> {
    fn key(&self, log_id: LogId) -> String {
        let namespace = &self.options.namespace;
        let (aggregate, fingerprint) = (A::name(), A::code_fingerprint());
        format!("{namespace}:{aggregate}:{fingerprint:016x}:{{{log_id}}}")
    }

    fn identity<'a>(&'a self, key: &'a str) -> Identity<'a> {
        Identity {
            key,
            fingerprint: A::code_fingerprint(),
            sealing: &self.sealing,
        }
    }
}

impl<A> AggregationCache<A> for RedisAggregationCache<A>
where
    A: Aggregate + CodeFingerprint + WholeSnapshot + Serialize + DeserializeOwned,
{
    async fn get(&self, log_id: LogId) -> Result<Option<Aggregation<A>>, CacheError> {
        let key = self.key(log_id);
        let bytes = match self.connection.send(cmd("GET").arg(&key)).await {
            Ok(Value::BulkString(bytes)) => bytes,
            Ok(Value::Nil) => return Ok(None),
            Ok(_) => return Err("Redis returned a value of an unexpected type for a GET".into()),
            Err(error) if is_of_another_type(&error) => {
                telemetry::unreadable(A::name());
                tracing::warn!(key, "Redis has a value of another type; removing it");
                self.discard(&key, &[]).await;
                return Ok(None);
            }
            Err(error) => return Err(moved::explained(error)),
        };
        match envelope::decode(&bytes, log_id, self.identity(&key)) {
            Ok(aggregation) => Ok(Some(aggregation)),
            Err(misfit) => {
                telemetry::unreadable(A::name());
                tracing::warn!(key, %misfit, "Redis has an entry that does not fit; removing it");
                self.discard(&key, &bytes).await;
                Ok(None)
            }
        }
    }

    fn is_remote(&self) -> bool {
        true
    }

    async fn put(
        &self,
        aggregation: Aggregation<A>,
        ttl: Option<Duration>,
    ) -> Result<(), CacheError> {
        let key = self.key(aggregation.log_id());
        let limit = self.options.max_entry_bytes;
        let entry = match envelope::encode(&aggregation, self.identity(&key), limit) {
            Ok(entry) => entry,
            Err(SnapshotError::TooLarge { limit }) => {
                tracing::debug!(key, limit, "the aggregate is too large to be cached");
                return Ok(());
            }
            Err(source) => return Err(NotCached { source }.into()),
        };
        let ttl = self.milliseconds_to_live(ttl);
        let arguments = [entry.as_slice(), ttl.as_bytes()];
        let put = self.run(&scripts::PUT, &key, &arguments).await;
        put.map_err(moved::explained)
    }

    async fn forget(&self, log_id: LogId) -> Result<(), CacheError> {
        let key = self.key(log_id);
        let answer = self.connection.send(cmd("UNLINK").arg(key)).await;
        answer.map(|_| ()).map_err(moved::explained)
    }

    async fn remove(&self, state: LogPosition) -> Result<(), CacheError> {
        // A position without an event id belongs to no entry.
        let Some(bytes) = envelope::state_bytes(state) else {
            return Ok(());
        };
        let key = self.key(state.log_id());
        let removed = self.run(&scripts::REMOVE, &key, &[&bytes]).await;
        removed.map_err(moved::explained)
    }
}

/// The reason why an aggregate was not put.
#[derive(Debug, thiserror::Error)]
#[error("the aggregate cannot be cached, because it would not be read back as it was: {source}")]
struct NotCached {
    source: SnapshotError,
}

fn is_of_another_type(error: &RedisError) -> bool {
    error.code() == Some("WRONGTYPE")
}

impl<A> Clone for RedisAggregationCache<A> {
    // Written by hand: `derive(Clone)` would add an `A: Clone` bound.
    fn clone(&self) -> Self {
        self.for_aggregate()
    }
}

impl<A> fmt::Debug for RedisAggregationCache<A> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RedisAggregationCache")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
