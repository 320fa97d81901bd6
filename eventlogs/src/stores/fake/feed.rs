//! The feed of a fake: its events in the order in which they were written, encoded as a database would keep them.

use crate::codec::CodecId;
use crate::cursor::{Cursor, Place};
use crate::event::Event;
use crate::feed::commits::Commits;
use crate::feed::contract::{EventFeed, PAGE_BYTES};
use crate::feed::error::FeedError;
use crate::feed::event::FeedEvent;
use crate::feed::head::FeedHead;
use crate::feed::page::{FeedPage, FeedRequest};
use crate::feed::wanted::Wanted;
use crate::ids::{EventId, LogId};
use crate::record::{EventRecord, RecordedEvent};
use crate::stores::encoding::event::encode_event;
use crate::stores::error::store::StoreError;
use crate::stores::fake::coding::Row;
use crate::stores::fake::state::State;
use crate::stores::fake::telemetry::STORE;
use crate::stores::fake::{FakeEventStore, Logs};
use crate::stores::limits::Limits;
use crate::sync::lock;
use chrono::{DateTime, Utc};
use std::ops::Range;

/// The epoch of a fake.
const EPOCH: u32 = 1;

/// The stored form of an event, without its place.
struct Stored {
    kind: i32,
    name: &'static str,
    version: u16,
    codec: i16,
    payload: Vec<u8>,
    metadata: Option<Vec<u8>>,
}

/// The logs of a fake, with a function that returns the stored form of an event.
trait Encoded {
    /// Returns the places of all events, in the order of the feed.
    fn len(&self) -> usize;

    /// Returns the event with this number, and its stored form.
    fn event(&self, number: usize) -> Result<Option<FeedEvent>, StoreError>;

    /// Returns the number of an event.
    fn number(&self, log_id: LogId, index: u64) -> Option<usize>;
}

/// The logs, and how an event of them is encoded.
struct View<'a, T, F> {
    state: &'a State<T>,
    encode: F,
}

impl<T, F> Encoded for View<'_, T, F>
where
    F: Fn(&RecordedEvent<T>) -> Result<Stored, StoreError>,
{
    fn len(&self) -> usize {
        self.state.feed.len()
    }

    fn event(&self, number: usize) -> Result<Option<FeedEvent>, StoreError> {
        let Some((log_id, index)) = self.state.feed.get(number) else {
            return Ok(None);
        };
        let Some(record) = self.state.event(*log_id, *index) else {
            return Ok(None);
        };
        let stored = (self.encode)(record)?;
        Ok(Some(FeedEvent {
            cursor: cursor(number, record.event_id()),
            log_id: *log_id,
            index: *index,
            event_id: record.event_id(),
            kind: stored.kind,
            event_type: stored.name.into(),
            version: stored.version.into(),
            codec: CodecId::from_stored(stored.codec),
            payload: Some(stored.payload),
            metadata: stored.metadata,
            occurred_at: record.occurred_at(),
            recorded_at: record.recorded_at(),
        }))
    }

    fn number(&self, log_id: LogId, index: u64) -> Option<usize> {
        let mut feed = self.state.feed.iter();
        feed.position(|event| *event == (log_id, index))
    }
}

/// Returns the cursor of the event with this number.
fn cursor(number: usize, event_id: EventId) -> Cursor {
    let position = number as u64 + 1;
    let place = Place {
        epoch: EPOCH,
        tx: position,
        position,
    };
    Cursor::new(place, Some(event_id))
}

impl<E: Event + Clone> FakeEventStore<E> {
    /// Calls a function with the logs in their encoded form.
    fn encoded<T>(
        &self,
        read: impl FnOnce(&dyn Encoded) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        match &self.logs {
            Logs::Plain(state) => read(&View {
                state: &lock(state),
                encode: encode_plain::<E>,
            }),
            Logs::Encoded(state, _) => read(&View {
                state: &lock(state),
                encode: |record: &RecordedEvent<Row>| {
                    let row = record.event();
                    Ok(Stored {
                        kind: row.kind,
                        name: row.event.event_type.name,
                        version: row.event.event_type.version,
                        codec: row.event.codec,
                        payload: row.event.payload.clone(),
                        metadata: row.metadata.as_deref().map(<[u8]>::to_vec),
                    })
                },
            }),
        }
    }

