use crate::stores::limits::Limits;
use std::time::Duration;

/// Options of a [`SqliteEventStore`](crate::SqliteEventStore).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqliteOptions {
    /// The number of connections that read in parallel with the writer; 4 by default, 256 at most. A store in memory has none:
    /// its reads and writes share one connection.
    pub readers: u32,
    /// How long to wait for a lock that another program holds on the file; 5 s by default. SQLite waits for 24 days at most.
    pub busy_timeout: Duration,
    /// How large the file may grow, in bytes; unlimited by default. An append that would exceed it gets
    /// [`StoreError::StorageFull`](crate::stores::StoreError::StorageFull).
    pub max_bytes: Option<u64>,
    /// How long a write may wait in the queue and for its commit; 30 s by default. If the call has an earlier deadline, the
    /// wait ends at that deadline, with the errors that the call documents. Otherwise a write that is still in the queue gets
    /// [`StoreError::Overloaded`](crate::stores::StoreError::Overloaded) and has written nothing. A write that is in flight
    /// gets [`StoreError::OutcomeUnknown`](crate::stores::StoreError::OutcomeUnknown).
    pub timeout: Duration,
    /// How long a transaction of [`begin`](crate::SqliteEventStore::begin) may be open; 5 s by default. Then it is rolled back,
    /// so that a forgotten one does not stop the other writers for ever. Keep it below the
    /// [`busy_timeout`](SqliteOptions::busy_timeout) of other programs, and below the
    /// [`lease`](crate::subscriptions::Subscriptions::lease) of subscriptions.
    pub transaction_timeout: Duration,
    /// The limits of a write and of the queue.
    pub limits: Limits,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            readers: 4,
            busy_timeout: Duration::from_secs(5),
            max_bytes: None,
            timeout: Duration::from_secs(30),
            transaction_timeout: Duration::from_secs(5),
            limits: Limits::default(),
        }
    }
}
