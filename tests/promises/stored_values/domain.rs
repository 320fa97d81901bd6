//! Events that hold all values that serde can express.

#![allow(
    clippy::option_option,
    reason = "options of options are what codecs lose most easily"
)]

use eventlogs::Event;
use serde::de::{Deserializer, Error, IgnoredAny};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

/// Defines an enum of many values, once per codec.
macro_rules! values {
    ($name:ident, $codec:literal) => {
        #[derive(Debug, Clone, PartialEq, Event)]
        #[event(codec = $codec)]
        pub(crate) enum $name {
            Twice {
                nick: Option<Option<String>>,
            },
            Thrice(Option<Option<Option<u8>>>),
            Number {
                value: Option<f64>,
            },
            Bare {
                value: f64,
            },
            Small {
                value: f32,
            },
            Numbers(Vec<Option<f64>>, Vec<f64>),
            Json {
                body: Option<Value>,
            },
            Unit {
                by: Option<()>,
            },
            Marker {
                by: Option<Marker>,
            },
            Deep(BTreeMap<String, Vec<(u8, Option<Transparent>)>>),
            Untagged {
                what: Option<Untagged>,
            },
            Tagged {
                what: Option<Tagged>,
            },
            Written {
                what: Option<WritesUnit>,
            },
            Flat(Flat),
            Large {
                signed: i128,
                unsigned: u128,
            },
            Keys(
                BTreeMap<u128, u8>,
                BTreeMap<char, i128>,
                BTreeMap<Kind, bool>,
            ),
            Structs(HashMap<Key, u8>),
            Patched {
                #[serde(
                    default,
                    skip_serializing_if = "Option::is_none",
                    with = "double_option"
                )]
                nick: Option<Option<String>>,
            },
        }
    };
}

values!(InJson, "json");
values!(InMsgPack, "msgpack");

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Marker;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Transparent(pub(crate) Option<Newtype>);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Newtype(pub(crate) Option<u8>);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Untagged {
    Text(String),
    Pair { left: Option<u8> },
    Nothing,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind")]
pub(crate) enum Tagged {
    Nothing,
    One { left: Option<Option<u8>> },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Kind {
    None,
    Null,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Key {
    pub(crate) left: u8,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Flat {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) tags: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) note: Option<String>,
    #[serde(flatten)]
    pub(crate) rest: BTreeMap<String, Option<Option<u8>>>,
}

/// The usual solution for both codecs: no field is left out, and no value within is null.
#[expect(
    clippy::ref_option,
    reason = "serde defines the signature of the functions"
)]
mod double_option {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(
        value: &Option<Option<String>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(Some(value)) => value.serialize(serializer),
            _ => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Option<String>>, D::Error> {
        Deserialize::deserialize(deserializer).map(Some)
    }
}

/// A type of the user that becomes null in a database.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct WritesUnit;

impl Serialize for WritesUnit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

impl<'de> Deserialize<'de> for WritesUnit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match IgnoredAny::deserialize(deserializer) {
            Ok(_) => Ok(Self),
            Err(error) => Err(Error::custom(error)),
        }
    }
}
