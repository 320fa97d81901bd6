//! The payload holds the fields of the variant, in every shape and codec.

use crate::support::{bytes, json, round_trip};
use eventlogs::Event;
use serde::{Deserialize, Serialize};

/// A type with the name of its variant, which is common.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Refunded {
    amount: u64,
    reason: Option<String>,
}

/// The same variants, for each codec.
macro_rules! events {
    ($name:ident, $codec:literal) => {
        #[derive(Debug, Clone, PartialEq, Event)]
        #[event(codec = $codec)]
        enum $name {
            Requested { amount: u64, note: Option<String> },
            Refunded(Refunded),
            Split(u64, String, Vec<u8>),
            Nested(Vec<Self>),
            Voided,
            Tuple(),
            Struct {},
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.serialize_payload(serializer)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                serde::de::IgnoredAny::deserialize(deserializer).map(|_| Self::Voided)
            }
        }

        impl $name {
            fn all() -> Vec<Self> {
                vec![
                    Self::Requested {
                        amount: 5,
                        note: None,
                    },
                    Self::Requested {
                        amount: u64::MAX,
                        note: Some("ß — 漢字 \u{0}".to_owned()),
                    },
                    Self::Refunded(Refunded {
                        amount: 3,
                        reason: Some(String::new()),
                    }),
                    Self::Split(1, "x".to_owned(), vec![0, 255]),
                    Self::Nested(vec![Self::Voided, Self::Voided]),
                    Self::Voided,
                    Self::Tuple(),
                    Self::Struct {},
                ]
            }
        }
    };
}

events!(JsonEvent, "json");
events!(MsgPackEvent, "msgpack");

#[test]
fn every_shape_survives_a_round_trip_in_json() {
    for event in JsonEvent::all() {
        assert_eq!(round_trip(&event), event);
    }
}

#[test]
fn every_shape_survives_a_round_trip_in_message_pack() {
    for event in MsgPackEvent::all() {
        assert_eq!(round_trip(&event), event);
    }
}

#[test]
fn a_payload_holds_the_fields_and_neither_name_nor_version() {
    let payloads: Vec<_> = JsonEvent::all().iter().map(json).collect();
    assert_eq!(
        payloads,
        [
            r#"{"amount":5,"note":null}"#,
            r#"{"amount":18446744073709551615,"note":"ß — 漢字 \u0000"}"#,
            r#"{"amount":3,"reason":""}"#,
            r#"[1,"x",[0,255]]"#,
            "[{},{}]",
            "{}",
            "{}",
            "{}",
        ]
    );
}

#[test]
fn message_pack_goes_by_field_name() {
    let event = MsgPackEvent::Requested {
        amount: 5,
        note: None,
    };
    assert_eq!(bytes(&event), b"\x82\xa6amount\x05\xa4note\xc0");
    assert_eq!(bytes(&MsgPackEvent::Voided), b"\x80");
}

#[test]
fn the_schema_lists_what_is_written() {
    assert_eq!(JsonEvent::SCHEMA.len(), 7);
    for event in JsonEvent::all() {
        let event_type = event.event_type();
        assert_eq!(event_type.version, 1);
        assert!(
            JsonEvent::SCHEMA
                .iter()
                .any(|entry| entry.event_type == event_type)
        );
    }
    assert_eq!(JsonEvent::Voided.event_type().name, "Voided");
}

/// Events with a type parameter.
#[derive(Debug, PartialEq, Event)]
enum CartEvent<I> {
    Filled { item: I, times: u32 },
    Swapped(I, I),
    Emptied,
}

#[test]
fn events_can_be_generic() {
    for event in [
        CartEvent::Filled {
            item: "book".to_owned(),
            times: 2,
        },
        CartEvent::Swapped("book".to_owned(), "pen".to_owned()),
        CartEvent::Emptied,
    ] {
        assert_eq!(round_trip(&event), event);
    }
    assert_eq!(json(&CartEvent::Swapped(1, 2)), "[1,2]");
}
