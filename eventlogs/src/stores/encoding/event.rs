//! Encodes one event, and decodes it again to check that it can be read.

use crate::codec::Codec;
use crate::codec::stored::StoredPayload;
use crate::event::{self, Event, EventType, Payload};
use crate::ids::EventId;
use crate::stores::error::invalid::InvalidAppend;
use crate::stores::error::{AppendError, EncodeError};
use crate::stores::limits::Limits;

/// The initial capacity of a payload, in bytes: enough for most, so that the vector need not grow while the codec writes.
const USUAL_PAYLOAD_BYTES: usize = 256;

/// The largest unused capacity of a payload, in bytes. A vector grows by doubling, but the queue counts only its length.
const SPARE_BYTES: usize = 1_024;

/// One encoded event.
#[derive(Debug)]
pub(in crate::stores) struct EncodedEvent {
    /// Its id.
    pub(in crate::stores) id: EventId,
    /// Its stored name and version.
    pub(in crate::stores) event_type: EventType,
    /// The codec of the payload.
    pub(in crate::stores) codec: i16,
    /// The payload.
    pub(in crate::stores) payload: Vec<u8>,
}

/// Encodes one event, and decodes it again. Returns both results.
pub(in crate::stores) fn encode_event<E: Event>(
    event: &E,
    id: EventId,
    limits: &Limits,
) -> Result<(EncodedEvent, E), AppendError> {
    let event_type = event.event_type();
    let mut payload = Vec::with_capacity(USUAL_PAYLOAD_BYTES);
    E::Codec::encode(&Payload(event), &mut payload).map_err(|error| EncodeError::Codec {
        event_type: event_type.name,
        source: error.into(),
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

/// Refuses an event that is retired: it is read, but no longer written.
pub(in crate::stores) fn check_retired<E: Event>(event: &E) -> Result<(), InvalidAppend> {
    match event::retired(event) {
        None => Ok(()),
        Some(entry) => Err(InvalidAppend::retired(entry)),
    }
}
