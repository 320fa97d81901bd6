//! Encodes a write for a database's writer, which does not know the types of the events.

use crate::event::{Event, LogType};
use crate::ids::{EventId, LogId};
use crate::stores::appends::{AppendAcrossRequest, Observed};
use crate::stores::encoding::event::{EncodedEvent, check_retired, encode_event};
use crate::stores::error::AppendError;
use crate::stores::error::invalid::InvalidAppend;
use crate::stores::limits::Limits;
use crate::stores::request::{AppendRequest, Expected};
use crate::stores::write::StoredContext;
use std::iter;

/// The memory that one queued event takes in addition to its payload, in bytes, rounded up.
const EVENT_BYTES: usize = 256;
/// The memory that one queued requirement takes, in bytes, rounded up.
const REQUIREMENT_BYTES: usize = 128;

/// An encoded write, as a writer queues it, without the types of the events. It is written completely or not at all.
#[derive(Debug)]
pub(in crate::stores) struct EncodedWrite {
    /// The append to the log, or to the first of several logs.
    pub(in crate::stores) first: EncodedAppend,
    /// The appends to further logs.
    pub(in crate::stores) others: Vec<EncodedAppend>,
    /// The logs that must not have moved.
    pub(in crate::stores) requirements: Vec<Requirement>,
    /// The idempotency key, the time and the metadata.
    pub(in crate::stores) context: StoredContext,
}

/// A log that must not have moved when a write happens.
#[derive(Debug, Clone, Copy)]
pub(in crate::stores) struct Requirement {
    /// The log.
    pub(in crate::stores) log_id: LogId,
    /// Where it must end.
    pub(in crate::stores) expected: Expected,
    /// The kind of the log.
    pub(in crate::stores) log_type: LogType,
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

    /// Returns the number of logs that it writes to or requires.
    pub(in crate::stores) fn log_count(&self) -> usize {
        1 + self.others.len() + self.requirements.len()
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
        let requirements = REQUIREMENT_BYTES * self.requirements.len();
        events + requirements + self.context.key.as_ref().map_or(0, |key| key.key.len())
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
        check_retired(event)?;
        let (encoded, read_back) = encode_event(event, *id, limits)?;
        events.push(encoded);
        if wanted {
            decoded.push(read_back);
        }
    }
    let write = EncodedWrite {
        first: EncodedAppend::new(request.log_id, request.expected, events, E::LOG_TYPE)?,
        others: Vec::new(),
        requirements: Vec::new(),
        context: StoredContext::encode(&request.context, limits)?,
    };
    Ok((write, decoded))
}

/// The observers of a request for several logs: one per part, if the part has one.
pub(in crate::stores) type Observers = Vec<Option<Box<dyn Observed>>>;

/// Encodes the events of a request for several logs. Also returns the observer of each part.
pub(in crate::stores) fn encode_across(
    request: &AppendAcrossRequest<'_>,
    limits: &Limits,
) -> Result<(EncodedWrite, Observers), AppendError> {
    request.check(limits)?;
    let mut appends = Vec::with_capacity(request.parts.len());
    let mut requirements = Vec::new();
    let mut observers = Vec::with_capacity(request.parts.len());
    for part in &request.parts {
        let (log_id, expected, log_type) = (part.log_id(), part.expected(), part.log_type());
        let (events, observer) = part.encode(limits)?;
        observers.push(observer);
        if part.is_requirement() {
            requirements.push(Requirement {
                log_id,
                expected,
                log_type,
            });
        } else {
            appends.push(EncodedAppend::new(log_id, expected, events, log_type)?);
        }
    }
    let mut appends = appends.into_iter();
    let write = EncodedWrite {
        first: appends.next().ok_or(InvalidAppend::NoEvents)?,
        others: appends.collect(),
        requirements,
        context: StoredContext::encode(&request.context, limits)?,
    };
    Ok((write, observers))
}
