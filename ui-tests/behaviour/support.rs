//! Helpers that write and read single events.

use eventlogs::codec::{Codec, CodecId, DecodeProblem, StoredPayload};
use eventlogs::ids::{EventId, LogId};
use eventlogs::{Aggregate, Event, RecordedEvent};
use serde::{Serialize, Serializer};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// Serialises the payload of an event.
pub(crate) struct Payload<'a, E>(pub(crate) &'a E);

impl<E: Event> Serialize for Payload<'_, E> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize_payload(serializer)
    }
}

/// The bytes that a store would keep.
pub(crate) fn bytes<E: Event>(event: &E) -> Vec<u8> {
    let mut buffer = Vec::new();
    <E::Codec as Codec>::encode(&Payload(event), &mut buffer).expect("the event has a payload");
    buffer
}

/// The payload as JSON, independent of the codec.
pub(crate) fn json<E: Event>(event: &E) -> String {
    serde_json::to_string(&Payload(event)).expect("the event has a payload")
}

/// Decodes stored bytes.
pub(crate) fn decode<E: Event>(
    name: &str,
    version: i32,
    codec: CodecId,
    bytes: &[u8],
) -> Result<E, DecodeProblem> {
    E::decode(&StoredPayload {
        name,
        version,
        codec,
        bytes,
    })
}

/// Decodes stored JSON.
pub(crate) fn decode_json<E: Event>(
    name: &str,
    version: i32,
    text: &str,
) -> Result<E, DecodeProblem> {
    decode(name, version, CodecId::JSON, text.as_bytes())
}

/// Writes an event and reads it back.
pub(crate) fn round_trip<E: Event>(event: &E) -> E {
    let event_type = event.event_type();
    decode(
        event_type.name,
        event_type.version.into(),
        <E::Codec as Codec>::ID,
        &bytes(event),
    )
    .expect("what was written can be read")
}

/// A record of the event.
pub(crate) fn record<E>(index: u64, event: E) -> RecordedEvent<E> {
    let now = "2026-01-31T12:00:00Z".parse().expect("a valid time");
    RecordedEvent::new(LogId::new(), index, EventId::new(), event, now)
}

/// Applies events to a new aggregate.
pub(crate) fn fold<A: Aggregate>(events: impl IntoIterator<Item = A::Event>) -> A {
    let mut aggregate = A::default();
    for (index, event) in (0..).zip(events) {
        aggregate.apply(&record(index, event));
    }
    aggregate
}

/// Runs a future that does not wait for anything.
pub(crate) fn now<F: Future>(future: F) -> F::Output {
    let mut context = Context::from_waker(Waker::noop());
    match pin!(future).poll(&mut context) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the future waits"),
    }
}
