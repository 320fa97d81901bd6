//! Events that a store or a [`Counter`] cannot read.

use crate::__example::stored::{ADDED, one_field, read_field};
use crate::codec::built_in::json::Json;
use crate::codec::stored::{DecodeProblem, StoredPayload};
use crate::codec::{Codec, CodecError, CodecId};
use crate::event::{Event, EventSchema, EventType, LogType};
use serde::de::DeserializeOwned;
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;

#[cfg(doc)]
use crate::__example::{Counter, CounterEvent};

/// The stored type of [`StrangeEvent::Measured`].
const MEASURED: EventType = EventType::new("counter.measured", 1);

/// Events that a [`Counter`] cannot read, or that cannot be stored at all: the results of other versions of a program, and of
/// mistakes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StrangeEvent {
    /// An event of a name that [`CounterEvent`] does not have.
    UnknownName,
    /// A [`CounterEvent::Added`] of version 2.
    NewerVersion,
    /// A [`CounterEvent::Added`] whose amount is a string.
    OtherShape,
    /// An event that its codec refuses to write.
    NotEncodable,
    /// An event that its codec writes but cannot read.
    NotReadable,
    /// An event that its codec would decode as another event: a `Some` of nothing.
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

/// A [`CounterEvent::Added`] written with a codec that other code does not know.
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

/// Makes an event of another kind that does nothing.
macro_rules! event_of_kind {
    ($(#[$about:meta])* $name:ident, $kind:literal) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name;

        impl Event for $name {
            type Codec = Json;

            const LOG_TYPE: LogType = LogType::new($kind);

            const SCHEMA: &'static [EventSchema] = &[];

            fn event_type(&self) -> EventType {
                ADDED
            }

            fn serialize_payload<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                one_field(serializer, "amount", &0)
            }

            fn decode(stored: &StoredPayload<'_>) -> Result<Self, DecodeProblem> {
                stored.read::<Json, BTreeMap<String, i64>>().map(|_| Self)
            }
        }
    };
}

event_of_kind! {
    /// An event of logs of another kind than those of [`CounterEvent`].
    UnrelatedEvent, "unrelated"
}

event_of_kind! {
    /// A [`CounterEvent::Added`] of nothing in a log that was created under the former name of the kind.
    FormerEvent, "tally"
}

/// JSON under a number that no other codec has.
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
