//! The connection of a cache: its own, or one that the user has given.

use crate::caches::redis::reconnect::RedisConnection;
use futures_util::future::BoxFuture;
use redis::aio::ConnectionLike;
use redis::{Cmd, RedisError, RedisResult, Value};
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// A connection with its type erased, because the type of the cache should name the aggregate only. It takes one box per
/// command.
pub(super) trait Connection: Send + Sync {
    /// Sends a command and waits for its answer, for a bounded time.
    fn send<'a>(&'a self, command: &'a Cmd) -> BoxFuture<'a, RedisResult<Value>>;
}

impl Connection for Arc<RedisConnection> {
    fn send<'a>(&'a self, command: &'a Cmd) -> BoxFuture<'a, RedisResult<Value>> {
        Box::pin(RedisConnection::send(self, command))
    }
}

/// A connection that the user has given.
pub(super) struct Given<C> {
    /// Cloned for each command: clones share the underlying connection.
    pub(super) connection: C,
    /// The time limit of each command. The connection's own limit, if it has one, is not known here.
    pub(super) response_timeout: Duration,
}

impl<C: ConnectionLike + Clone + Send + Sync> Connection for Given<C> {
    fn send<'a>(&'a self, command: &'a Cmd) -> BoxFuture<'a, RedisResult<Value>> {
        let mut connection = self.connection.clone();
        Box::pin(async move {
            tokio::time::timeout(self.response_timeout, command.query_async(&mut connection))
                .await
                .unwrap_or_else(|_| Err(RedisError::from(io::Error::from(io::ErrorKind::TimedOut))))
        })
    }
}
