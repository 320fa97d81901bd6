//! One multiplexed connection, which is replaced when it breaks, or when its server does not serve.
//!
//! The driver's own `ConnectionManager` does nearly that. But it lets commands wait for the new connection, which for a cache
//! means that every reduction waits for its whole time limit. And after an attempt that failed for another reason than the
//! network (too many clients, a password that is being changed), it makes no further attempt. Here a command without a
//! connection fails at once, and one background task keeps trying for as long as the cache exists.

mod attempt;

use crate::caches::redis::moved;
use crate::caches::redis::timeouts::Timeouts;
use crate::sync::lock;
use attempt::{attempt, varied};
use redis::aio::MultiplexedConnection;
use redis::{Client, Cmd, RedisError, RedisResult, Value};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;

/// The pause after the first failed attempt; it doubles with each attempt.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// The longest pause. For this long after Redis is back, the cache may still have no connection.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// A connection that is younger than this when its server turns out not to serve has most likely led to the same server again.
const YOUNG: Duration = Duration::from_secs(10);
/// The number of commands in a row that may stay without an answer. Callers give up long before the time limit and drop their
/// futures, so nothing else would notice a server that hangs.
const UNANSWERED: u32 = 3;

/// The connection, in any state.
pub(super) struct RedisConnection {
    /// The client with the address to connect to.
    client: Client,
    /// The time limits.
    timeouts: Timeouts,
    /// Locked for a few instructions, never across an await.
    state: Mutex<State>,
}

/// The state of the connection.
struct State {
    /// The connection in use.
    connected: Option<Connected>,
    /// `true` while a task makes a new connection. An existing connection may be waiting for its replacement.
    attempting: bool,
    /// The pause before the next replacement of a connection whose server does not serve.
    pause: Duration,
    /// The reason why there is no connection, if it is known.
    trouble: Option<String>,
}

/// A connection that has worked so far.
struct Connected {
    connection: MultiplexedConnection,
    /// Distinguishes this connection from later ones, so that a late failure does not remove the new one.
    made_at: Instant,
    /// The number of commands in a row that were sent without an answer, and the time of the first one.
    unanswered: u32,
    unanswered_since: Instant,
}

impl RedisConnection {
    /// Connects, and makes sure that commands are answered.
    pub(super) async fn connect(client: Client, timeouts: Timeouts) -> RedisResult<Arc<Self>> {
        let connection = attempt(&client, timeouts).await?;
        let owner = Self::unconnected(client, timeouts);
        owner.state().connect(connection);
        Ok(owner)
    }

    /// Creates a connection that is made when the first command is sent.
    pub(super) fn unconnected(client: Client, timeouts: Timeouts) -> Arc<Self> {
        Arc::new(Self {
            client,
            timeouts,
            state: Mutex::new(State {
                connected: None,
                attempting: false,
                pause: FIRST_PAUSE,
                trouble: None,
            }),
        })
    }

    pub(super) async fn send(self: &Arc<Self>, command: &Cmd) -> RedisResult<Value> {
        let Some((mut connection, made_at)) = self.current() else {
            self.attempt_after(None);
            return Err(self.not_connected());
        };
        let answer = command.query_async(&mut connection).await;
        match &answer {
            Err(error) if error.is_timeout() || error.is_unrecoverable_error() => {
                self.lose(made_at, error);
            }
            Err(error) if moved::is_elsewhere(error) => self.renew(made_at, error),
            _ => {
                if let Some(connected) = &mut self.state().connected {
                    connected.unanswered = 0;
                }
            }
        }
        answer
    }

    /// The connection, if there is one that can be expected to answer.
    fn current(&self) -> Option<(MultiplexedConnection, Instant)> {
        let mut state = self.state();
        let connected = state.connected.as_mut()?;
        if connected.unanswered == 0 {
            connected.unanswered_since = Instant::now();
        } else if connected.unanswered >= UNANSWERED
            && connected.unanswered_since.elapsed() > self.timeouts.response
        {
            state.connected = None;
            state.trouble = Some("it no longer answers".to_owned());
            return None;
        }
        connected.unanswered += 1;
        Some((connected.connection.clone(), connected.made_at))
    }

