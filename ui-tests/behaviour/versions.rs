//! Old names and old versions stay readable.

use crate::support::{decode, decode_json, round_trip};
use eventlogs::codec::{Codec, CodecId};
use eventlogs::testing::events_lock::{self, EnumSchema};
use eventlogs::{Event, EventType};
use serde::{Deserialize, Serialize};

/// The payload of version 1.
#[derive(Serialize, Deserialize)]
struct AuthorizedV1 {
    cents: u64,
}

/// The payload of version 2.
#[derive(Serialize, Deserialize)]
struct AuthorizedV2 {
    amount: u64,
}

#[derive(Debug, PartialEq, Event)]
enum PaymentEvent {
    #[event(name = "payment.authorized", version = 3, upcast(1 = authorized_from_v1, 2 = upcasters::authorized_from_v2))]
    Authorized { amount: u64, code: Option<String> },
    #[event(
        name = "payment.refunded",
        alias = "payment.credited",
        alias = "refund"
    )]
    #[event(version = 2)]
    #[event(upcast(1 = Self::refunded_from_v1))]
    Refunded(u64),
}

const fn authorized_from_v1(old: AuthorizedV1) -> PaymentEvent {
    PaymentEvent::Authorized {
        amount: old.cents / 100,
        code: None,
    }
}

mod upcasters {
    use super::{AuthorizedV2, PaymentEvent};

    pub(super) const fn authorized_from_v2(old: AuthorizedV2) -> PaymentEvent {
        PaymentEvent::Authorized {
            amount: old.amount,
            code: None,
        }
    }
}

impl PaymentEvent {
    /// An upcaster may return another variant.
    const fn refunded_from_v1((amount, authorized): (u64, bool)) -> Self {
        if authorized {
            Self::Authorized { amount, code: None }
        } else {
            Self::Refunded(amount)
        }
    }
}

