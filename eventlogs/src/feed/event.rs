//! An event of the feed, as the store has it.

use crate::codec::stored::{DecodeProblem, StoredPayload};
use crate::codec::{Codec, CodecId};
use crate::cursor::Cursor;
use crate::event::{Event, Payload};
use crate::feed::record::FeedRecord;
use crate::feed::source::Source;
use crate::ids::{EventId, LogId};
use crate::metadata::Metadata;
use crate::record::{EventRecord, RecordedEvent};
use crate::stores::error::{DecodeError, EncodeError};
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// An event of the feed in its stored form, of whatever enum.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct FeedEvent {
    /// The place of the event in the feed.
    pub cursor: Cursor,
    /// The log.
    pub log_id: LogId,
    /// The index of the event in its log.
    pub index: u64,
    /// The id of the event.
    pub event_id: EventId,
    /// The number of the log's kind.
    pub kind: i32,
    /// The stored name.
    pub event_type: Arc<str>,
    /// The stored version.
    pub version: i32,
    /// The codec of the payload.
    pub codec: CodecId,
    /// The payload; `None` if the reader does not want the event.
    pub payload: Option<Vec<u8>>,
    /// The encoded metadata, if there is any and the reader wants the event.
    pub metadata: Option<Vec<u8>>,
    /// The caller's time of occurrence.
    pub occurred_at: Option<DateTime<Utc>>,
    /// The store's time of recording.
    pub recorded_at: DateTime<Utc>,
}

impl FeedEvent {
    /// Encodes an event as a store does: for tests of projections.
    ///
    /// ```
    /// # #[cfg(all(feature = "macros", feature = "json"))] {
    /// use eventlogs::ids::{EventId, LogId};
    /// use eventlogs::{Cursor, Event, EventRecord, FeedEvent, RecordedEvent};
    ///
    /// #[derive(Debug, PartialEq, Event)]
    /// pub enum DoorEvent {
    ///     #[event(name = "door.opened")]
    ///     Opened { hours: u32 },
    /// }
    ///
    /// let now = "2026-01-31T12:00:00Z".parse()?;
    /// let opened = RecordedEvent::new(LogId::new(), 0, EventId::new(), DoorEvent::Opened { hours: 2 }, now);
    /// let stored = FeedEvent::encode(&opened, Cursor::from_parts(1, 752, 26, None))?;
    /// assert_eq!(&*stored.event_type, "door.opened");
    /// assert_eq!(stored.decode::<DoorEvent>()?.event(), opened.event());
    /// # }
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// - [`EncodeError::Codec`] if the codec refuses the event.
    pub fn encode<E: Event>(
        record: &impl EventRecord<E>,
        cursor: Cursor,
    ) -> Result<Self, EncodeError> {
        let event = record.event();
        let event_type = event.event_type();
        let mut payload = Vec::new();
        E::Codec::encode(&Payload(event), &mut payload).map_err(|error| EncodeError::Codec {
            event_type: event_type.name,
            source: error.into(),
        })?;
        Ok(Self {
            cursor,
            log_id: record.log_id(),
            index: record.index(),
            event_id: record.event_id(),
            kind: E::LOG_TYPE.number(),
            event_type: event_type.name.into(),
            version: event_type.version.into(),
            codec: E::Codec::ID,
            payload: Some(payload),
            metadata: record.metadata().encode(),
            occurred_at: record.occurred_at(),
            recorded_at: record.recorded_at(),
        })
    }

    /// Returns the number of the source that the event belongs to; `None` if it belongs to none of them.
    #[must_use]
    pub fn source(&self, sources: &[Source]) -> Option<usize> {
        let mut sources = sources.iter();
        sources.position(|source| source.log_type.accepts(self.kind))
    }

    /// Returns the size of payload and metadata, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        let size = |bytes: &Option<Vec<u8>>| bytes.as_ref().map_or(0, Vec::len);
        size(&self.payload) + size(&self.metadata)
    }

    /// Decodes the event, and upgrades it if its version is old.
    ///
    /// # Errors
    /// [`DecodeError`] if this code cannot read the event, or if the event came without its payload.
    pub fn decode<E: Event>(&self) -> Result<FeedRecord<E>, Box<DecodeError>> {
        let stored = StoredPayload {
            name: &self.event_type,
            version: self.version,
            codec: self.codec,
            bytes: self.payload.as_deref().unwrap_or_default(),
        };
        let failed =
            |problem| Box::new(DecodeError::new(self.log_id, self.index, &stored, problem));
        let event = E::decode(&stored).map_err(failed)?;
        let mut record = RecordedEvent::new(
            self.log_id,
            self.index,
            self.event_id,
            event,
            self.recorded_at,
        )
        .with_occurred_at(self.occurred_at);
        if let Some(metadata) = &self.metadata {
            let metadata = Metadata::decode(metadata)
                .map_err(|error| failed(DecodeProblem::Metadata(error.into())))?;
            record = record.with_metadata(metadata);
        }
        Ok(FeedRecord::new(record, self.cursor))
    }
}
