//! Connects a cache to Redis.

use super::RedisAggregationCache;
use crate::caches::redis::connection::Given;
use crate::caches::redis::error::RedisConnectError;
use crate::caches::redis::options::RedisCacheOptions;
use crate::caches::redis::reconnect::RedisConnection;
use crate::caches::redis::timeouts::Timeouts;
use crate::caches::redis::{moved, tls};
use futures_util::future::join_all;
use redis::aio::ConnectionLike;
use redis::{Client, RedisResult, Value, cmd};
use std::sync::Arc;

/// The number of keys that are read to find out whether a server has all keys. They are spread over the nodes of a cluster, so
/// a node that has half of the keys goes unnoticed once in 65,536 times.
const CLUSTER_PROBES: usize = 16;

impl<A> RedisAggregationCache<A> {
    /// Connects to a server: `redis://[user:password@]host[:port][/database]`, or `unix:/path/to/socket`; or with
    /// [TLS](RedisAggregationCache#tls), `rediss://…`.
    ///
    /// It takes [a bounded time](RedisCacheOptions::connect_timeout). The connection belongs to the current runtime. After that
    /// runtime has ended, the next call on another runtime makes a new connection there.
    ///
    /// # Errors
    /// Each message says what to do:
    /// - [`MalformedUrl`](RedisConnectError::MalformedUrl) if the URL cannot be read.
    /// - [`TlsNotBuilt`](RedisConnectError::TlsNotBuilt) if the URL asks for TLS, and the program was built without it.
    /// - [`TlsOptions`](RedisConnectError::TlsOptions) if the options of TLS cannot be used.
    /// - [`Tls`](RedisConnectError::Tls) if the server and this process do not accept each other's certificates, or one of them
    ///   does not speak TLS.
    /// - [`Refused`](RedisConnectError::Refused) if nothing listens at the address.
    /// - [`Unreachable`](RedisConnectError::Unreachable) if the address cannot be reached.
    /// - [`TimedOut`](RedisConnectError::TimedOut) if there is no answer in time.
    /// - [`NotAuthenticated`](RedisConnectError::NotAuthenticated) if the user or the password is missing or wrong.
    /// - [`NotRedis`](RedisConnectError::NotRedis) if the server does not speak Redis' protocol, or hangs up.
    /// - [`Cluster`](RedisConnectError::Cluster) if the server is a node of a cluster.
    /// - [`Refusing`](RedisConnectError::Refusing) if Redis has another reason not to serve.
    pub async fn connect(url: &str) -> Result<Self, RedisConnectError> {
        Self::connect_with(url, RedisCacheOptions::default()).await
    }

    /// Connects as [`connect`](RedisAggregationCache::connect) does, with these options.
    ///
    /// # Errors
    /// Those of [`connect`](RedisAggregationCache::connect).
    pub async fn connect_with(
        url: &str,
        options: RedisCacheOptions,
    ) -> Result<Self, RedisConnectError> {
        let (client, timeouts) = Self::opened(url, &options)?;
        let address = client.get_connection_info().addr().to_string();
        let by_tls = tls::is_spoken_by(&client);
        let failed = |error| {
            let (address, timeout) = (address.clone(), options.connect_timeout);
            RedisConnectError::from_connecting(address, by_tls, timeout, error)
        };
        let connection = RedisConnection::connect(client, timeouts)
            .await
            .map_err(failed)?;
        // A node of a cluster answers everything until it is asked for a key of another node.
        let probes = (0..CLUSTER_PROBES).map(async |probe| {
            let key = format!("{}:connect:{probe}", options.namespace);
            connection.send(cmd("GET").arg(key)).await
        });
        // Any other error also happens at the first use, and is not reported here.
        let elsewhere = |answer: RedisResult<Value>| answer.err().filter(moved::is_cluster);
        if let Some(error) = join_all(probes).await.into_iter().find_map(elsewhere) {
            return Err(failed(error));
        }
        Ok(Self::over(Arc::new(connection), options))
    }

    /// Creates a cache that connects in the background when it is first used: Redis need not be there when the program starts.
    /// Until it is, the cache has nothing.
    ///
    /// Unlike [`connect`](RedisAggregationCache::connect), it cannot return the reason why it does not connect: a wrong address
    /// or password is in the warnings that the manager logs.
    ///
    /// ```
    /// use eventlogs::RedisAggregationCache;
    /// # use eventlogs::__example::Counter;
    ///
    /// let cache = RedisAggregationCache::<Counter>::lazy("redis://127.0.0.1:6379")?;
    /// # let _ = cache;
    /// # Ok::<(), eventlogs::RedisConnectError>(())
    /// ```
    ///
    /// # Errors
    /// - [`MalformedUrl`](RedisConnectError::MalformedUrl) if the URL cannot be read.
    /// - [`TlsNotBuilt`](RedisConnectError::TlsNotBuilt) if the URL asks for TLS, and the program was built without it.
    /// - [`TlsOptions`](RedisConnectError::TlsOptions) if the options of TLS cannot be used.
    ///
    /// There are no other errors.
    pub fn lazy(url: &str) -> Result<Self, RedisConnectError> {
        Self::lazy_with(url, RedisCacheOptions::default())
    }

    /// Creates a cache as [`lazy`](RedisAggregationCache::lazy) does, with these options.
    ///
    /// # Errors
    /// Those of [`lazy`](RedisAggregationCache::lazy).
    pub fn lazy_with(url: &str, options: RedisCacheOptions) -> Result<Self, RedisConnectError> {
        let (client, timeouts) = Self::opened(url, &options)?;
        Ok(Self::over(
            Arc::new(RedisConnection::unconnected(client, timeouts)),
            options,
        ))
    }

    /// Reads the URL and the options, without connecting.
    fn opened(
        url: &str,
        options: &RedisCacheOptions,
    ) -> Result<(Client, Timeouts), RedisConnectError> {
        let client = tls::client(url, options)?;
        let timeouts = Timeouts {
            response: options.response_timeout,
            connect: options.connect_timeout,
        };
        Ok((client, timeouts))
    }

    /// Uses an existing connection: a multiplexed one, one to a cluster, or any other that can be cloned.
    ///
    /// That connection must reconnect by itself after a failure. A `redis::aio::MultiplexedConnection` does not.
    ///
    /// ```no_run
    /// use eventlogs::{RedisAggregationCache, RedisCacheOptions, redis};
    /// # use eventlogs::__example::Counter;
    ///
    /// # async fn run() -> Result<(), redis::RedisError> {
    /// let client = redis::Client::open("redis://127.0.0.1:6379")?;
    /// let connection = client.get_connection_manager().await?;
    /// let cache = RedisAggregationCache::<Counter>::new(connection, RedisCacheOptions::default());
    /// # let _ = cache;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn new(
        connection: impl ConnectionLike + Clone + Send + Sync + 'static,
        options: RedisCacheOptions,
    ) -> Self {
        let given = Given {
            connection,
            response_timeout: options.response_timeout,
        };
        Self::over(Arc::new(given), options)
    }
}
