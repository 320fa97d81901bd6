//! Events on their way out of a database, the same for all of them.

use crate::codec::CodecId;
use crate::codec::stored::{DecodeProblem, StoredPayload};
use crate::event::Event;
use crate::ids::{EventId, LogId};
use crate::metadata::Metadata;
use crate::record::RecordedEvent;
use crate::stores::error::{DecodeError, ReadError};
use chrono::{DateTime, Utc};

/// A page ends early behind this many bytes of payload and metadata, so that large events cannot fill the memory.
pub(super) const PAGE_BYTES: usize = 4 * 1024 * 1024;

/// A row of the table of events.
pub(super) struct StoredEvent<'a> {
    /// The log.
    pub(super) log_id: LogId,
    /// Its index, as databases hold it.
    pub(super) index: i64,
    /// Its identity.
    pub(super) event_id: EventId,
    /// The stored name.
    pub(super) name: &'a str,
    /// The stored version.
    pub(super) version: i64,
    /// The number of the codec.
    pub(super) codec: i64,
    /// The payload.
    pub(super) payload: &'a [u8],
    /// The caller's time.
    pub(super) occurred_at: Option<DateTime<Utc>>,
    /// The store's time.
    pub(super) recorded_at: DateTime<Utc>,
    /// What was stored beside the event.
    pub(super) metadata: Option<&'a [u8]>,
}

impl StoredEvent<'_> {
    /// The event of this row, upgraded if it is an old one.
    pub(super) fn decode<E: Event>(self) -> Result<RecordedEvent<E>, ReadError> {
        let (log_id, index) = (self.log_id, self.index.unsigned_abs());
        let stored = StoredPayload {
            name: self.name,
            // A number that fits no version, or no codec, is one that this code does not know.
            version: i32::try_from(self.version).unwrap_or(i32::MAX),
            codec: CodecId::from_stored(i16::try_from(self.codec).unwrap_or(i16::MAX)),
            bytes: self.payload,
        };
        let failed = |problem| {
            Box::new(DecodeError {
                log_id,
                index,
                event_type: self.name.to_owned(),
                version: stored.version,
                problem,
            })
        };
        let event = E::decode(&stored).map_err(failed)?;
        let mut record = RecordedEvent::new(log_id, index, self.event_id, event, self.recorded_at)
            .with_occurred_at(self.occurred_at);
        if let Some(metadata) = self.metadata {
            let metadata = Metadata::decode(metadata)
                .map_err(|error| failed(DecodeProblem::Metadata(error.into())))?;
            record = record.with_metadata(metadata);
        }
        Ok(record)
    }
}

/// An index as databases hold it. One beyond their range fits no log: it becomes one that no log has reached.
pub(super) fn signed(index: u64) -> i64 {
    i64::try_from(index).unwrap_or(i64::MAX)
}
