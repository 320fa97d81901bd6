//! Samples: what is kept of them, and what today's code makes of those that were kept before.

use super::{folder, text};
use crate::codec::stored::{DecodeProblem, StoredPayload};
use crate::codec::{CodecId, Json};
use crate::event::{Event, EventSchema, EventType, LogType};
use crate::testing::events_lock::error::{EventsLockError, SampleError};
use crate::testing::events_lock::schema::EnumSchema;
use crate::testing::events_lock::{Mode, check_as};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize, Serializer};
use std::cell::Cell;
use tempfile::TempDir;

/// An event whose payload is a `T`, of which the file knows only the name `Order`.
struct Placed<T>(T);

impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> Event for Placed<T> {
    type Codec = Json;

    const LOG_TYPE: LogType = LogType::new("order");

    const SCHEMA: &'static [EventSchema] =
        &[
            EventSchema::new(EventType::new("order.placed", 1), "Placed")
                .with_fields(&["0: Order"]),
        ];

    fn event_type(&self) -> EventType {
        Self::SCHEMA[0].event_type
    }

    fn serialize_payload<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }

    fn decode(stored: &StoredPayload<'_>) -> Result<Self, DecodeProblem> {
        stored.read::<Json, T>().map(Self)
    }
}

/// The type inside, as it was.
#[derive(Clone, Serialize, Deserialize)]
struct Order {
    sku: String,
    pieces: u32,
}

/// It was renamed without an alias.
#[derive(Clone, Serialize, Deserialize)]
struct Renamed {
    code: String,
    pieces: u32,
}

/// It was renamed, and what is missing is filled in.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct Filled {
    code: String,
    pieces: u32,
}

/// It was renamed with an alias, and has one field more.
#[derive(Clone, Serialize, Deserialize)]
struct Aliased {
    #[serde(alias = "sku")]
    code: String,
    pieces: u32,
    #[serde(default)]
    note: Option<String>,
}

/// It spells the same value in another way.
#[derive(Clone, Deserialize)]
struct Shouted {
    sku: String,
    pieces: u32,
}

impl Serialize for Shouted {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Order {
            sku: self.sku.to_uppercase(),
            pieces: self.pieces,
        }
        .serialize(serializer)
    }
}

fn order(sku: &str) -> Order {
    Order {
        sku: sku.to_owned(),
        pieces: 2,
    }
}

/// The schema with samples.
fn with<T: Serialize + DeserializeOwned + Clone + Send + Sync + 'static>(
    samples: &[T],
) -> EnumSchema {
    EnumSchema::with_samples::<Placed<T>, _>("OrderEvent", || {
        samples.iter().cloned().map(Placed).collect::<Vec<_>>()
    })
}

/// The schema without samples.
fn without<T: Serialize + DeserializeOwned + Send + Sync + 'static>() -> EnumSchema {
    EnumSchema::new::<Placed<T>>("OrderEvent")
}

fn checked(folder: &TempDir, schema: EnumSchema, mode: Mode) -> Result<(), String> {
    check_as(folder.path(), &[schema], mode).map_err(|error| error.to_string())
}

/// A file that keeps the sample `x`.
fn kept() -> TempDir {
    let folder = folder();
    checked(&folder, with(&[order("x")]), Mode::Extend).expect("the file is new");
    folder
}

#[test]
fn samples_are_added_and_never_removed() {
    let folder = folder();
    checked(&folder, without::<Order>(), Mode::Extend).expect("the file is new");
    let before = text(&folder);
    assert!(!before.contains("    = "), "{before}");
    // A file from before there were samples gets them, and lacks them where nothing may be written.
    let error = check_as(folder.path(), &[with(&[order("x")])], Mode::Frozen);
    assert!(
        matches!(error, Err(EventsLockError::OutOfDate { .. })),
        "{error:?}"
    );
    for samples in [&["x"][..], &["y", "x"], &["x"], &[]] {
        let samples: Vec<_> = samples.iter().copied().map(order).collect();
        checked(&folder, with(&samples), Mode::Extend).expect("it is read");
    }
    let after = text(&folder);
    let expected = before
        + "    = json {\"sku\":\"x\",\"pieces\":2}\n    = json {\"sku\":\"y\",\"pieces\":2}\n";
    assert_eq!(after, expected);
    checked(&folder, without::<Order>(), Mode::Frozen).expect("it is up to date");
    checked(&folder, with(&[order("y")]), Mode::Frozen).expect("it is up to date");
}

