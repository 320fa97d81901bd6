use super::*;
use proptest::prelude::*;

fn full() -> Metadata {
    Metadata::new()
        .with_correlation_id("request 17")
        .with_causation_id("0198")
        .with("attempt", 2)
        .with("retried", true)
        .with("user", "ada")
}

fn encoded(metadata: &Metadata) -> String {
    let bytes = metadata.encode().expect("it is not empty");
    String::from_utf8(bytes).expect("JSON is text")
}

fn decoded(json: &str) -> Result<Metadata, String> {
    Metadata::decode(json.as_bytes()).map_err(|error| error.to_string())
}

/// The error for this value of an entry.
fn refused(value: &str) -> String {
    let json = format!(r#"{{"entries":{{"user":{value}}}}}"#);
    decoded(&json).expect_err(value)
}

#[test]
fn the_stored_form_never_changes() {
    assert_eq!(
        encoded(&full()),
        r#"{"correlation_id":"request 17","causation_id":"0198","entries":{"attempt":2,"retried":true,"user":"ada"}}"#
    );
}

#[test]
fn what_is_empty_is_left_out() {
    assert_eq!(Metadata::new().encode(), None);
    let one = Metadata::new().with_causation_id("");
    assert_eq!(encoded(&one), r#"{"causation_id":""}"#);
    let one = Metadata::new().with("", -1);
    assert_eq!(encoded(&one), r#"{"entries":{"":-1}}"#);
}

#[test]
fn members_come_in_any_order_and_need_not_be_there() {
    let json = r#" { "entries" : { "user" : "ada" } , "correlation_id" : "17" } "#;
    let expected = Metadata::new()
        .with_correlation_id("17")
        .with("user", "ada");
    assert_eq!(decoded(json), Ok(expected));
    assert_eq!(decoded("{}"), Ok(Metadata::new()));
    assert_eq!(decoded(r#"{"causation_id":null}"#), Ok(Metadata::new()));
}

#[test]
fn members_of_a_later_version_are_passed_over() {
    let json = r#"{"tags":["a",{"b":[1.5,null]}],"correlation_id":"17","trace":null}"#;
    assert_eq!(decoded(json), Ok(Metadata::new().with_correlation_id("17")));
}

#[test]
fn an_entry_may_be_called_like_a_member() {
    let metadata = Metadata::new()
        .with("correlation_id", 1)
        .with("entries", "");
    assert_eq!(metadata.correlation_id, None);
    assert_eq!(decoded(&encoded(&metadata)), Ok(metadata));
}

#[test]
fn the_largest_and_smallest_integers_come_back() {
    let metadata = Metadata::new().with("max", i64::MAX).with("min", i64::MIN);
    assert_eq!(decoded(&encoded(&metadata)), Ok(metadata));
}

#[test]
fn values_of_other_kinds_are_refused_with_what_is_expected() {
    for value in [
        "1.5",
        "1.0",
        "1e2",
        "9223372036854775808",
        "-9223372036854775809",
        "18446744073709551616",
        "null",
        "[]",
        "{}",
        "[1,2]",
    ] {
        let said = refused(value);
        let expected = "expected a string, a 64-bit integer or a boolean";
        assert!(said.contains(expected), "{value}: {said}");
    }
    assert!(
        refused("1.5").starts_with("invalid value: number 1.5,"),
        "{}",
        refused("1.5")
    );
}

#[test]
fn what_is_no_such_object_is_refused() {
    for json in [
        "",
        " ",
        "null",
        "[]",
        "[null,null,{}]",
        "17",
        r#""{}""#,
        "{}{}",
        "{",
        r#"{"correlation_id":17}"#,
        r#"{"causation_id":{}}"#,
        r#"{"entries":null}"#,
        r#"{"entries":[]}"#,
        r#"{"entries":{"user":"ada"}"#,
        r#"{17:"ada"}"#,
    ] {
        assert!(decoded(json).is_err(), "{json}");
    }
    assert!(Metadata::decode(b"{\"correlation_id\":\"\xff\"}").is_err());
}

#[test]
fn depth_does_not_overflow_the_stack() {
    for open in ["[", r#"{"a":"#] {
        let deep = open.repeat(500_000);
        assert!(decoded(&deep).is_err());
        assert!(decoded(&format!(r#"{{"tags":{deep}"#)).is_err());
        assert!(decoded(&format!(r#"{{"entries":{deep}"#)).is_err());
        assert!(decoded(&format!(r#"{{"entries":{{"user":{deep}"#)).is_err());
    }
    // A complete object, nested in a member that is ignored.
    let deep = format!(
        r#"{{"tags":{}{}}}"#,
        "[".repeat(500_000),
        "]".repeat(500_000)
    );
    assert_eq!(decoded(&deep), Ok(Metadata::new()));
}

#[test]
fn its_own_values_win() {
    let given = Metadata::new()
        .with_correlation_id("own")
        .with("attempt", 3)
        .with("region", "eu");
    let expected = Metadata::new()
        .with_correlation_id("own")
        .with_causation_id("0198")
        .with("attempt", 3)
        .with("region", "eu")
        .with("retried", true)
        .with("user", "ada");
    assert_eq!(given.or(full()), expected);
    assert_eq!(full().or(Metadata::new()), full());
    assert_eq!(Metadata::new().or(full()), full());
}

#[test]
fn it_is_empty_only_without_all_of_them() {
    assert!(Metadata::new().is_empty());
    assert_eq!(Metadata::new(), Metadata::default());
    assert!(!Metadata::new().with_correlation_id("").is_empty());
    assert!(!Metadata::new().with_causation_id("").is_empty());
    assert!(!Metadata::new().with("", "").is_empty());
}

#[test]
fn a_value_is_what_it_was_made_of() {
    let values = [
        MetadataValue::from("ada"),
        MetadataValue::from(String::from("ada")),
        MetadataValue::from(-1_i64),
        MetadataValue::from(-1_i32),
        MetadataValue::from(u32::MAX),
        MetadataValue::from(true),
    ];
    let shown: Vec<_> = values.iter().map(ToString::to_string).collect();
    assert_eq!(shown, ["ada", "ada", "-1", "-1", "4294967295", "true"]);
    assert_eq!(format!("{:>5}", values[0]), "  ada");

    let [text, _, integer, .., boolean] = &values;
    for (value, as_text, as_integer, as_boolean) in [
        (text, Some("ada"), None, None),
        (integer, None, Some(-1), None),
        (boolean, None, None, Some(true)),
    ] {
        assert_eq!(value.as_text(), as_text);
        assert_eq!(value.as_integer(), as_integer);
        assert_eq!(value.as_boolean(), as_boolean);
    }
}

#[cfg(feature = "msgpack")]
#[test]
fn it_survives_other_formats_too() {
    let bytes = rmp_serde::to_vec_named(&full()).expect("it serialises");
    let back: Metadata = rmp_serde::from_slice(&bytes).expect("it is metadata");
    assert_eq!(back, full());
}

/// Any string, including control characters and those beyond the first plane.
fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(any::<char>(), 0..12).prop_map(String::from_iter)
}

fn value() -> impl Strategy<Value = MetadataValue> {
    prop_oneof![
        text().prop_map(MetadataValue::Text),
        any::<i64>().prop_map(MetadataValue::Integer),
        any::<bool>().prop_map(MetadataValue::Boolean),
    ]
}

fn metadata() -> impl Strategy<Value = Metadata> {
    (
        prop::option::of(text()),
        prop::option::of(text()),
        prop::collection::btree_map(text(), value(), 0..5),
    )
        .prop_map(|(correlation_id, causation_id, entries)| Metadata {
            correlation_id,
            causation_id,
            entries,
        })
}

/// Bytes that resemble metadata: pieces of it in any order.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "\"",
        "\\",
        "\\u00",
        "\\ud800",
        "\u{fffd}",
        "null",
        "true",
        "-",
        "17",
        "1.5",
        "9e999",
        r#""correlation_id":"#,
        r#""entries":{"#,
        r#""a":"b""#,
    ]);
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat().into_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_stored_comes_back(metadata in metadata()) {
        let back = metadata.encode().map_or(Ok(Metadata::new()), |bytes| Metadata::decode(&bytes));
        prop_assert_eq!(back.expect("it was encoded"), metadata);
    }

    #[test]
    fn only_empty_metadata_is_not_stored(metadata in metadata()) {
        prop_assert_eq!(metadata.encode().is_none(), metadata.is_empty());
    }

    #[test]
    fn no_bytes_make_decoding_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        drop(Metadata::decode(&bytes));
    }

    #[test]
    fn nothing_that_looks_like_metadata_makes_decoding_panic(bytes in pieces()) {
        drop(Metadata::decode(&bytes));
    }

    #[test]
    fn a_damaged_byte_makes_other_metadata_or_an_error(
        metadata in metadata(),
        place in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        cut in any::<bool>(),
    ) {
        if let Some(mut bytes) = metadata.encode() {
            let place = place.index(bytes.len());
            bytes[place] = byte;
            if cut {
                bytes.truncate(place);
                prop_assert!(Metadata::decode(&bytes).is_err());
            } else if let Ok(other) = Metadata::decode(&bytes) {
                prop_assert!(other.is_empty() || other.encode().is_some());
            }
        }
    }
}