    /// Returns when the first event after a cursor was recorded.
    pub(super) fn recorded_after(
        &self,
        cursor: Cursor,
    ) -> Result<Option<DateTime<Utc>>, StoreError> {
        let next = usize::try_from(cursor.place().position).unwrap_or(usize::MAX);
        let event = self.encoded(|logs| logs.event(next))?;
        Ok(event.map(|event| event.recorded_at))
    }

    /// Returns the event with this number, without its payload if it is not wanted.
    fn feed_event(
        logs: &dyn Encoded,
        number: usize,
        wanted: &Wanted,
    ) -> Result<Option<FeedEvent>, StoreError> {
        let event = logs.event(number)?;
        Ok(event.map(|event| {
            if wanted.includes(&event) {
                event
            } else {
                FeedEvent {
                    payload: None,
                    metadata: None,
                    ..event
                }
            }
        }))
    }
}

/// Encodes an event that is kept as a plain value.
fn encode_plain<E: Event>(record: &RecordedEvent<E>) -> Result<Stored, StoreError> {
    let encoded = encode_event(record.event(), record.event_id(), &Limits::default());
    let (event, _) = encoded.map_err(|error| StoreError::Database {
        source: error.into(),
    })?;
    Ok(Stored {
        kind: E::LOG_TYPE.number(),
        name: event.event_type.name,
        version: event.event_type.version,
        codec: event.codec,
        payload: event.payload,
        metadata: record.metadata().encode(),
    })
}

impl<E: Event + Clone> EventFeed for FakeEventStore<E> {
    async fn head(&self) -> Result<FeedHead, StoreError> {
        self.encoded(|logs| {
            let number = logs.len().checked_sub(1);
            let last = match number {
                Some(number) => logs.event(number)?,
                None => None,
            };
            let last = last.map(|event| event.cursor);
            let end = logs.len() as u64 + 1;
            let fence = Place {
                epoch: EPOCH,
                tx: end,
                position: end,
            };
            Ok(FeedHead::new(Cursor::new(fence, None), last, last))
        })
    }

    fn feed_name(&self) -> &'static str {
        STORE
    }

    async fn read_feed(&self, request: FeedRequest<'_>) -> Result<FeedPage, FeedError> {
        let after = request.after.place();
        let first = match after.epoch {
            0 => 0,
            EPOCH => usize::try_from(after.position).unwrap_or(usize::MAX),
            _ => usize::MAX,
        };
        let end = usize::try_from(request.end().place().position.saturating_sub(1));
        let end = end.unwrap_or(usize::MAX);
        let limit = request.limit.max(1);
        let (anchor, events, more) = self.encoded(|logs| {
            let anchor = match first.checked_sub(1) {
                Some(number) => logs.event(number)?,
                None => None,
            };
            let (mut events, mut bytes) = (Vec::new(), 0);
            let mut numbers = first..end.min(logs.len());
            while events.len() < limit
                && bytes < PAGE_BYTES
                && let Some(number) = numbers.next()
            {
                if let Some(event) = Self::feed_event(logs, number, request.wanted)? {
                    bytes += event.bytes();
                    events.push(event);
                }
            }
            let more = !numbers.is_empty();
            Ok((anchor.map(|event| event.event_id), events, more))
        })?;
        request.check_anchor(anchor)?;
        let cursor = events.last().map_or(request.after, |last| last.cursor);
        Ok(FeedPage::new(events, cursor, more))
    }

    async fn read_gap(
        &self,
        log_id: LogId,
        indices: Range<u64>,
        wanted: &Wanted,
    ) -> Result<Vec<FeedEvent>, StoreError> {
        self.encoded(|logs| {
            let numbers = indices.map_while(|index| logs.number(log_id, index));
            let events = numbers.map(|number| Self::feed_event(logs, number, wanted));
            events.filter_map(Result::transpose).collect()
        })
    }

    async fn find_place(&self, log_id: LogId, index: u64) -> Result<Option<Cursor>, StoreError> {
        self.encoded(|logs| {
            let Some(number) = logs.number(log_id, index) else {
                return Ok(None);
            };
            let event = logs.event(number)?;
            Ok(event.map(|event| event.cursor))
        })
    }

    fn commits(&self) -> Commits {
        self.commits.receiver()
    }
}