#[test]
fn a_sample_that_cannot_be_read_is_named_with_what_to_do() {
    let folder = kept();
    // The test that gives no samples reads those that were kept, too.
    let said = checked(&folder, without::<Renamed>(), Mode::Extend).expect_err("renamed");
    for expected in [
        "`OrderEvent::Placed` cannot read a sample of version 1 of `order.placed` any more",
        "\n  json {\"sku\":\"x\",\"pieces\":2}\n",
        "missing field `code`",
        "undo the change to the types of the event",
    ] {
        assert!(said.contains(expected), "{said}");
    }
    checked(&folder, without::<Renamed>(), Mode::Accept).expect("it is accepted");
    checked(&folder, without::<Renamed>(), Mode::Frozen).expect("it is up to date");
    assert!(!text(&folder).contains("sku"), "{}", text(&folder));
}

#[test]
fn a_sample_that_loses_a_value_is_noticed() {
    let folder = kept();
    let said = checked(&folder, without::<Filled>(), Mode::Extend).expect_err("lost");
    for expected in [
        "`OrderEvent::Placed` reads a sample of version 1 of `order.placed` as another value",
        "stored:        json {\"sku\":\"x\",\"pieces\":2}",
        "written again: json {\"code\":\"\",\"pieces\":2}",
        "- `sku` was `\"x\"`, but is lost",
    ] {
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn a_value_that_is_still_there_under_another_name_is_none() {
    let folder = kept();
    let aliased = Aliased {
        code: "y".to_owned(),
        pieces: 3,
        note: None,
    };
    checked(&folder, with(&[aliased]), Mode::Extend).expect("nothing is lost");
    let text = text(&folder);
    assert!(
        text.contains("\"sku\":\"x\"") && text.contains("\"code\":\"y\""),
        "{text}"
    );
}

#[test]
fn another_form_of_the_same_value_is_kept_once_it_is_accepted() {
    let folder = kept();
    let said = checked(&folder, without::<Shouted>(), Mode::Extend).expect_err("another value");
    assert!(
        said.contains("`sku` was `\"x\"`, but is `\"X\"` when it is read and written again"),
        "{said}"
    );
    checked(&folder, without::<Shouted>(), Mode::Accept).expect("it is accepted");
    checked(&folder, without::<Shouted>(), Mode::Frozen).expect("both forms are kept");
    let text = text(&folder);
    assert!(
        text.contains("\"sku\":\"x\"") && text.contains("\"sku\":\"X\""),
        "{text}"
    );
}

#[test]
fn samples_that_change_from_call_to_call_are_refused() {
    let folder = folder();
    let calls = Cell::new(0);
    let other_value = EnumSchema::with_samples::<Placed<u32>, _>("OrderEvent", || {
        calls.set(calls.get() + 1);
        [Placed(calls.get())]
    });
    let other_number = EnumSchema::with_samples::<Placed<u32>, _>("OrderEvent", || {
        calls.set(calls.get() + 1);
        (0..calls.get()).map(Placed)
    });
    for schema in [other_value, other_number] {
        let error = check_as(folder.path(), &[schema], Mode::Extend).expect_err("new values");
        let EventsLockError::Samples { of, source } = &error else {
            panic!("{error}")
        };
        assert_eq!(of, "OrderEvent");
        assert!(
            matches!(
                source,
                SampleError::Changing {
                    event_type: "order.placed"
                }
            ),
            "{source}"
        );
    }
    let unfit = with(&[f64::NAN]);
    let error = check_as(folder.path(), &[unfit], Mode::Extend).expect_err("no JSON");
    assert!(
        matches!(
            error,
            EventsLockError::Samples {
                source: SampleError::Encode { .. },
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn samples_of_other_codecs_and_merged_files_are_read() {
    let folder = kept();
    let merged = text(&folder)
        + "    = msgpack 82a3736b75a179a670696563657303\n    = json {\"sku\":\"a\",\"pieces\":2}\n";
    std::fs::write(folder.path().join("events.lock"), merged).expect("it is written");
    checked(&folder, without::<Order>(), Mode::Frozen).expect("all are read");
    checked(&folder, with(&[order("z")]), Mode::Extend).expect("all are read");
    let text = text(&folder);
    let lines: Vec<_> = text.lines().filter(|line| line.contains("= ")).collect();
    assert_eq!(
        lines,
        [
            "    = json {\"sku\":\"a\",\"pieces\":2}",
            "    = json {\"sku\":\"x\",\"pieces\":2}",
            "    = json {\"sku\":\"z\",\"pieces\":2}",
            "    = msgpack 82a3736b75a179a670696563657303",
        ]
    );
    assert_eq!(CodecId::MSGPACK.get(), 2);
}
