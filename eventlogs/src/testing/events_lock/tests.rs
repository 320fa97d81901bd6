//! The record: what is written, compared and reported from one check to the next.
#![allow(
    clippy::too_many_lines,
    reason = "a test tells one story from its beginning to its end"
)]

mod kinds;
mod samples;

use super::{Mode, check_as};
use crate::__example::CounterEvent;
use crate::event::{EventSchema, EventType, LogType};
use crate::testing::events_lock::error::EventsLockError;
use crate::testing::events_lock::format::{Lock, Malformed};
use crate::testing::events_lock::samples::Coding;
use crate::testing::events_lock::schema::EnumSchema;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// Creates a variant of version 1.
const fn event(name: &'static str, fields: &'static [&'static str]) -> EventSchema {
    EventSchema::new(EventType::new(name, 1), "ApprovalGiven").with_fields(fields)
}

/// Converts the schema to version 2.
const fn second(schema: EventSchema, upcast_from: &'static [u16]) -> EventSchema {
    let mut schema = schema.with_upcast_from(upcast_from);
    schema.event_type.version = 2;
    schema
}

fn named(name: &'static str, schema: Vec<EventSchema>) -> EnumSchema {
    EnumSchema {
        name,
        log_type: LogType::new(name.replace([' ', ','], "").leak()),
        codec: 1,
        schema: schema.leak(),
        coding: Coding::of::<CounterEvent>(),
        samples: Ok(Vec::new()),
    }
}

/// Creates the schema of an enum called `PaymentEvent`.
fn payment(schema: Vec<EventSchema>) -> EnumSchema {
    named("PaymentEvent", schema)
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

fn text(folder: &TempDir) -> String {
    fs::read_to_string(folder.path().join("events.lock")).expect("a file")
}

fn extend(folder: &TempDir, enums: &[EnumSchema]) -> Result<(), String> {
    check_as(folder.path(), enums, Mode::Extend).map_err(|error| error.to_string())
}

/// Returns the report on this change of a single event.
fn change(before: EventSchema, after: EventSchema) -> Result<(), String> {
    let folder = folder();
    extend(&folder, &[payment(vec![before])]).expect("the file is new");
    let said = extend(&folder, &[payment(vec![after])]);
    said.map_err(|said| {
        let path = folder.path().join("events.lock");
        said.replace(&path.display().to_string(), "events.lock")
    })
}

#[test]
fn the_file_is_made_and_then_agrees() {
    let folder = folder();
    let enums = [
        named(
            "shop::OrderEvent",
            vec![
                second(event("order.placed", &["0: Order"]), &[1]),
                EventSchema::new(EventType::new("order.closed", 1), "Closed")
                    .with_aliases(&["order.void", "void"]),
            ],
        ),
        payment(vec![event(
            "approval.given",
            &["amount: u64", "note: Option<String> #[serde(default)]"],
        )]),
    ];
    extend(&folder, &enums).expect("the file is new");
    let expected = "\
# Every event that was ever stored, in every version: name, version, variant, the fields of the payload, and encoded samples.
# Written by tests, which fail when the code could not read one of them any more. Commit this file; do not edit it.

enum PaymentEvent
log_type PaymentEvent
codec 1

approval.given 1 ApprovalGiven
    amount: u64
    note: Option<String> #[serde(default)]

enum shop::OrderEvent
log_type shop::OrderEvent
codec 1

order.closed 1 Closed alias order.void void

order.placed 2 ApprovalGiven
    0: Order
";
    assert_eq!(text(&folder), expected);
    check_as(folder.path(), &enums, Mode::Frozen).expect("it is up to date");
    // An up-to-date file is not written again either, whatever its line ends.
    let windows = expected.replace('\n', "\r\n");
    fs::write(folder.path().join("events.lock"), &windows).expect("it is written");
    extend(&folder, &enums).expect("it is up to date");
    assert_eq!(text(&folder), windows);
    // Windows adds a byte order mark, too.
    let marked = format!("\u{feff}{windows}");
    fs::write(folder.path().join("events.lock"), &marked).expect("it is written");
    extend(&folder, &enums).expect("it is up to date");
    assert_eq!(text(&folder), marked);
    // Another test may check other enums.
    extend(&folder, &enums[..1]).expect("it is up to date");
    extend(&folder, &[named("Third", vec![event("c", &[])])]).expect("it is new");
    assert!(text(&folder).contains("enum PaymentEvent\n"));
}

#[test]
fn additions_are_added() {
    let before = event("a", &["amount: u64"]);
    let folder = folder();
    extend(&folder, &[payment(vec![before])]).expect("the file is new");
    let after = [
        second(event("a", &["amount: u32"]), &[1]),
        event("b", &["0: u8"]),
    ];
    check_as(folder.path(), &[payment(after.to_vec())], Mode::Frozen)
        .expect_err("nothing is written here");
    extend(&folder, &[payment(after.to_vec())]).expect("the rest are additions");
    let text = text(&folder);
    for line in [
        "a 1 ApprovalGiven\n    amount: u64\n",
        "a 2 ApprovalGiven\n    amount: u32\n",
        "b 1 ",
    ] {
        assert!(text.contains(line), "{text}");
    }
    // The past version stays in the file.
    let without = second(event("a", &["amount: u32"]), &[]);
    let said = extend(&folder, &[payment(vec![without, after[1]])]).expect_err("version 1");
    assert!(
        said.contains("has no upcaster for version 1 of `a`"),
        "{said}"
    );
}

#[test]
fn changes_that_serde_bridges_are_followed() {
    for (before, after) in [
        (&["a: u8"][..], &["a: u8", "b: Option<u8>"][..]),
        (&["a: u8"], &["a: u8", "b: u8 #[serde(default)]"]),
        (&["a: u8"], &["a: u8", "b: u8 #[serde(default = \"one\")]"]),
        (&[], &["a: std::option::Option<u8>"]),
        (
            &["0: u8", "1: u8"],
            &["0: u8", "1: u8", "2: u8 #[serde(default)]"],
        ),
        (&["a: u8"], &["a: u8 #[serde(default)]"]),
        (&["a: u8"], &["b: u8 #[serde(rename = \"a\")]"]),
        (&["a: u8 #[serde(rename = \"b\")]"], &["b: u8"]),
        (&["a: u8"], &["b: u8 #[serde(alias = \"a\")]"]),
        (&["a: u8", "b: u8"], &["b: u8", "a: u8"]),
        (
            &["a: Option<u8>"],
            &["a: Option<u8> #[serde(skip_serializing_if = \"Option::is_none\")]"],
        ),
    ] {
        assert_eq!(
            change(event("x", before), event("x", after)),
            Ok(()),
            "{before:?} {after:?}"
        );
    }
    let renamed = EventSchema::new(EventType::new("y", 1), "Approved")
        .with_aliases(&["x"])
        .with_fields(&["a: u8"]);
    assert_eq!(change(event("x", &["a: u8"]), renamed), Ok(()));
}

#[test]
fn changes_of_the_shape_are_refused() {
    for (before, after, expected) in [
        (
            &["a: u8"][..],
            &["a: u16"][..],
            "`a` was `u8`, but is `u16` now",
        ),
        (&["a: u8"], &[], "`a: u8` is gone"),
        (
            &[],
            &["a: u8"],
            "`a: u8` is new, but has no `#[serde(default)]`",
        ),
        (&["a: u8"], &["b: u8"], "`a: u8` is gone"),
        (
            &["a: u8"],
            &["a: u8", "b: Option<u8> #[serde(with = \"x\")]"],
            "`b: Option<u8>` is new",
        ),
        (
            &["0: u8"],
            &["0: u8", "1: u8 #[serde(default)]"],
            "it was stored as a bare `u8`, but is a list of fields now",
        ),
        (
            &["0: u8"],
            &["a: u8"],
            "it was stored as a bare `u8`, but is named fields now",
        ),
        (
            &[],
            &["0: Option<u8>"],
            "it was stored as named fields, but is a bare `Option<u8>` now",
        ),
        (
            &["0: u8", "1: u8"],
            &["0: u8", "1: u8", "2: Option<u8>"],
            "`2: Option<u8>` is new",
        ),
        (
            &["a: u8"],
            &["a: u8 #[serde(with = \"x\")]"],
            "`a` has `#[serde(with = \"x\")]`",
        ),
        (
            &["a: u8 #[serde(with = \"x\")]"],
            &["a: u8"],
            "`a` had `#[serde(with = \"x\")]`",
        ),
        (
            &["a: u8 #[serde(default)]"],
            &["a: u8"],
            "`a` had `#[serde(default)]`",
        ),
        (
            &["a: u8 #[serde(alias = \"b\")]"],
            &["a: u8"],
            "`a` is no longer read as `b`",
        ),
        (
            &["a_b: u8"],
            &["#[serde(rename_all = \"camelCase\")]", "a_b: u8"],
            "is new",
        ),
    ] {
        let said = change(event("x", before), event("x", after)).expect_err(expected);
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn the_message_says_what_to_type() {
    let said = change(
        event(
            "approval.given",
            &["amount: u64", "by: String #[serde(rename = \"who\")]"],
        ),
        event("approval.given", &["amount: u32", "code: String"]),
    );
    let expected = r#"this code does not read everything that events.lock records

`PaymentEvent::ApprovalGiven` has changed, but is still version 1 of `approval.given`
  - `amount` was `u64`, but is `u32` now
  - `by: String` is gone
  - `code: String` is new, but has no `#[serde(default)]`
  give the event a new version, and add an upcaster:

    #[event(name = "approval.given", version = 2, upcast(1 = approval_given_from_v1))]

    #[derive(serde::Deserialize)]
    struct ApprovalGivenV1 {
        amount: u64,
        #[serde(rename = "who")]
        by: String,
    }

    fn approval_given_from_v1(old: ApprovalGivenV1) -> PaymentEvent { … }

If the release before this one runs at the same time, it must read the new version, too: give it `accept(…)` first

If no such events are stored anywhere, update the file to match the code: EVENTS_LOCK=accept cargo test
"#;
    assert_eq!(said, Err(expected.to_owned()));
    for (fields, expected) in [
        (&["0: Refund"][..], "(old: Refund)"),
        (&["0: u8", "1: Vec<u8>"], "(old: (u8, Vec<u8>))"),
        (
            &["0: u8 #[serde(with = \"x\")]"],
            "    struct ApprovalGivenV1(\n        #[serde(with = \"x\")]\n        u8,\n    );",
        ),
        (
            &["#[serde(rename_all = \"camelCase\")]", "a: u8"],
            "    #[serde(rename_all = \"camelCase\")]\n    struct ApprovalGivenV1 {",
        ),
    ] {
        let said = change(event("x", fields), event("x", &["other: u8"])).expect_err("changed");
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn what_nothing_reads_any_more_is_refused() {
    let old = event("old", &[]);
    let aliased = old.with_aliases(&["older"]);
    let said = change(old, event("new", &[])).expect_err("the name is gone");
    assert!(
        said.contains("no longer reads `old`") && said.contains("`alias = \"old\"`"),
        "{said}"
    );
    let said = change(aliased, old).expect_err("the alias is gone");
    assert!(said.contains("no longer reads `older`"), "{said}");
    let said = change(second(old, &[1]), old).expect_err("the version is gone");
    assert!(
        said.contains("was stored as version 2 of `old`, but is version 1 now"),
        "{said}"
    );
    assert!(
        said.contains("or read it without writing it: `accept(2 = …)`"),
        "{said}"
    );
    assert_eq!(change(second(old, &[1]), old.with_accepts(&[2])), Ok(()));
    assert_eq!(change(old, old.retired()), Ok(()));
    let said = change(old, second(old, &[])).expect_err("there is no upcaster");
    assert!(
        said.contains("`PaymentEvent::ApprovalGiven` has no upcaster for version 1"),
        "{said}"
    );
}

#[test]
fn only_codecs_of_this_crate_may_be_left() {
    let folder = folder();
    let with = |codec| EnumSchema {
        codec,
        ..payment(vec![event("x", &[])])
    };
    for codec in [1, 2, 1, 100] {
        extend(&folder, &[with(codec)]).expect("what is left is always read");
    }
    let said = extend(&folder, &[with(1)]).expect_err("number 100 is gone");
    assert!(said.contains("stored with codec number 100"), "{said}");
}

#[test]
fn an_enum_that_takes_the_place_of_another_is_asked_about() {
    let folder = folder();
    let events = vec![event("x", &["a: u8"])];
    extend(&folder, &[payment(events.clone())]).expect("the file is new");
    let said = extend(&folder, &[named("ChargeEvent", events.clone())]).expect_err("renamed");
    assert!(
        said.contains("rename `enum PaymentEvent` in events.lock"),
        "{said}"
    );
    let both = [named("ChargeEvent", events.clone()), payment(events)];
    extend(&folder, &both).expect("both exist");
}

#[test]
fn accepting_forgets() {
    let folder = folder();
    let before = vec![event("gone", &["a: u8"]), event("changed", &["a: u8"])];
    extend(&folder, &[payment(before)]).expect("the file is new");
    let after = [payment(vec![event("changed", &["a: u16"])])];
    check_as(folder.path(), &after, Mode::Accept).expect("it is accepted");
    check_as(folder.path(), &after, Mode::Frozen).expect("it is up to date");
    let text = text(&folder);
    assert!(
        !text.contains("gone") && text.contains("a: u16") && !text.contains("a: u8"),
        "{text}"
    );
}

#[test]
fn where_nothing_may_be_written_nothing_is() {
    let folder = folder();
    let error = check_as(folder.path(), &[payment(Vec::new())], Mode::Frozen);
    let error = error.expect_err("there is no file");
    assert!(
        matches!(error, EventsLockError::OutOfDate { .. }),
        "{error}"
    );
    assert!(!folder.path().join("events.lock").exists());
}

#[test]
fn a_folder_that_is_none_is_an_error() {
    let folder = folder();
    let missing = folder.path().join("missing");
    let error = check_as(&missing, &[], Mode::Extend).expect_err("there is no folder");
    assert!(matches!(error, EventsLockError::Io { .. }), "{error}");
}

#[test]
fn a_schema_that_fits_on_no_line_is_an_error() {
    let folder = folder();
    for schema in [
        event("a b", &[]),
        event("", &[]),
        event("a", &["b: u8\nc: u8"]),
        event("a", &[""]),
        EventSchema::new(EventType::new("a", 1), ""),
        event("a", &[]).with_aliases(&["b", "c\n"]),
    ] {
        let said = extend(&folder, &[payment(vec![schema])]).expect_err("unfit");
        assert!(said.contains("cannot be written"), "{said}");
    }
    assert_eq!(text(&folder), "");
}

#[test]
fn an_alias_that_is_given_up_is_forgotten_in_every_version() {
    let folder = folder();
    let aliased = event("x", &[]).with_aliases(&["former"]);
    extend(&folder, &[payment(vec![aliased])]).expect("the file is new");
    extend(&folder, &[payment(vec![second(aliased, &[1])])]).expect("a version more");
    let without = [payment(vec![second(event("x", &[]), &[1])])];
    let said = extend(&folder, &without).expect_err("the alias is gone");
    assert_eq!(
        said.matches("no longer reads `former`").count(),
        1,
        "{said}"
    );
    check_as(folder.path(), &without, Mode::Accept).expect("it is accepted");
    check_as(folder.path(), &without, Mode::Frozen).expect("it is up to date");
}

#[test]
fn what_is_no_such_file_is_refused_with_its_line() {
    for (text, line, problem) in [
        ("garbage", 1, "`garbage` belongs to no enum"),
        ("\u{0}", 1, "`\u{0}` belongs to no enum"),
        ("a 1 A", 1, "`a 1 A` belongs to no enum"),
        ("    a: u8", 1, "`a: u8` belongs to no event"),
        ("enum A\n    a: u8", 2, "`a: u8` belongs to no event"),
        (
            "enum A\na 1 A\nenum B\n    a: u8",
            4,
            "`a: u8` belongs to no event",
        ),
        (
            "enum A\r\n\r\n<<<<<<< HEAD\r\n",
            3,
            "`<<<<<<< HEAD` is not an event, such as `payment.captured 1 Captured`",
        ),
        (
            "enum A\na 70000 A",
            2,
            "`a 70000 A` is not an event, such as `payment.captured 1 Captured`",
        ),
        (
            "enum A\na -1 A",
            2,
            "`a -1 A` is not an event, such as `payment.captured 1 Captured`",
        ),
        (
            "enum A\na 1 A b",
            2,
            "`a 1 A b` is not an event, such as `payment.captured 1 Captured`",
        ),
        (
            "enum A\ncodec json",
            2,
            "`json` is not the number of a codec",
        ),
        (
            "enum A\na 1 A\n\na 1 B",
            4,
            "version 1 of `a` is listed twice",
        ),
        (
            "enum A\nlog_type a b",
            2,
            "`a b` is not a kind of log, such as `payment`",
        ),
        (
            "enum A\nlog_type  ",
            2,
            "` ` is not a kind of log, such as `payment`",
        ),
        (
            "enum A\n\nlog_type a",
            3,
            "`log_type a` is not an event, such as `payment.captured 1 Captured`",
        ),
        (
            "\u{feff}\u{feff}enum A",
            1,
            "`\u{feff}enum A` belongs to no enum",
        ),
        ("enum A\nenum B\nenum A", 3, "`enum A` is listed twice"),
        (
            "enum A\na 1 A\n    = yaml a",
            3,
            "`yaml a` is not a sample, such as `json {\"amount\":5}`",
        ),
    ] {
        let problem = problem.to_owned();
        assert_eq!(
            Lock::parse(text.as_bytes()),
            Err(Malformed { line, problem }),
            "{text}"
        );
    }
    let malformed = Lock::parse(b"enum A\n\xff").expect_err("not UTF-8");
    assert_eq!(
        (malformed.line, malformed.problem.as_str()),
        (2, "the line is not UTF-8")
    );
    let folder = folder();
    fs::write(folder.path().join("events.lock"), "enum A\nenum A").expect("it is written");
    let said = extend(&folder, &[payment(Vec::new())]).expect_err("malformed");
    assert!(
        said.contains("events.lock, line 2: `enum A` is listed twice; restore"),
        "{said}"
    );
    assert_eq!(text(&folder), "enum A\nenum A");
}

#[test]
fn what_is_written_is_read_the_same() {
    let folder = folder();
    let fields = &[
        "#[serde(rename_all = \"camelCase\")]",
        "a: [u8; 3] #[serde(with = \"x y\")]",
    ];
    let enums = [
        payment(vec![event("x", fields)]),
        named("Map<A, B>", vec![event("x", &[])]),
    ];
    extend(&folder, &enums).expect("the file is new");
    let lock = Lock::parse(text(&folder).as_bytes()).expect("it is well-formed");
    assert_eq!(lock.to_string(), text(&folder));
    assert_eq!(lock.enums.len(), 2);
}

#[test]
fn events_may_be_called_like_the_words_of_the_file() {
    for names in [
        &["codec"][..],
        &["enum"],
        &["log_type"],
        &["codec", "enum", "log_type"],
    ] {
        let folder = folder();
        let schema = names.iter().map(|name| event(name, &["a: u8"])).collect();
        let enums = [payment(schema)];
        extend(&folder, &enums).expect("the file is new");
        check_as(folder.path(), &enums, Mode::Frozen).expect("it is up to date");
    }
}

#[test]
fn many_tests_may_write_at_once() {
    let folder = folder();
    let path: &Path = folder.path();
    std::thread::scope(|scope| {
        for index in 0..16_usize {
            scope.spawn(move || {
                let name = format!("Event{index}").leak();
                let stored = format!("event.{index}").leak();
                check_as(path, &[named(name, vec![event(stored, &[])])], Mode::Extend)
                    .expect("all are new");
            });
        }
    });
    let lock = Lock::parse(text(&folder).as_bytes()).expect("it is well-formed");
    assert_eq!(lock.enums.len(), 16);
}
