//! Decodes the events that a database returns, in the same way for every database.

use crate::codec::CodecId;
use crate::codec::stored::{DecodeProblem, StoredPayload};
use crate::event::Event;
use crate::ids::{EventId, LogId};
use crate::metadata::Metadata;
use crate::record::RecordedEvent;
use crate::stores::error::{DecodeError, ReadError};
use chrono::{DateTime, Utc};

/// A row of the table of events.
pub(in crate::stores) struct StoredEvent<'a> {
    /// The log.
    pub(in crate::stores) log_id: LogId,
    /// The event's index, as databases hold it.
    pub(in crate::stores) index: i64,
    /// The event's id.
    pub(in crate::stores) event_id: EventId,
    /// The stored name.
    pub(in crate::stores) name: &'a str,
    /// The stored version.
    pub(in crate::stores) version: i64,
    /// The number of the codec.
    pub(in crate::stores) codec: i64,
    /// The payload.
    pub(in crate::stores) payload: &'a [u8],
    /// The time at which the event occurred, if the caller gave it.
    pub(in crate::stores) occurred_at: Option<DateTime<Utc>>,
    /// The time at which the store recorded the event.
    pub(in crate::stores) recorded_at: DateTime<Utc>,
    /// The encoded metadata of the event.
    pub(in crate::stores) metadata: Option<&'a [u8]>,
}

impl StoredEvent<'_> {
    /// Decodes the event of this row without its record, and upgrades it if its version is old.
    #[cfg(feature = "postgres")]
    pub(in crate::stores) fn decode_bare<E: Event>(
        place: (LogId, i64),
        (name, version): (&str, i16),
        codec: i16,
        payload: &[u8],
    ) -> Result<E, ReadError> {
        let stored = StoredPayload {
            name,
            version: version.into(),
            codec: CodecId::from_stored(codec),
            bytes: payload,
        };
        let (log_id, index) = (place.0, place.1.unsigned_abs());
        E::decode(&stored).map_err(|problem| {
            ReadError::from(Box::new(DecodeError::new(log_id, index, &stored, problem)))
        })
    }

    /// Decodes the event of this row, and upgrades it if its version is old.
    pub(in crate::stores) fn decode<E: Event>(self) -> Result<RecordedEvent<E>, ReadError> {
        let (log_id, index) = (self.log_id, self.index.unsigned_abs());
        let stored = StoredPayload {
            name: self.name,
            // A number out of range is a version or a codec that this code does not know, as is `MAX`.
            version: i32::try_from(self.version).unwrap_or(i32::MAX),
            codec: CodecId::from_stored(i16::try_from(self.codec).unwrap_or(i16::MAX)),
            bytes: self.payload,
        };
        let failed = |problem| Box::new(DecodeError::new(log_id, index, &stored, problem));
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

/// Converts an index into the type of databases. An index beyond its range becomes `i64::MAX`, which no log has reached.
pub(in crate::stores) fn signed(index: u64) -> i64 {
    i64::try_from(index).unwrap_or(i64::MAX)
}
