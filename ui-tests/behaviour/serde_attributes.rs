//! Serde's attributes on fields have their usual meaning.

use crate::support::{decode_json, json, round_trip};
use eventlogs::Event;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Numbers as strings, for both directions of `#[serde(with)]`.
mod text {
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(crate) fn serialize<S: Serializer>(value: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Place {
    country: String,
}

#[derive(Debug, Clone, PartialEq, Event)]
enum OrderEvent {
    Placed {
        #[serde(with = "text")]
        amount: u64,
        #[serde(rename = "cur", alias = "currency")]
        currency_code: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
        #[serde(skip)]
        cached: u32,
    },
    Paid(#[serde(with = "text")] u64),
    Moved(#[serde(with = "text")] u64, String, #[serde(default)] u8),
    Shipped {
        #[serde(flatten)]
        place: Place,
        #[serde(flatten)]
        rest: BTreeMap<String, u8>,
    },
    #[serde(rename_all = "camelCase")]
    Returned {
        parcel_count: u32,
    },
}

#[test]
fn fields_are_written_as_serde_is_told() {
    let placed = OrderEvent::Placed {
        amount: 7,
        currency_code: "EUR".to_owned(),
        note: None,
        cached: 0,
    };
    assert_eq!(json(&placed), r#"{"amount":"7","cur":"EUR"}"#);
    assert_eq!(json(&OrderEvent::Paid(8)), r#""8""#);
    assert_eq!(
        json(&OrderEvent::Moved(9, "x".to_owned(), 1)),
        r#"["9","x",1]"#
    );
    assert_eq!(
        json(&OrderEvent::Returned { parcel_count: 2 }),
        r#"{"parcelCount":2}"#
    );
    let place = Place {
        country: "NZ".to_owned(),
    };
    let shipped = OrderEvent::Shipped {
        place,
        rest: BTreeMap::from([("boxes".to_owned(), 3)]),
    };
    assert_eq!(json(&shipped), r#"{"country":"NZ","boxes":3}"#);
    for event in [
        placed,
        shipped,
        OrderEvent::Paid(8),
        OrderEvent::Returned { parcel_count: 2 },
    ] {
        assert_eq!(round_trip(&event), event);
    }
}

#[test]
fn fields_are_read_as_serde_is_told() {
    let placed: OrderEvent =
        decode_json("Placed", 1, r#"{"amount":"7","currency":"EUR","more":1}"#)
            .expect("it decodes");
    let expected = OrderEvent::Placed {
        amount: 7,
        currency_code: "EUR".to_owned(),
        note: None,
        cached: 0,
    };
    assert_eq!(placed, expected);
    let moved: OrderEvent = decode_json("Moved", 1, r#"["9","x"]"#).expect("it decodes");
    assert_eq!(moved, OrderEvent::Moved(9, "x".to_owned(), 0));
}

#[test]
fn the_schema_spells_fields_with_what_shapes_them() {
    let fields: Vec<&[&str]> = OrderEvent::SCHEMA
        .iter()
        .map(|entry| entry.fields)
        .collect();
    let expected: [&[&str]; 5] = [
        &[
            "amount: u64 #[serde(with = \"text\")]",
            "currency_code: String #[serde(alias = \"currency\")] #[serde(rename = \"cur\")]",
            "note: Option<String> #[serde(default)] #[serde(skip_serializing_if = \"Option::is_none\")]",
        ],
        &["0: u64 #[serde(with = \"text\")]"],
        &[
            "0: u64 #[serde(with = \"text\")]",
            "1: String",
            "2: u8 #[serde(default)]",
        ],
        &[
            "place: Place #[serde(flatten)]",
            "rest: BTreeMap<String, u8> #[serde(flatten)]",
        ],
        &["#[serde(rename_all = \"camelCase\")]", "parcel_count: u32"],
    ];
    assert_eq!(fields, expected);
}

/// Serde's derives on the enum itself, with their attributes, do not change the payloads.
#[derive(Debug, PartialEq, Event, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "UPPERCASE")]
enum Tagged {
    #[serde(rename = "in")]
    #[event(name = "came")]
    Came { from: String },
    #[serde(alias = "out")]
    #[event(name = "went")]
    Went,
}

#[test]
fn serde_on_the_enum_is_the_users_own_affair() {
    let came = Tagged::Came {
        from: "here".to_owned(),
    };
    assert_eq!(json(&came), r#"{"from":"here"}"#);
    assert_eq!(json(&Tagged::Went), "{}");
    assert_eq!(
        serde_json::to_string(&came).expect("it serialises"),
        r#"{"kind":"in","from":"here"}"#
    );
    assert_eq!(round_trip(&came), came);
}
