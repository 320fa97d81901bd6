//! The limits of writes and reads.

/// The limits of writes and reads, which protect the other callers of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The largest encoded size of one event's payload, in bytes; 16 MiB by default.
    pub max_payload_bytes: usize,
    /// The largest number of events in one append, and of logs in an append or a decision on several logs; 1,000 by default.
    pub max_events_per_append: usize,
    /// The largest encoded size of an append's metadata, in bytes; 8 KiB by default. The metadata is stored with every event.
    pub max_metadata_bytes: usize,
    /// The largest size of all writes that wait for the writer, in bytes; 64 MiB by default. It counts the encoded events, and
    /// some 250 bytes more per event. When the queue is full, further callers wait for space.
    pub max_queued_bytes: usize,
    /// The largest number of reductions that wait for a database server; 10,000 by default. A further one fails with
    /// [`Overloaded`](super::StoreError::Overloaded).
    pub max_waiting_reads: usize,
}

impl Limits {
    /// The largest length of an idempotency key, in bytes.
    pub const MAX_KEY_BYTES: usize = 512;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_payload_bytes: 16 * 1024 * 1024,
            max_events_per_append: 1_000,
            max_metadata_bytes: 8 * 1024,
            max_queued_bytes: 64 * 1024 * 1024,
            max_waiting_reads: 10_000,
        }
    }
}
