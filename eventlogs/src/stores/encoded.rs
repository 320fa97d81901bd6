//! Events on their way into a database: encoded once, in the caller's task, and tried whether they can be read again.

use crate::codec::Codec;
use crate::codec::stored::StoredPayload;
use crate::event::Payload;
use crate::event::{Event, EventType, LogType};
use crate::ids::{EventId, LogId};
use crate::metadata::Metadata;
use crate::record::RecordedEvent;
use crate::stores::appends::AppendManyRequest;
use crate::stores::error::{AppendError, EncodeError, InvalidAppend};
use crate::stores::idempotency::{IdempotencyKey, Replay, RequestFingerprint};
use crate::stores::limits::Limits;
use crate::stores::request::{AppendRequest, Expected};
use crate::stores::times::stored_time;
use chrono::{DateTime, Utc};
use std::iter;
use std::sync::Arc;

/// What one event takes up beside its payload while it waits, in bytes, rounded up.
const EVENT_BYTES: usize = 256;

/// How much room a payload has from the start, in bytes: enough for most, so that it need not grow while it is written.
const USUAL_PAYLOAD_BYTES: usize = 256;

/// How much room a payload may have to spare, in bytes. It has grown by doubling, and what waits is counted by its length.
const SPARE_BYTES: usize = 1_024;

/// A write without its event types, as a writer queues it. It happens as a whole or not at all.
#[derive(Debug)]
pub(super) struct EncodedWrite {
    /// The append to the log; to the first one, if there are several.
    pub(super) first: EncodedAppend,
    /// The appends to further logs.
    pub(super) others: Vec<EncodedAppend>,
    /// Makes the write happen only once.
    pub(super) key: Option<EncodedKey>,
    /// The caller's time.
    pub(super) occurred_at: Option<DateTime<Utc>>,
    /// What is stored beside each event.
    pub(super) metadata: Option<Vec<u8>>,
}

/// Events for one log.
#[derive(Debug)]
pub(super) struct EncodedAppend {
    /// The log.
    pub(super) log_id: LogId,
    /// Where the caller believes it to end.
    pub(super) expected: Expected,
    /// The index of the first event.
    pub(super) first_index: u64,
    /// The first event.
    pub(super) head: EncodedEvent,
    /// The events behind it.
    pub(super) tail: Vec<EncodedEvent>,
    /// The kind of the log.
    pub(super) log_type: LogType,
}

/// What a database holds of the log that an append is about.
#[derive(Debug, Clone, Copy)]
pub(super) struct FoundLog<'a> {
    /// The kind of the log; `None` if it has no events.
    pub(super) kind: Option<FoundKind<'a>>,
    /// The event at the index that the append wants.
    pub(super) stored: Option<EventId>,
    /// The event before that index.
    pub(super) predecessor: Option<EventId>,
}

/// The kind of a log as a database holds it.
#[derive(Debug, Clone, Copy)]
pub(super) struct FoundKind<'a> {
    /// The number, which is stored with each event.
    pub(super) number: i32,
    /// The name, which is stored with the first one.
    pub(super) name: Option<&'a str>,
}

impl FoundKind<'_> {
    /// How messages call the kind.
    pub(super) fn name(self) -> String {
        let number = || format!("kind {}", self.number);
        self.name.map_or_else(number, str::to_owned)
    }
}

/// One encoded event.
#[derive(Debug)]
pub(super) struct EncodedEvent {
    /// Its identity.
    pub(super) id: EventId,
    /// Its stored name and version.
    pub(super) event_type: EventType,
    /// The codec of the payload.
    pub(super) codec: i16,
    /// The payload.
    pub(super) payload: Vec<u8>,
}

/// An idempotency key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct EncodedKey {
    /// The log among whose writes it is unique; `None` means all logs.
    pub(super) scope: Option<LogId>,
    /// The key.
    pub(super) key: String,
    /// What the request was.
    pub(super) request_fingerprint: Option<RequestFingerprint>,
}

impl EncodedWrite {
    /// The appends, one a log.
    pub(super) fn appends(&self) -> impl Iterator<Item = &EncodedAppend> {
        iter::once(&self.first).chain(&self.others)
    }

    /// Whether it is about several logs.
    #[cfg(feature = "postgres")]
    pub(super) fn is_about_several_logs(&self) -> bool {
        !self.others.is_empty()
    }

    /// How many events it holds.
    pub(super) fn event_count(&self) -> usize {
        self.appends().map(|append| 1 + append.tail.len()).sum()
    }

