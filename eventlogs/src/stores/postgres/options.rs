use crate::stores::limits::Limits;
use crate::stores::postgres::pooler::Pooler;
use crate::time_box;
use std::time::Duration;
use tokio::time::Instant;

/// What any connection is allowed: less would be nothing at all.
const LEAST_SILENCE: Duration = Duration::from_millis(10);
/// The bounds of what [`PostgresOptions::silence`] is by default.
const SHORTEST_SILENCE: Duration = Duration::from_millis(300);
const LONGEST_SILENCE: Duration = Duration::from_secs(10);

/// Options of a [`PostgresEventStore`](crate::PostgresEventStore).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresOptions {
    /// The database schema that the tables are in, a plain lower-case identifier; `eventlogs` by default. Tenants, and
    /// tests that run at the same time, get one each.
    pub schema: String,
    /// The greatest number of connections that read, for a store that makes its own; 16 by default, and one at least. Two
    /// more write.
    pub max_connections: u32,
    /// How long an operation may take, with all its attempts on broken connections; of a write, with its wait for its turn,
    /// too. 30 s by default; `Duration::MAX` is for ever.
    pub timeout: Duration,
    /// How long a connection may be silent before the operation is tried again on a new one: a host that died, or a firewall
    /// that forgot the connection, says nothing. By default a quarter of the timeout, but 300 ms at least, 10 s at most, and
    /// never more than half of the timeout.
    ///
    /// What counts is the time in which no byte comes or goes, not the time that an operation takes. Still, make it longer
    /// than what a loaded server takes to begin to answer: it is asked once more then, and waited for until the timeout, while
    /// it may be busy with the first question. That is safe, but work. No connection that was made before one proved silent is
    /// used again, so that a silence is paid for once, not once for each.
    pub silence: Option<Duration>,
    /// Which servers will do, for a store that makes its own connections; what an address says in `target_session_attrs` is
    /// used where this is `None`. By default any one that stands alone, and of several the first that writes.
    pub target_session: Option<TargetSession>,
    /// How long a statement waits for somebody else's lock, for a store that makes its own connections; 5 s by default.
    pub lock_timeout: Duration,
    /// What stands between the store and its server; nothing by default.
    pub pooler: Pooler,
    /// The bounds of a write, and of the queue in front of the gatherer.
    pub limits: Limits,
}

/// What a server must be to be used, as `target_session_attrs` says it in an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TargetSession {
    /// Whatever lets us in, `any`. On a server that only reads, writes are refused with
    /// [`ReadOnly`](crate::stores::StoreError::ReadOnly).
    Any,
    /// A server whose sessions write by default, `read-write`: no standby, and no `default_transaction_read_only`. While there
    /// is none, an operation waits for one until its timeout, and then is refused with
    /// [`NoPrimary`](crate::stores::StoreError::NoPrimary).
    ReadWrite,
    /// A server that is no standby, `primary`; with the same consequences.
    Primary,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self {
            schema: "eventlogs".to_owned(),
            max_connections: 16,
            timeout: Duration::from_secs(30),
            silence: None,
            target_session: None,
            lock_timeout: Duration::from_secs(5),
            pooler: Pooler::default(),
            limits: Limits::default(),
        }
    }
}

impl PostgresOptions {
    /// For how long a connection may be silent.
    pub(super) fn patience(&self) -> Duration {
        let by_default = (self.timeout / 4)
            .clamp(SHORTEST_SILENCE, LONGEST_SILENCE)
            .min(self.timeout / 2);
        self.silence.unwrap_or(by_default).max(LEAST_SILENCE)
    }

    /// When the time of an operation is over that begins now.
    pub(super) fn deadline(&self) -> Instant {
        time_box::end_after(self.timeout)
    }
}
