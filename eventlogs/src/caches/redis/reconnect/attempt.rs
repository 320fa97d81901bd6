//! Makes a connection.

use crate::caches::redis::timeouts::Timeouts;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, RedisResult, Value};
use std::io;
use std::time::Duration;

/// Waits for about this time, at random: many processes lose their Redis at the same moment, and must not all reconnect at the
/// same moment.
pub(super) async fn varied(pause: Duration) {
    tokio::time::sleep(pause.mul_f64(0.5 + fastrand::f64())).await;
}

/// Makes one attempt to connect, and sends a first command: a server that requires a password, for example, says so only then.
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
    // The driver's own limit does not include the lookup of the host's address.
    tokio::time::timeout(timeouts.connect, attempt)
        .await
        .unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut).into()))
}
