//! How the cache comes to its connection.

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

/// How many keys are asked for to find out whether a server has all of them. They are spread over a cluster's nodes, so a node
/// that has half of them goes unnoticed once in 65,536 times.
const CLUSTER_PROBES: usize = 16;

impl<A> RedisAggregationCache<A> {
    /// Connects to a server: `redis://[user:password@]host[:port][/database]`, or `unix:/path/to/socket`; with TLS, see
    /// [above](RedisAggregationCache#tls), to `rediss://…`.
    ///
    /// It takes [a bounded time](RedisCacheOptions::connect_timeout). The connection lives on the current runtime; once
    /// that has ended, the next call on another one makes it anew there.
    ///
    /// # Errors
    /// [`RedisConnectError`] says what to do about each.
    pub async fn connect(url: &str) -> Result<Self, RedisConnectError> {
        Self::connect_with(url, RedisCacheOptions::default()).await
    }

    /// The same with other options.
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
        // A node of a cluster answers to everything until it is asked for what another one has.
        let probes = (0..CLUSTER_PROBES).map(async |probe| {
            let key = format!("{}:connect:{probe}", options.namespace);
            connection.send(cmd("GET").arg(key)).await
        });
        // Any other error is that of a first use as well, and not for here.
        let elsewhere = |answer: RedisResult<Value>| answer.err().filter(moved::is_cluster);
        if let Some(error) = join_all(probes).await.into_iter().find_map(elsewhere) {
            return Err(failed(error));
        }
        Ok(Self::over(Arc::new(connection), options))
    }

    /// A cache that connects when it is first used, in the background: Redis need not be there when the program starts. Until
    /// it is, the cache has nothing.
    ///
    /// There is nobody to tell what keeps it from connecting, as [`connect`](RedisAggregationCache::connect) does: a wrong
    /// address or password is in the warnings that the manager logs.
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
    /// [`MalformedUrl`](RedisConnectError::MalformedUrl), [`TlsNotBuilt`](RedisConnectError::TlsNotBuilt) and
    /// [`TlsOptions`](RedisConnectError::TlsOptions), and no other.
    pub fn lazy(url: &str) -> Result<Self, RedisConnectError> {
        Self::lazy_with(url, RedisCacheOptions::default())
    }

    /// The same with other options.
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

    /// What the URL and the options say, without going anywhere.
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

    /// Uses a connection that is there already: a multiplexed one, one to a cluster, or any other that can be cloned.
    ///
    /// Whether it comes back after a failure is up to that connection. A `redis::aio::MultiplexedConnection` does not.
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
