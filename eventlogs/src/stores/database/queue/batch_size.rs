//! How much a writer sends together.

use crate::stores::encoding::write::EncodedWrite;

/// How many events a writer puts into one batch at the most.
pub(in crate::stores) const BATCH_EVENTS: usize = 1_000;
/// How many bytes a writer puts into one batch at the most. A larger write travels alone.
pub(in crate::stores) const BATCH_BYTES: usize = 4 * 1024 * 1024;
/// How much is in a batch.
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

    /// Whether nothing more belongs into the batch.
    pub(in crate::stores) const fn is_full(&self) -> bool {
        self.events >= BATCH_EVENTS || self.bytes >= BATCH_BYTES
    }

    /// Whether this write still belongs into the batch, which is not empty.
    #[cfg(feature = "postgres")]
    pub(in crate::stores) fn has_room_for(&self, write: &EncodedWrite) -> bool {
        self.events + write.event_count() <= BATCH_EVENTS
            && self.bytes + write.bytes() <= BATCH_BYTES
    }
}