#[test]
fn every_older_version_is_upgraded() {
    let expected = PaymentEvent::Authorized {
        amount: 5,
        code: None,
    };
    assert_eq!(
        decode_json::<PaymentEvent>("payment.authorized", 1, r#"{"cents":500}"#)
            .expect("it decodes"),
        expected
    );
    assert_eq!(
        decode_json::<PaymentEvent>("payment.authorized", 2, r#"{"amount":5}"#)
            .expect("it decodes"),
        expected
    );
    assert_eq!(round_trip(&expected), expected);
}

#[test]
fn upcasters_work_with_the_codec_of_the_row() {
    let mut bytes = Vec::new();
    eventlogs::codec::MsgPack::encode(&AuthorizedV1 { cents: 500 }, &mut bytes)
        .expect("it encodes");
    let event: PaymentEvent =
        decode("payment.authorized", 1, CodecId::MSGPACK, &bytes).expect("it decodes");
    assert_eq!(
        event,
        PaymentEvent::Authorized {
            amount: 5,
            code: None
        }
    );
}

/// The bytes that each version wrote while it was the current one. They must never be changed.
#[test]
fn every_version_that_was_ever_written_decodes_today() {
    let authorized = PaymentEvent::Authorized {
        amount: 5,
        code: None,
    };
    let golden: [(i32, &[u8], &[u8]); 3] = [
        (1, br#"{"cents":500}"#, b"\x81\xa5cents\xcd\x01\xf4"),
        (2, br#"{"amount":5}"#, b"\x81\xa6amount\x05"),
        (
            3,
            br#"{"amount":5,"code":null}"#,
            b"\x82\xa6amount\x05\xa4code\xc0",
        ),
    ];
    for (version, json, message_pack) in golden {
        for (codec, bytes) in [(CodecId::JSON, json), (CodecId::MSGPACK, message_pack)] {
            let event: PaymentEvent =
                decode("payment.authorized", version, codec, bytes).expect("it decodes");
            assert_eq!(event, authorized, "version {version}, {codec:?}");
        }
    }
}

/// The lock file of the stored events is next to this package's `Cargo.toml`.
#[test]
fn stored_events_stay_readable() {
    eventlogs::testing::check_events_lock!(PaymentEvent => [
        PaymentEvent::Authorized {
            amount: 5,
            code: Some("a \"b\"".to_owned()),
        },
        PaymentEvent::Refunded(7),
    ]);
}

#[test]
fn a_changed_shape_without_a_new_version_is_noticed() {
    #[derive(Event)]
    #[event(codec = "msgpack")]
    enum DoorEvent {
        #[event(name = "door.opened")]
        Opened {
            #[serde(default)]
            hours: u32,
        },
    }

    let folder = tempfile::tempdir().expect("a folder");
    let past = "enum DoorEvent\ncodec 1\n\ndoor.opened 1 Opened\n    hours: u64\n";
    std::fs::write(folder.path().join("events.lock"), past).expect("it is written");
    let opened = EnumSchema::new::<DoorEvent>("DoorEvent");
    let error = events_lock::check(folder.path(), &[opened]).expect_err("the type has changed");
    let said = error.to_string();
    assert!(said.contains("`DoorEvent::Opened` has changed"), "{said}");
    assert!(
        said.contains("`hours` was `u64`, but is `u32` now"),
        "{said}"
    );
    assert_eq!(
        round_trip(&DoorEvent::Opened { hours: 3 })
            .event_type()
            .version,
        1
    );
}

#[test]
fn aliases_are_read_in_every_version() {
    for name in ["payment.refunded", "payment.credited", "refund"] {
        let event: PaymentEvent = decode_json(name, 2, "7").expect("it decodes");
        assert_eq!(event, PaymentEvent::Refunded(7));
        let event: PaymentEvent = decode_json(name, 1, "[7,true]").expect("it decodes");
        assert_eq!(
            event,
            PaymentEvent::Authorized {
                amount: 7,
                code: None
            }
        );
    }
}

#[test]
fn the_schema_tells_names_versions_and_aliases() {
    let [authorized, refunded] = PaymentEvent::SCHEMA else {
        panic!("there are two variants")
    };
    assert_eq!(
        authorized.event_type,
        EventType::new("payment.authorized", 3)
    );
    assert_eq!(authorized.aliases, [""; 0]);
    assert_eq!(refunded.event_type, PaymentEvent::Refunded(1).event_type());
    assert_eq!(refunded.aliases, ["payment.credited", "refund"]);
    assert_eq!(authorized.upcast_from, [1, 2]);
    assert_eq!(authorized.variant, "Authorized");
    assert_eq!(authorized.fields, ["amount: u64", "code: Option<String>"]);
    assert_eq!(refunded.fields, ["0: u64"]);
}

#[test]
fn the_kind_of_the_logs_is_remembered() {
    #[derive(Event)]
    #[event(log_type_alias = "gate")]
    enum DoorEvent {
        Opened,
    }

    #[derive(Event)]
    #[event(log_type = "window")]
    enum WindowEvent {
        Opened,
    }

    let folder = tempfile::tempdir().expect("a folder");
    let check = |schema| events_lock::check(folder.path(), &[schema]);
    let past = "enum DoorEvent\nlog_type gate\ncodec 1\n\nOpened 1 Opened\n";
    std::fs::write(folder.path().join("events.lock"), past).expect("it is written");
    let error = check(EnumSchema::new::<WindowEvent>("DoorEvent")).expect_err("another kind");
    let said = error.to_string();
    assert!(
        said.contains("#[event(log_type_alias = \"gate\")]"),
        "{said}"
    );
    // If `CI` is set, the file is read but not written.
    let said = check(EnumSchema::new::<DoorEvent>("DoorEvent"));
    assert!(
        matches!(
            said,
            Ok(()) | Err(events_lock::EventsLockError::OutOfDate { .. })
        ),
        "{said:?}"
    );
}
