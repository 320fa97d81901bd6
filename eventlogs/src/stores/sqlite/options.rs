use crate::stores::limits::Limits;
use std::time::Duration;

/// Options of a [`SqliteEventStore`](crate::SqliteEventStore).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqliteOptions {
    /// How many connections read beside the writer; 4 by default, and 256 at the most. A store in memory has none: its reads and writes
    /// share one connection.
    pub readers: u32,
    /// How long to wait for other programs that hold the file locked; 5 s by default. SQLite waits for 24 days at the most.
    pub busy_timeout: Duration,
    /// How large the file may grow, in bytes; unlimited by default. Behind that, appends get
    /// [`StoreError::StorageFull`](crate::stores::StoreError::StorageFull).
    pub max_bytes: Option<u64>,
    /// How long a write may wait for its turn and its commit; 30 s by default. The timeout of the call, where there is one,
    /// may end it earlier. One that had no turn by then gets [`StoreError::Overloaded`](crate::stores::StoreError::Overloaded)
    /// and has written nothing; one that is under way gets
    /// [`StoreError::OutcomeUnknown`](crate::stores::StoreError::OutcomeUnknown).
    pub timeout: Duration,
    /// The bounds of a write and of the queue.
    pub limits: Limits,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            readers: 4,
            busy_timeout: Duration::from_secs(5),
            max_bytes: None,
            timeout: Duration::from_secs(30),
            limits: Limits::default(),
        }
    }
}
