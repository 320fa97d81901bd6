use crate::stores::limits::Limits;
use crate::stores::postgres::pooler::Pooler;
use crate::time_box;
use std::thread;
use std::time::Duration;
use tokio::time::Instant;

/// The shortest silence that can be set: less would leave a connection no time at all.
const LEAST_SILENCE: Duration = Duration::from_millis(10);
/// The bounds of the default of [`PostgresOptions::silence`].
const SHORTEST_SILENCE: Duration = Duration::from_millis(300);
const LONGEST_SILENCE: Duration = Duration::from_secs(10);
/// The bounds of the default of [`PostgresOptions::max_connections`].
const FEWEST_CONNECTIONS: u32 = 4;
const MOST_CONNECTIONS: u32 = 16;

/// Options of a [`PostgresEventStore`](crate::PostgresEventStore).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresOptions {
    /// The database schema that the tables are in, a plain lower-case identifier; `eventlogs` by default. Give each tenant its
    /// own schema. Do the same for each test that runs at the same time as others.
    pub schema: String,
    /// The greatest number of connections for reading, for a store that makes its own; at least 1. By default twice as many as
    /// this process has processors, but at least 4 and at most 16. The store uses 2 more connections for writing.
    ///
    /// A read mostly computes: the server makes rows, and this process folds them. More connections than processors make each
    /// read slower and none faster, and they are served less evenly. With a server that is far away, most of the time is spent
    /// waiting, so more connections are of use.
    pub max_connections: u32,
    /// How long an operation may take, with all its attempts on broken connections; for a write, this includes its time in the
    /// queue. 30 s by default; with `Duration::MAX` it may take indefinitely.
    pub timeout: Duration,
    /// How long a connection may be silent before the operation is tried again on a new one. A host that died, or a firewall
    /// that forgot the connection, sends nothing. By default a quarter of the timeout, but at least 300 ms, at most 10 s, and
    /// not more than half of the timeout. It is never less than 10 ms.
    ///
    /// Only the time in which no byte comes or goes counts, not the time that an operation takes. Still, make it longer than a
    /// loaded server takes to begin its answer. Otherwise the store sends the statement again, while the server may still
    /// process the first one, and waits for the second answer until the timeout. That is safe, but extra work. When a
    /// connection proves silent, no connection that was made before that moment is used again. So the store waits for one
    /// silence in total, not for one per connection.
    pub silence: Option<Duration>,
    /// Which servers are acceptable, for a store that makes its own connections. If this is `None`, `target_session_attrs` of
    /// the address applies. By default, a single server is always used; of several servers, the first one that accepts writes.
    pub target_session: Option<TargetSession>,
    /// How long a statement waits for a lock of another session, for a store that makes its own connections; 5 s by default.
    pub lock_timeout: Duration,
    /// The connection pooler between the store and its server; none by default.
    pub pooler: Pooler,
    /// The bounds of a write, and of the writer's queue.
    pub limits: Limits,
}

/// The kind of server that a store may use, as `target_session_attrs` in an address expresses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TargetSession {
    /// `any`: every server that lets the store in. On a server that only reads, writes return
    /// [`ReadOnly`](crate::stores::StoreError::ReadOnly).
    Any,
    /// `read-write`: a server whose sessions write by default. Standbys and servers with `default_transaction_read_only` are
    /// excluded. While there is none, an operation waits for one until its timeout, and then returns
    /// [`NoPrimary`](crate::stores::StoreError::NoPrimary).
    ReadWrite,
    /// `primary`: a server that is not a standby. While there is none, operations wait as for [`ReadWrite`](Self::ReadWrite).
    Primary,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self {
            schema: "eventlogs".to_owned(),
            max_connections: connections_by_default(),
            timeout: Duration::from_secs(30),
            silence: None,
            target_session: None,
            lock_timeout: Duration::from_secs(5),
            pooler: Pooler::default(),
            limits: Limits::default(),
        }
    }
}

/// Returns the number of connections for reading that suits the number of processors.
fn connections_by_default() -> u32 {
    let processors = thread::available_parallelism().map_or(1, usize::from);
    let connections = u32::try_from(processors.saturating_mul(2)).unwrap_or(u32::MAX);
    connections.clamp(FEWEST_CONNECTIONS, MOST_CONNECTIONS)
}

impl PostgresOptions {
    /// Returns how long a connection may be silent.
    pub(super) fn patience(&self) -> Duration {
        let by_default = (self.timeout / 4)
            .clamp(SHORTEST_SILENCE, LONGEST_SILENCE)
            .min(self.timeout / 2);
        self.silence.unwrap_or(by_default).max(LEAST_SILENCE)
    }

    /// Returns the deadline of an operation that begins now.
    pub(super) fn deadline(&self) -> Instant {
        time_box::end_after(self.timeout)
    }
}
