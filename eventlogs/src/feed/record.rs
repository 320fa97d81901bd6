//! A decoded event of the feed.

use crate::cursor::Cursor;
use crate::event::Event;
use crate::ids::{EventId, LogId};
use crate::metadata::Metadata;
use crate::record::sealed::Sealed;
use crate::record::{EventRecord, RecordedEvent};
use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};
use std::sync::Arc;

/// A recorded event, and its place in the feed.
///
/// It is an [`EventRecord`]: log and index together name the event once and for all, so they tell a repeated delivery from a new
/// one. It serialises like a [`RecordedEvent`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedRecord<E> {
    /// The record.
    record: RecordedEvent<E>,
    /// Its place in the feed.
    cursor: Cursor,
}

impl<E> FeedRecord<E> {
    /// Makes a record at a place of the feed: for tests of handlers.
    #[must_use]
    pub const fn new(record: RecordedEvent<E>, cursor: Cursor) -> Self {
        Self { record, cursor }
    }

    /// Returns the place of the event in the feed. A feed that starts from it begins with the next event.
    #[must_use]
    pub const fn cursor(&self) -> Cursor {
        self.cursor
    }

    /// Takes the record out, without its place in the feed.
    #[must_use]
    pub fn into_record(self) -> RecordedEvent<E> {
        self.record
    }
}

impl<E> Sealed for FeedRecord<E> {
    fn shared_metadata(&self) -> Option<Arc<Metadata>> {
        self.record.shared_metadata()
    }
}

impl<E> EventRecord<E> for FeedRecord<E> {
    fn event(&self) -> &E {
        self.record.event()
    }

    fn log_id(&self) -> LogId {
        self.record.log_id()
    }

    fn index(&self) -> u64 {
        self.record.index()
    }

    fn event_id(&self) -> EventId {
        self.record.event_id()
    }

    fn recorded_at(&self) -> DateTime<Utc> {
        self.record.recorded_at()
    }

    fn occurred_at(&self) -> Option<DateTime<Utc>> {
        self.record.occurred_at()
    }

    fn metadata(&self) -> &Metadata {
        self.record.metadata()
    }
}

impl<E: Event> Serialize for FeedRecord<E> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.record.serialize(serializer)
    }
}
