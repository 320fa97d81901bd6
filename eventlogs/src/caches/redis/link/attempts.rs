//! Making connections.

use super::{FIRST_PAUSE, LONGEST_PAUSE, Limits, Link};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, RedisResult, Value};
use std::io;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// The task that makes a new connection. If it ends early, because its runtime does, another one can start.
pub(super) struct Attempts {
    /// It must not keep alive what nobody uses any more.
    link: Weak<Link>,
    client: Client,
    limits: Limits,
}

impl Attempts {
    pub(super) fn of(link: &Arc<Link>) -> Self {
        Self {
            link: Arc::downgrade(link),
            client: link.client.clone(),
            limits: link.limits,
        }
    }

    pub(super) async fn run(self, first_pause: Option<Duration>) {
        if let Some(pause) = first_pause {
            varied(pause).await;
        }
        let mut pause = FIRST_PAUSE;
        while self.link.strong_count() > 0 {
            match attempt(&self.client, self.limits).await {
                Ok(connection) => {
                    if let Some(link) = self.link.upgrade() {
                        tracing::info!(address = %link.address(), "connected to Redis");
                        link.state().connect(connection);
                    }
                    return;
                }
                Err(error) => {
                    tracing::debug!(%error, "Redis cannot be reached yet");
                    if let Some(link) = self.link.upgrade() {
                        link.state().trouble = Some(error.to_string());
                    }
                }
            }
            varied(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

/// Many processes lose their Redis at the same moment, and must not all come back at the same.
async fn varied(pause: Duration) {
    tokio::time::sleep(pause.mul_f64(0.5 + fastrand::f64())).await;
}

impl Drop for Attempts {
    fn drop(&mut self) {
        if let Some(link) = self.link.upgrade() {
            link.state().attempting = false;
        }
    }
}

/// One attempt to connect, with a first command: a server that demands a password, for one, says so only then.
pub(super) async fn attempt(client: &Client, limits: Limits) -> RedisResult<MultiplexedConnection> {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(limits.connect))
        .set_response_timeout(Some(limits.response));
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
    tokio::time::timeout(limits.connect, attempt)
        .await
        .unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut).into()))
}