    /// Gives a connection up, unless it was replaced already, and starts making a new one.
    fn lose(self: &Arc<Self>, made_at: Instant, error: &RedisError) {
        {
            let mut state = self.state();
            if !state.is_connected_since(made_at) {
                return;
            }
            state.connected = None;
            state.trouble = Some(error.to_string());
        }
        tracing::warn!(address = %self.address(), %error, "the connection to Redis is lost");
        self.attempt_after(None);
    }

    /// Replaces a connection to a server that does not serve, unless it was replaced already. The connection is used until
    /// then: a replica may have the entry. There is a pause before the replacement, because the address may lead to the old
    /// server for a while, and each connection costs the server something.
    fn renew(self: &Arc<Self>, made_at: Instant, error: &RedisError) {
        let pause = {
            let mut state = self.state();
            if state.attempting || !state.is_connected_since(made_at) {
                return;
            }
            state.pause = if made_at.elapsed() < YOUNG {
                (state.pause * 2).min(LONGEST_PAUSE)
            } else {
                FIRST_PAUSE
            };
            state.pause
        };
        tracing::warn!(address = %self.address(), %error, "Redis does not serve, or is another server now; connecting again");
        self.attempt_after(Some(pause));
    }

    /// Starts the task that makes a new connection, unless it is already running.
    fn attempt_after(self: &Arc<Self>, pause: Option<Duration>) {
        // Outside a runtime, no task can be started; the next command inside one starts it.
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        {
            let mut state = self.state();
            if state.attempting {
                return;
            }
            state.attempting = true;
        }
        tracing::info!(address = %self.address(), "connecting to Redis");
        runtime.spawn(Attempts::new(self).run(pause));
    }

    fn not_connected(&self) -> RedisError {
        let trouble = self.state().trouble.clone();
        let message = match trouble {
            Some(trouble) => {
                format!("there is no connection to Redis, and a new one is being made: {trouble}")
            }
            None => "there is no connection to Redis yet; it is being made".to_owned(),
        };
        io::Error::new(io::ErrorKind::NotConnected, message).into()
    }

    /// Host and port, or a path: nothing secret.
    fn address(&self) -> String {
        self.client.get_connection_info().addr().to_string()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl State {
    fn connect(&mut self, connection: MultiplexedConnection) {
        let now = Instant::now();
        self.connected = Some(Connected {
            connection,
            made_at: now,
            unanswered: 0,
            unanswered_since: now,
        });
        self.trouble = None;
    }

    fn is_connected_since(&self, made_at: Instant) -> bool {
        let connected = self.connected.as_ref();
        connected.is_some_and(|connected| connected.made_at == made_at)
    }
}

/// The task that makes a new connection. If it ends early, because its runtime does, another one can start.
struct Attempts {
    /// Weak, because the task must not keep an unused cache alive.
    owner: Weak<RedisConnection>,
    client: Client,
    timeouts: Timeouts,
}

impl Attempts {
    fn new(owner: &Arc<RedisConnection>) -> Self {
        Self {
            owner: Arc::downgrade(owner),
            client: owner.client.clone(),
            timeouts: owner.timeouts,
        }
    }

    async fn run(self, first_pause: Option<Duration>) {
        if let Some(pause) = first_pause {
            varied(pause).await;
        }
        let mut pause = FIRST_PAUSE;
        while self.owner.strong_count() > 0 {
            match attempt(&self.client, self.timeouts).await {
                Ok(connection) => {
                    if let Some(owner) = self.owner.upgrade() {
                        tracing::info!(address = %owner.address(), "connected to Redis");
                        owner.state().connect(connection);
                    }
                    return;
                }
                Err(error) => {
                    tracing::debug!(%error, "Redis cannot be reached yet");
                    if let Some(owner) = self.owner.upgrade() {
                        owner.state().trouble = Some(error.to_string());
                    }
                }
            }
            varied(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

impl Drop for Attempts {
    fn drop(&mut self) {
        if let Some(owner) = self.owner.upgrade() {
            owner.state().attempting = false;
        }
    }
}
