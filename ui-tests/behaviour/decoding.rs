//! A failure to decode is a typed error.

use crate::support::{bytes, decode, decode_json};
use eventlogs::Event;
use eventlogs::codec::{Codec, CodecError, CodecId, DecodeProblem};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A custom codec: JSON after a marker.
struct Marked;

impl Codec for Marked {
    const ID: CodecId = CodecId::custom(777);

    fn encode<T: Serialize + ?Sized>(value: &T, buffer: &mut Vec<u8>) -> Result<(), CodecError> {
        buffer.push(b'!');
        Ok(serde_json::to_writer(buffer, value)?)
    }

    fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
        let bytes = bytes.strip_prefix(b"!").ok_or("the marker is missing")?;
        Ok(serde_json::from_slice(bytes)?)
    }
}

#[derive(Debug, PartialEq, Event)]
#[event(codec = Marked)]
enum DoorEvent {
    #[event(name = "door.opened", alias = "opened", version = 2, upcast(1 = opened_from_v1))]
    Opened {
        hours: u32,
    },
    Closed,
}

const fn opened_from_v1(hours: u32) -> DoorEvent {
    DoorEvent::Opened { hours }
}

#[test]
fn the_codec_of_the_row_reads_it() {
    let event = DoorEvent::Opened { hours: 3 };
    assert_eq!(bytes(&event), br#"!{"hours":3}"#);
    assert_eq!(
        decode::<DoorEvent>("door.opened", 2, Marked::ID, br#"!{"hours":3}"#).expect("own"),
        event
    );
    assert_eq!(
        decode_json::<DoorEvent>("door.opened", 2, r#"{"hours":3}"#).expect("json"),
        event
    );
    assert_eq!(
        decode::<DoorEvent>("opened", 2, CodecId::MSGPACK, b"\x81\xa5hours\x03").expect("msgpack"),
        event
    );
}

#[test]
fn an_unknown_name_is_said_to_be_unknown() {
    let problem = decode_json::<DoorEvent>("door.painted", 1, "{}").expect_err("nobody knows it");
    assert!(matches!(problem, DecodeProblem::UnknownName), "{problem}");
    // Names are exact: the identifier of a variant is no stored name if the variant has a `name`.
    let problem = decode_json::<DoorEvent>("Opened", 2, "{}").expect_err("nobody knows it");
    assert!(matches!(problem, DecodeProblem::UnknownName), "{problem}");
}

#[test]
fn a_version_out_of_range_is_said_to_be_unknown() {
    for version in [i32::MIN, -1, 0, 3, 65_538, i32::MAX] {
        for name in ["door.opened", "opened"] {
            let problem = decode_json::<DoorEvent>(name, version, r#"{"hours":3}"#)
                .expect_err("nobody knows it");
            assert!(
                matches!(problem, DecodeProblem::UnknownVersion { supported: 2 }),
                "{problem}"
            );
        }
    }
}

#[test]
fn an_unknown_codec_is_named() {
    let stranger = CodecId::from_stored(778);
    let problem = decode::<DoorEvent>("Closed", 1, stranger, b"{}").expect_err("nobody knows it");
    assert!(
        matches!(problem, DecodeProblem::UnknownCodec { codec: 778 }),
        "{problem}"
    );
}

#[test]
fn garbage_is_an_error_of_the_payload() {
    for text in [
        "",
        "{",
        "[]",
        "null",
        "{\"hours\":-1}",
        "{\"hours\":\"three\"}",
        "{\"hours\":3} {}",
        "\u{0}",
    ] {
        let problem = decode_json::<DoorEvent>("door.opened", 2, text).expect_err(text);
        assert!(
            matches!(problem, DecodeProblem::Payload(_)),
            "{text}: {problem}"
        );
    }
    let problem =
        decode_json::<DoorEvent>("door.opened", 1, "{}").expect_err("not what version 1 held");
    assert!(matches!(problem, DecodeProblem::Payload(_)), "{problem}");
    for bytes in [
        &b""[..],
        b"\x81",
        b"\xc0",
        b"\x80\x80",
        b"\xdf\xff\xff\xff\xff",
    ] {
        let problem =
            decode::<DoorEvent>("Closed", 1, CodecId::MSGPACK, bytes).expect_err("garbage");
        assert!(
            matches!(problem, DecodeProblem::Payload(_)),
            "{bytes:?}: {problem}"
        );
    }
}

#[test]
fn the_message_names_the_variant() {
    let problem = decode_json::<DoorEvent>("door.opened", 2, "7").expect_err("not a map");
    let DecodeProblem::Payload(source) = problem else {
        panic!("{problem}")
    };
    assert!(
        source
            .to_string()
            .contains("expected the payload of `Opened`"),
        "{source}"
    );
}

#[test]
fn a_variant_without_fields_may_meet_some() {
    let event: DoorEvent =
        decode_json("Closed", 1, r#"{"by":"a newer version"}"#).expect("extra fields are skipped");
    assert_eq!(event, DoorEvent::Closed);
}
