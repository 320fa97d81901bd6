//! Events on their way into a database: encoded once, in the caller's task, and tried whether they can be read again.

use super::{AppendError, AppendRequest, Appended, EncodeError, Expected, InvalidAppend, Limits};
use crate::codec::StoredPayload;
use crate::event::Payload;
use crate::ids::{EventId, LogId};
use crate::{Codec, Event, EventType, LogState, RecordedEvent};
use chrono::{DateTime, SubsecRound, Utc};

/// An append without its event type, as a writer queues it.
#[derive(Debug)]
pub(super) struct EncodedAppend {
    /// The log.
    pub(super) log_id: LogId,
    /// Where the caller believes it to end.
    pub(super) expected: Expected,
    /// The index of the first event.
    pub(super) first_index: u64,
    /// The events, at least one.
    pub(super) events: Vec<EncodedEvent>,
    /// Makes the append happen only once.
    pub(super) idempotency_key: Option<String>,
    /// The caller's time.
    pub(super) occurred_at: Option<DateTime<Utc>>,
    /// The kind of the log.
    pub(super) log_type: Option<String>,
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

impl EncodedAppend {
    /// Where the log ends once the events are stored.
    pub(super) fn state_after(&self) -> LogState {
        match self.events.last() {
            Some(last) => LogState::new(
                self.log_id,
                self.first_index
                    .saturating_add(self.events.len() as u64 - 1),
                last.id,
            ),
            // Refused before it was encoded.
            None => LogState::at(self.log_id, self.first_index),
        }
    }

    /// How many bytes of payload it holds.
    pub(super) fn payload_bytes(&self) -> usize {
        self.events.iter().map(|event| event.payload.len()).sum()
    }
}

/// What the caller's task keeps while the encoded events are away.
pub(super) struct Decoded<E> {
    /// The events as a later read will return them; empty unless the request asks for them.
    events: Vec<E>,
}

/// Encodes the events of a request, and decodes them again.
///
/// Reading back costs about as much as encoding, some hundred nanoseconds an event, and buys that no event can make its
/// log unreadable: JSON, for one, writes a number that is not finite as `null`.
pub(super) fn encode<E: Event>(
    request: &AppendRequest<'_, E>,
    limits: &Limits,
) -> Result<(EncodedAppend, Decoded<E>), AppendError> {
    request.check(limits)?;
    let mut decoded = Decoded { events: Vec::new() };
    let mut events = Vec::with_capacity(request.events.len());
    for (event, id) in request.events.iter().zip(&request.event_ids) {
        let (encoded, read_back) = encode_event(event, *id, limits)?;
        events.push(encoded);
        if request.return_events {
            decoded.events.push(read_back);
        }
    }
    let append = EncodedAppend {
        log_id: request.log_id,
        expected: request.expected,
        first_index: request.first_index(),
        events,
        idempotency_key: request.idempotency_key.map(str::to_owned),
        occurred_at: request.occurred_at.map(|time| time.trunc_subsecs(6)),
        log_type: request.log_type.map(str::to_owned),
    };
    Ok((append, decoded))
}

fn encode_event<E: Event>(
    event: &E,
    id: EventId,
    limits: &Limits,
) -> Result<(EncodedEvent, E), AppendError> {
    let event_type = event.event_type();
    let mut payload = Vec::new();
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

impl<E> Decoded<E> {
    /// The answer to the caller, once the database has recorded the events.
    pub(super) fn into_answer(
        self,
        recorded_at: DateTime<Utc>,
        request: &AppendRequest<'_, E>,
    ) -> Appended<E> {
        let occurred_at = request.occurred_at.map(|time| time.trunc_subsecs(6));
        let places = request.event_ids.iter().zip(request.first_index()..);
        let records = self
            .events
            .into_iter()
            .zip(places)
            .map(|(event, (id, index))| {
                RecordedEvent::new(request.log_id, index, *id, event, recorded_at)
                    .with_occurred_at(occurred_at)
            });
        Appended {
            state: request.state_after(),
            recorded_at,
            events: records.collect(),
        }
    }
}
