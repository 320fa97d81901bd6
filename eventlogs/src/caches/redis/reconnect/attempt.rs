//! Making a connection.

use crate::caches::redis::timeouts::Timeouts;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, RedisResult, Value};
use std::io;
use std::time::Duration;

/// Many processes lose their Redis at the same moment, and must not all come back at the same.
pub(super) async fn varied(pause: Duration) {
    tokio::time::sleep(pause.mul_f64(0.5 + fastrand::f64())).await;
}

/// One attempt to connect, with a first command: a server that demands a password, for one, says so only then.
pub(super) async fn attempt(
    client: &Client,
    timeouts: Timeouts,
) -> RedisResult<MultiplexedConnection> {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(timeouts.connect))
        .set_response_timeout(Some(timeouts.response));
    let attempt = async {
        let mut connection = client
            .get_multiplexed_async_connection_with_config(&config)
            .await?;
        redis::cmd("PING")
            .query_async::<Value>(&mut connection)
            .await?;
        Ok(connection)
    };
    // The driver's own limit leaves out the search for the host's address.
    tokio::time::timeout(timeouts.connect, attempt)
        .await
        .unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut).into()))
}
