//! Owned strings of every kind, and borrowed strings that are read by a function or not at all.

#![deny(warnings)]

use eventlogs::Event;
use eventlogs::codec::{CodecId, StoredPayload};
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;
use std::marker::PhantomData;

fn known<'de, D: Deserializer<'de>>(deserializer: D) -> Result<&'static str, D::Error> {
    Ok(match String::deserialize(deserializer)?.as_str() {
        "front" => "front",
        _ => "back",
    })
}

fn maybe_known<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'static str>, D::Error> {
    known(deserializer).map(Some)
}

#[derive(Debug, PartialEq, Event)]
pub enum DoorEvent {
    Opened {
        by: String,
        note: Box<str>,
        way: Cow<'static, str>,
        ways: Option<Vec<Cow<'static, str>>>,
        kind: PhantomData<&'static str>,
        #[serde(deserialize_with = "known")]
        door: &'static str,
        #[serde(deserialize_with = "maybe_known")]
        other: Option<&'static str>,
        #[serde(skip)]
        skipped: &'static str,
    },
    Closed(#[serde(deserialize_with = "known")] &'static str),
}

fn main() {
    let read = |name, bytes| {
        let codec = CodecId::JSON;
        DoorEvent::decode(&StoredPayload { name, version: 1, codec, bytes }).expect("it can be read")
    };
    let opened = br#"{"by":"a","note":"b","way":"c","ways":null,"kind":null,"door":"front","other":"x"}"#;
    let expected = DoorEvent::Opened {
        by: "a".into(),
        note: "b".into(),
        way: "c".into(),
        ways: None,
        kind: PhantomData,
        door: "front",
        other: Some("back"),
        skipped: "",
    };
    assert_eq!(read("Opened", opened), expected);
    assert_eq!(read("Closed", br#""front""#), DoorEvent::Closed("front"));
}
