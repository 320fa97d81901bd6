//! The events and the aggregate that the suites use, written by hand so that they need no macros.

use crate::codec::{Codec, CodecError, CodecId, DecodeProblem, Json, StoredPayload};
use crate::{
    Aggregate, CodeFingerprint, Event, EventRecord, EventSchema, EventType, LogType, WholeSnapshot,
};
use serde::de::DeserializeOwned;
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;

/// The events of a [`Counter`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CounterEvent {
    /// The counter rose, or fell.
    Added {
        /// By how much.
        amount: i64,
    },
    /// Somebody wrote a text down.
    Noted {
        /// The text.
        text: String,
    },
}

/// Sums up and counts: applying an event twice, or leaving one out, shows.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Counter {
    /// The sum of all amounts.
    pub total: i64,
    /// The number of events.
    pub events: u64,
    /// The texts, in their order.
    pub notes: Vec<String>,
}

impl Aggregate for Counter {
    type Event = CounterEvent;

    fn apply(&mut self, event_record: &impl EventRecord<CounterEvent>) {
        self.events += 1;
        match event_record.event() {
            CounterEvent::Added { amount } => self.total += amount,
            CounterEvent::Noted { text } => self.notes.push(text.clone()),
        }
    }
}

// By hand, because serde's derive comes with the macros only.
impl Serialize for Counter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.total, self.events, &self.notes).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Counter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (total, events, notes) = Deserialize::deserialize(deserializer)?;
        Ok(Self {
            total,
            events,
            notes,
        })
    }
}

impl CodeFingerprint for Counter {
    fn code_fingerprint() -> u64 {
        1
    }
}

impl WholeSnapshot for Counter {}

/// The stored type of [`CounterEvent::Added`].
const ADDED: EventType = EventType::new("counter.added", 1);
/// The stored type of [`CounterEvent::Noted`].
const NOTED: EventType = EventType::new("counter.noted", 1);
/// The stored type of [`StrangeEvent::Measured`].
const MEASURED: EventType = EventType::new("counter.measured", 1);

impl Event for CounterEvent {
    type Codec = Json;

    const LOG_TYPE: LogType = LogType::new("counter");

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
            _ => Err(stored.not_in_schema::<Self>()),
        }
    }
}

/// Events that a [`Counter`] cannot read, or that cannot be stored at all: what other versions of a program, and
/// mistakes, leave behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StrangeEvent {
    /// An event of a name that [`CounterEvent`] does not have.
    UnknownName,
    /// A [`CounterEvent::Added`] of version 2.
    NewerVersion,
    /// A [`CounterEvent::Added`] whose amount is a text.
    OtherShape,
    /// An event that its codec refuses to write.
    NotEncodable,
    /// An event that its codec writes but cannot read.
    NotReadable,
    /// An event that its codec would bring back as another one: a `Some` of nothing.
    ReadAsAnother,
    /// A floating-point number, by its bits.
    Measured {
        /// The bits.
        bits: u64,
    },
}

impl Event for StrangeEvent {
    type Codec = Json;

    const LOG_TYPE: LogType = LogType::new("counter");

    const SCHEMA: &'static [EventSchema] = &[];

    fn event_type(&self) -> EventType {
        match self {
            Self::UnknownName => EventType::new("counter.exploded", 1),
            Self::NewerVersion => EventType::new("counter.added", 2),
            Self::Measured { .. } => MEASURED,
            Self::OtherShape | Self::NotEncodable | Self::NotReadable | Self::ReadAsAnother => {
                ADDED
            }
        }
    }

    fn serialize_payload<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::NotEncodable => Err(serde::ser::Error::custom("refused on purpose")),
            Self::ReadAsAnother => one_field(serializer, "amount", &Some(None::<i64>)),
            Self::Measured { bits } => one_field(serializer, "kelvin", &f64::from_bits(*bits)),
            _ => one_field(serializer, "amount", &format!("{self:?}")),
        }
    }

    fn decode(stored: &StoredPayload<'_>) -> Result<Self, DecodeProblem> {
        if stored.name == MEASURED.name {
            let kelvin: f64 = read_field(stored, "kelvin")?;
            let bits = kelvin.to_bits();
            return Ok(Self::Measured { bits });
        }
        let name: String = read_field(stored, "amount")?;
        match name.as_str() {
            "UnknownName" => Ok(Self::UnknownName),
            "NewerVersion" => Ok(Self::NewerVersion),
            "OtherShape" => Ok(Self::OtherShape),
            other => Err(DecodeProblem::Payload(
                format!("`{other}` cannot be read, on purpose").into(),
            )),
        }
    }
}

/// A [`CounterEvent::Added`] that was written with a codec of which other code knows nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlienEvent;

impl Event for AlienEvent {
    type Codec = AlienCodec;

    const LOG_TYPE: LogType = LogType::new("counter");

    const SCHEMA: &'static [EventSchema] = &[];

    fn event_type(&self) -> EventType {
        ADDED
    }

    fn serialize_payload<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        one_field(serializer, "amount", &1)
    }

    fn decode(stored: &StoredPayload<'_>) -> Result<Self, DecodeProblem> {
        stored
            .read::<AlienCodec, BTreeMap<String, i64>>()
            .map(|_| Self)
    }
}

/// JSON under a number that nobody else has.
#[derive(Debug)]
pub struct AlienCodec;

impl Codec for AlienCodec {
    const ID: CodecId = CodecId::custom(30_000);

    fn encode<T: Serialize + ?Sized>(value: &T, buffer: &mut Vec<u8>) -> Result<(), CodecError> {
        Json::encode(value, buffer)
    }

    fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
        Json::decode(bytes)
    }
}

fn one_field<S: Serializer>(
    serializer: S,
    name: &str,
    value: &impl Serialize,
) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(1))?;
    map.serialize_entry(name, value)?;
    map.end()
}

fn read_field<T: DeserializeOwned>(
    stored: &StoredPayload<'_>,
    name: &str,
) -> Result<T, DecodeProblem> {
    let mut fields: BTreeMap<String, T> = stored.read::<Json, _>()?;
    fields
        .remove(name)
        .ok_or_else(|| DecodeProblem::Payload(format!("the field `{name}` is missing").into()))
}
