use crate::stores::Limits;
use std::time::Duration;

/// Options of a [`PostgresEventStore`](crate::PostgresEventStore).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresOptions {
    /// The database schema that the tables are in, a plain lower-case identifier; `eventlogs` by default. Tenants, and
    /// tests that run at the same time, get one each.
    pub schema: String,
    /// The greatest number of connections that read, for a store that makes its own; 16 by default. Two more write.
    pub max_connections: u32,
    /// How long an operation may take, with all its attempts on broken connections; of a write, with its wait for its turn,
    /// too. 30 s by default.
    pub timeout: Duration,
    /// How long a statement waits for somebody else's lock, for a store that makes its own connections; 5 s by default.
    pub lock_timeout: Duration,
    /// The bounds of a write, and of the queue in front of the gatherer.
    pub limits: Limits,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self {
            schema: "eventlogs".to_owned(),
            max_connections: 16,
            timeout: Duration::from_secs(30),
            lock_timeout: Duration::from_secs(5),
            limits: Limits::default(),
        }
    }
}