    /// How many bytes it takes up while it waits.
    pub(super) fn bytes(&self) -> usize {
        let beside = self.metadata.as_ref().map_or(0, Vec::len);
        let events = self.appends().flat_map(EncodedAppend::events);
        let events: usize = events
            .map(|event| EVENT_BYTES + event.payload.len() + beside)
            .sum();
        events + self.key.as_ref().map_or(0, |key| key.key.len())
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

    /// All its events.
    pub(super) fn events(&self) -> impl Iterator<Item = &EncodedEvent> {
        iter::once(&self.head).chain(&self.tail)
    }

    /// How many events it holds.
    pub(super) fn event_count(&self) -> u64 {
        1 + self.tail.len() as u64
    }

    /// Why the log cannot take the append, if it cannot.
    pub(super) fn refused_by(&self, found: FoundLog<'_>) -> Option<AppendError> {
        let log_id = self.log_id;
        let (Expected::After { event_id, .. }, Some(kind)) = (self.expected, found.kind) else {
            return match self.expected {
                Expected::NewLog => found
                    .stored
                    .map(|_| AppendError::LogAlreadyExists { log_id }),
                Expected::After { .. } => Some(AppendError::LogNotFound { log_id }),
            };
        };
        if !self.log_type.accepts(kind.number) {
            return Some(AppendError::WrongKind {
                log_id,
                found: kind.name(),
                expected: self.log_type.name(),
            });
        }
        let predecessor = found.predecessor;
        let continues = predecessor.is_some() && event_id.is_none_or(|id| predecessor == Some(id));
        let is_free = found.stored.is_none() && continues;
        (!is_free).then(|| self.conflict())
    }

    /// The error for a key that an earlier write used.
    pub(super) fn key_used(&self, replay: Replay, kind: i32) -> AppendError {
        if self.log_type.accepts(kind) {
            AppendError::Replay(replay)
        } else {
            AppendError::KeyReused(replay)
        }
    }

    /// That somebody else was faster.
    pub(super) const fn conflict(&self) -> AppendError {
        AppendError::Conflict {
            log_id: self.log_id,
            event_index: self.first_index,
        }
    }

    /// The index of its last event.
    #[cfg(feature = "postgres")]
    pub(super) fn last_index(&self) -> u64 {
        self.first_index.saturating_add(self.event_count() - 1)
    }

    /// The id of its last event.
    pub(super) fn last_event_id(&self) -> EventId {
        self.tail.last().unwrap_or(&self.head).id
    }
}

/// The scope of a key as databases hold it. Zeros stand for all logs, so the log of that id has another number.
pub(super) fn stored_scope(scope: Option<&LogId>) -> &[u8; 16] {
    const ALL_LOGS: &[u8; 16] = &[0; 16];
    const NIL_LOG: &[u8; 16] = b"eventlogs nil id";
    match scope {
        None => ALL_LOGS,
        Some(log_id) if log_id.as_bytes() == ALL_LOGS => NIL_LOG,
        Some(log_id) => log_id.as_bytes(),
    }
}

impl EncodedKey {
    fn new(key: IdempotencyKey<'_>) -> Self {
        Self {
            scope: key.scope,
            key: key.key.to_owned(),
            request_fingerprint: key.request_fingerprint,
        }
    }
}

/// Encodes the events of a request, and decodes them again. What was decoded comes along if somebody wants it.
///
/// Reading back costs about as much as encoding, some hundred nanoseconds an event, and buys that no event can make its
/// log unreadable. What its codec would bring back as something else the codec refuses itself, as JSON does with NaN.
pub(super) fn encode<E: Event>(
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
        key: request.idempotency_key.map(EncodedKey::new),
        occurred_at: request.occurred_at.map(stored_time),
        metadata: encode_metadata(&request.metadata, limits)?,
    };
    Ok((write, decoded))
}

/// Encodes the events of a request for several logs.
pub(super) fn encode_many(
    request: &AppendManyRequest<'_>,
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
        key: request.idempotency_key.map(EncodedKey::new),
        occurred_at: request.occurred_at.map(stored_time),
        metadata: encode_metadata(&request.metadata, limits)?,
    })
}

fn encode_metadata(metadata: &Metadata, limits: &Limits) -> Result<Option<Vec<u8>>, InvalidAppend> {
    let encoded = metadata.encode();
    let bytes = encoded.as_ref().map_or(0, Vec::len);
    if bytes > limits.max_metadata_bytes {
        return Err(InvalidAppend::MetadataTooLarge {
            bytes,
            limit: limits.max_metadata_bytes,
        });
    }
    Ok(encoded)
}

/// Encodes one event, and decodes it again.
pub(super) fn encode_event<E: Event>(
    event: &E,
    id: EventId,
    limits: &Limits,
) -> Result<(EncodedEvent, E), AppendError> {
    let event_type = event.event_type();
    let mut payload = Vec::with_capacity(USUAL_PAYLOAD_BYTES);
    E::Codec::encode(&Payload(event), &mut payload).map_err(|source| EncodeError::Codec {
        event_type: event_type.name,
        source,
    })?;
    if payload.len() > limits.max_payload_bytes {
        let refusal = InvalidAppend::PayloadTooLarge {
            event_type: event_type.name,
            bytes: payload.len(),
            limit: limits.max_payload_bytes,
        };
        return Err(refusal.into());
    }
    if payload.capacity() - payload.len() > SPARE_BYTES {
        payload.shrink_to_fit();
    }
    let codec = E::Codec::ID;
    let stored = StoredPayload {
        name: event_type.name,
        version: i32::from(event_type.version),
        codec,
        bytes: &payload,
    };
    let read_back = E::decode(&stored).map_err(|source| EncodeError::NotReadable {
        event_type: event_type.name,
        source,
    })?;
    Ok((
        EncodedEvent {
            id,
            event_type,
            codec: codec.get(),
            payload,
        },
        read_back,
    ))
}

/// The events of a request as a later read will return them.
pub(super) fn records<E>(
    request: &AppendRequest<'_, E>,
    decoded: Vec<E>,
    recorded_at: DateTime<Utc>,
) -> Vec<RecordedEvent<E>> {
    if decoded.is_empty() {
        return Vec::new();
    }
    let occurred_at = request.occurred_at.map(stored_time);
    let metadata = Arc::new(request.metadata.clone());
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
