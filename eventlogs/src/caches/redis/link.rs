//! One multiplexed connection that is made anew when it breaks.
//!
//! The driver's own `ConnectionManager` does nearly that, but lets commands wait for the new connection, which for a
//! cache means that every reduction waits for its whole time box; and after an attempt that failed for another reason
//! than the network (too many clients, a password being changed) it makes no further one. Here a command without a
//! connection fails at once, and one background task goes on trying for as long as the cache exists.

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, RedisError, RedisResult, Value};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;

/// The pause behind the first failed attempt; it doubles with each one.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// The longest pause: so long after Redis is back the cache may still be without it.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// How many commands in a row may stay without an answer. Callers give up long before the time limit and take their
/// future with them, so nobody else would notice a server that hangs.
const UNANSWERED: u32 = 3;

/// The connection, whatever state it is in.
pub(super) struct Link {
    /// Where to connect to.
    client: Client,
    /// How long each thing may take.
    limits: Limits,
    /// Locked for a few instructions, never across an await.
    state: Mutex<State>,
}

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) response: Duration,
    pub(super) connect: Duration,
}

/// Whether there is a connection.
enum State {
    Connected(Connected),
    /// A task is on it.
    Connecting,
    /// Nobody is on it yet: it broke, or the runtime of the task has ended.
    Broken,
}

/// A connection that has worked so far.
struct Connected {
    connection: MultiplexedConnection,
    /// Tells this connection from later ones, so that a late failure does not take the new one away.
    made_at: Instant,
    /// How many commands in a row were sent without an answer, and since when.
    unanswered: u32,
    unanswered_since: Instant,
}

impl Link {
    /// Connects, and makes sure that commands are answered.
    pub(super) async fn connect(client: Client, limits: Limits) -> RedisResult<Arc<Self>> {
        let connection = attempt(&client, limits).await?;
        Ok(Arc::new(Self {
            client,
            limits,
            state: Mutex::new(State::connected(connection)),
        }))
    }

    pub(super) async fn send(self: &Arc<Self>, command: &Cmd) -> RedisResult<Value> {
        let Some((mut connection, made_at)) = self.current() else {
            self.reconnect();
            return Err(io::Error::new(
                io::ErrorKind::NotConnected,
                "the connection to Redis is lost; a new one is being made",
            )
            .into());
        };
        let answer = command.query_async(&mut connection).await;
        let lost = answer
            .as_ref()
            .is_err_and(|error: &RedisError| error.is_timeout() || error.is_unrecoverable_error());
        if lost {
            self.lose(made_at);
        } else if let State::Connected(connected) = &mut *self.state() {
            connected.unanswered = 0;
        }
        answer
    }

    /// The connection, if there is one that can be expected to answer.
    fn current(&self) -> Option<(MultiplexedConnection, Instant)> {
        let mut state = self.state();
        let State::Connected(connected) = &mut *state else {
            return None;
        };
        if connected.unanswered == 0 {
            connected.unanswered_since = Instant::now();
        } else if connected.unanswered >= UNANSWERED
            && connected.unanswered_since.elapsed() > self.limits.response
        {
            *state = State::Broken;
            return None;
        }
        connected.unanswered += 1;
        Some((connected.connection.clone(), connected.made_at))
    }

    /// Gives a connection up, unless it was replaced already, and has a new one made.
    fn lose(self: &Arc<Self>, made_at: Instant) {
        {
            let mut state = self.state();
            if !matches!(&*state, State::Connected(connected) if connected.made_at == made_at) {
                return;
            }
            *state = State::Broken;
        }
        self.reconnect();
    }

    /// Starts the task that makes a new connection, if nobody is on it.
    fn reconnect(self: &Arc<Self>) {
        // Outside a runtime nobody could do it; the next command inside one starts it.
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        {
            let mut state = self.state();
            if !matches!(*state, State::Broken) {
                return;
            }
            *state = State::Connecting;
        }
        tracing::warn!(address = %self.address(), "the connection to Redis is lost; reconnecting");
        // It must not keep alive what nobody uses any more.
        let attempts = Attempts {
            link: Arc::downgrade(self),
            client: self.client.clone(),
            limits: self.limits,
        };
        runtime.spawn(attempts.run());
    }

    /// Host and port, or a path: nothing secret.
    fn address(&self) -> String {
        self.client.get_connection_info().addr().to_string()
    }

    /// No panic can leave the state half-changed: every change is one assignment.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn connected(connection: MultiplexedConnection) -> Self {
        let now = Instant::now();
        Self::Connected(Connected {
            connection,
            made_at: now,
            unanswered: 0,
            unanswered_since: now,
        })
    }
}

/// The task that makes a new connection. If it ends early, because its runtime does, another one can start.
struct Attempts {
    link: std::sync::Weak<Link>,
    client: Client,
    limits: Limits,
}

impl Attempts {
    async fn run(self) {
        let mut pause = FIRST_PAUSE;
        while self.link.strong_count() > 0 {
            match attempt(&self.client, self.limits).await {
                Ok(connection) => {
                    if let Some(link) = self.link.upgrade() {
                        tracing::info!(address = %link.address(), "connected to Redis again");
                        *link.state() = State::connected(connection);
                    }
                    return;
                }
                Err(error) => tracing::debug!(%error, "Redis cannot be reached yet"),
            }
            // Many processes lose their Redis at the same moment.
            tokio::time::sleep(pause.mul_f64(0.5 + fastrand::f64())).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

impl Drop for Attempts {
    fn drop(&mut self) {
        if let Some(link) = self.link.upgrade() {
            let mut state = link.state();
            if matches!(*state, State::Connecting) {
                *state = State::Broken;
            }
        }
    }
}

/// One attempt to connect, with a first command: a server that demands a password, for one, says so only then.
async fn attempt(client: &Client, limits: Limits) -> RedisResult<MultiplexedConnection> {
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
