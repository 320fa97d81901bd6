//! The limits of a batch.

use crate::stores::encoding::write::EncodedWrite;

/// The largest number of events in a batch.
pub(in crate::stores) const BATCH_EVENTS: usize = 1_000;
/// The largest size of a batch, in bytes. A larger write is sent alone.
pub(in crate::stores) const BATCH_BYTES: usize = 4 * 1024 * 1024;
/// The size of a batch so far.
#[derive(Default)]
pub(in crate::stores) struct BatchSize {
    events: usize,
    bytes: usize,
}

impl BatchSize {
    /// Counts one more write.
    pub(in crate::stores) fn add(&mut self, write: &EncodedWrite) {
        self.events += write.event_count();
        self.bytes += write.bytes();
    }

    /// Returns `true` if the batch has reached a limit.
    pub(in crate::stores) const fn is_full(&self) -> bool {
        self.events >= BATCH_EVENTS || self.bytes >= BATCH_BYTES
    }

    /// Returns `true` if this write still fits into the batch, which is not empty.
    #[cfg(feature = "postgres")]
    pub(in crate::stores) fn has_room_for(&self, write: &EncodedWrite) -> bool {
        self.events + write.event_count() <= BATCH_EVENTS
            && self.bytes + write.bytes() <= BATCH_BYTES
    }
}
