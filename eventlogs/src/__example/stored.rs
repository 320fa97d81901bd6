//! [`CounterEvent`] as stored events.

use super::CounterEvent;
use crate::codec::built_in::json::Json;
use crate::codec::stored::{DecodeProblem, StoredPayload};
use crate::event::{Event, EventSchema, EventType, LogType};
use serde::Serialize;
use serde::Serializer;
use serde::de::DeserializeOwned;
use serde::ser::SerializeMap;
use std::collections::BTreeMap;

/// The stored type of [`CounterEvent::Added`].
pub(crate) const ADDED: EventType = EventType::new("counter.added", 1);
/// The stored type of [`CounterEvent::Noted`].
const NOTED: EventType = EventType::new("counter.noted", 1);
impl Event for CounterEvent {
    type Codec = Json;

    const LOG_TYPE: LogType = LogType::new("counter").with_aliases(&["tally"]);

    const SCHEMA: &'static [EventSchema] = &[
        EventSchema::new(ADDED, "Added").with_fields(&["amount: i64"]),
        EventSchema::new(NOTED, "Noted").with_fields(&["text: String"]),
    ];

    fn event_type(&self) -> EventType {
        match self {
            Self::Added { .. } => ADDED,
            Self::Noted { .. } => NOTED,
        }
    }

    fn serialize_payload<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Added { amount } => one_field(serializer, "amount", amount),
            Self::Noted { text } => one_field(serializer, "text", text),
        }
    }

    fn decode(stored: &StoredPayload<'_>) -> Result<Self, DecodeProblem> {
        match (stored.name, stored.version) {
            ("counter.added", 1) => Ok(Self::Added {
                amount: read_field(stored, "amount")?,
            }),
            ("counter.noted", 1) => Ok(Self::Noted {
                text: read_field(stored, "text")?,
            }),
            _ => Err(stored.unknown_event::<Self>()),
        }
    }
}

pub(crate) fn one_field<S: Serializer>(
    serializer: S,
    name: &str,
    value: &impl Serialize,
) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(1))?;
    map.serialize_entry(name, value)?;
    map.end()
}

pub(crate) fn read_field<T: DeserializeOwned>(
    stored: &StoredPayload<'_>,
    name: &str,
) -> Result<T, DecodeProblem> {
    let mut fields: BTreeMap<String, T> = stored.read::<Json, _>()?;
    fields
        .remove(name)
        .ok_or_else(|| DecodeProblem::Payload(format!("the field `{name}` is missing").into()))
}
