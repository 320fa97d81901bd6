//! Encodes a write for a database's writer, which does not know the types of the events.

use crate::event::{Event, LogType};
use crate::ids::{EventId, LogId};
use crate::record::RecordedEvent;
use crate::stores::appends::AppendAcrossRequest;
use crate::stores::encoding::event::{EncodedEvent, encode_event};
use crate::stores::error::AppendError;
use crate::stores::error::invalid::InvalidAppend;
use crate::stores::limits::Limits;
use crate::stores::request::{AppendRequest, Expected};
use crate::stores::times::stored_time;
use crate::stores::write::StoredContext;
use chrono::{DateTime, Utc};
use std::iter;
use std::sync::Arc;

/// The memory that one queued event takes in addition to its payload, in bytes, rounded up.
const EVENT_BYTES: usize = 256;

/// An encoded write, as a writer queues it, without the types of the events. It is written completely or not at all.
#[derive(Debug)]
pub(in crate::stores) struct EncodedWrite {
    /// The append to the log, or to the first of several logs.
    pub(in crate::stores) first: EncodedAppend,
    /// The appends to further logs.
    pub(in crate::stores) others: Vec<EncodedAppend>,
    /// The idempotency key, the time and the metadata.
    pub(in crate::stores) context: StoredContext,
}

/// The encoded events for one log.
#[derive(Debug)]
pub(in crate::stores) struct EncodedAppend {
    /// The log.
    pub(in crate::stores) log_id: LogId,
    /// Where the caller expects the log to end.
    pub(in crate::stores) expected: Expected,
    /// The index of the first event.
    pub(in crate::stores) first_index: u64,
    /// The first event.
    pub(in crate::stores) head: EncodedEvent,
    /// The events after it.
    pub(in crate::stores) tail: Vec<EncodedEvent>,
    /// The kind of the log.
    pub(in crate::stores) log_type: LogType,
}

impl EncodedWrite {
    /// Returns the appends, one per log.
    pub(in crate::stores) fn appends(&self) -> impl Iterator<Item = &EncodedAppend> {
        iter::once(&self.first).chain(&self.others)
    }

    /// Returns the number of events.
    pub(in crate::stores) fn event_count(&self) -> usize {
        self.appends().map(|append| 1 + append.tail.len()).sum()
    }

    /// Returns the memory that the write takes while it is queued, in bytes.
    pub(in crate::stores) fn bytes(&self) -> usize {
        let beside = self.context.metadata.as_ref().map_or(0, Vec::len);
        let events = self.appends().flat_map(EncodedAppend::events);
        let events: usize = events
            .map(|event| EVENT_BYTES + event.payload.len() + beside)
            .sum();
        events + self.context.key.as_ref().map_or(0, |key| key.key.len())
    }
}

impl EncodedAppend {
    fn new(
        log_id: LogId,
        expected: Expected,
        events: Vec<EncodedEvent>,
        log_type: LogType,
    ) -> Result<Self, AppendError> {
        let mut events = events.into_iter();
        let head = events.next().ok_or(InvalidAppend::NoEvents)?;
        Ok(Self {
            log_id,
            expected,
            first_index: expected.next_index(),
            head,
            tail: events.collect(),
            log_type,
        })
    }

    /// Returns all events.
    pub(in crate::stores) fn events(&self) -> impl Iterator<Item = &EncodedEvent> {
        iter::once(&self.head).chain(&self.tail)
    }

    /// Returns the number of events.
    pub(in crate::stores) fn event_count(&self) -> u64 {
        1 + self.tail.len() as u64
    }

    /// The id of its last event.
    pub(in crate::stores) fn last_event_id(&self) -> EventId {
        self.tail.last().unwrap_or(&self.head).id
    }
}

/// Encodes the events of a request, and decodes them again. Also returns the decoded events, if the request needs them.
///
/// Decoding takes about as long as encoding, some hundred nanoseconds per event. In return no event can make its log
/// unreadable. A codec refuses values itself that it would read back as other values, as JSON does with NaN.
pub(in crate::stores) fn encode<E: Event>(
    request: &AppendRequest<'_, E>,
    limits: &Limits,
) -> Result<(EncodedWrite, Vec<E>), AppendError> {
    request.check(limits)?;
    let wanted = request.return_events || request.observer.is_some();
    let mut decoded = Vec::new();
    let mut events = Vec::with_capacity(request.events.len());
    for (event, id) in request.events.iter().zip(&request.event_ids) {
        let (encoded, read_back) = encode_event(event, *id, limits)?;
        events.push(encoded);
        if wanted {
            decoded.push(read_back);
        }
    }
    let write = EncodedWrite {
        first: EncodedAppend::new(request.log_id, request.expected, events, E::LOG_TYPE)?,
        others: Vec::new(),
        context: StoredContext::encode(&request.context, limits)?,
    };
    Ok((write, decoded))
}

/// Encodes the events of a request for several logs.
pub(in crate::stores) fn encode_across(
    request: &AppendAcrossRequest<'_>,
    limits: &Limits,
) -> Result<EncodedWrite, AppendError> {
    request.check(limits)?;
    let appends = request.parts.iter().map(|part| {
        let events = part.encode(limits)?;
        EncodedAppend::new(part.log_id(), part.expected(), events, part.log_type())
    });
    let mut appends = appends.collect::<Result<Vec<_>, _>>()?.into_iter();
    Ok(EncodedWrite {
        first: appends.next().ok_or(InvalidAppend::NoEvents)?,
        others: appends.collect(),
        context: StoredContext::encode(&request.context, limits)?,
    })
}

/// Returns the events of a request as a later read will return them.
pub(in crate::stores) fn records<E>(
    request: &AppendRequest<'_, E>,
    decoded: Vec<E>,
    recorded_at: DateTime<Utc>,
) -> Vec<RecordedEvent<E>> {
    if decoded.is_empty() {
        return Vec::new();
    }
    let occurred_at = request.context.occurred_at.map(stored_time);
    let metadata = Arc::new(request.context.metadata.clone());
    let places = request.event_ids.iter().zip(request.first_index()..);
    let records = decoded.into_iter().zip(places);
    records
        .map(|(event, (id, index))| {
            RecordedEvent::new(request.log_id, index, *id, event, recorded_at)
                .with_occurred_at(occurred_at)
                .with_metadata(Arc::clone(&metadata))
        })
        .collect()
}
