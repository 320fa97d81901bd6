//! The bounds of a write.

/// The bounds that keep one caller from hurting the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The greatest encoded size of one event's payload, in bytes; 16 MiB by default.
    pub max_payload_bytes: usize,
    /// The greatest number of events in one append; 1,000 by default.
    pub max_events_per_append: usize,
    /// The greatest encoded size of an append's metadata, in bytes; 8 KiB by default. It is stored with every event.
    pub max_metadata_bytes: usize,
    /// How much may wait in front of the writer, in bytes: encoded events with some 250 bytes for each, 64 MiB by default. The
    /// next callers wait until there is room.
    pub max_queued_bytes: usize,
}

impl Limits {
    /// The greatest length of an idempotency key, in bytes.
    pub const MAX_KEY_BYTES: usize = 512;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_payload_bytes: 16 * 1024 * 1024,
            max_events_per_append: 1_000,
            max_metadata_bytes: 8 * 1024,
            max_queued_bytes: 64 * 1024 * 1024,
        }
    }
}
