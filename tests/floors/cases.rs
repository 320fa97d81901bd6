//! Mistakes made on purpose, which the check must find.

mod circles;
mod detours;
mod upward;

use crate::{Report, report};

const DRAWING: &str = "\
# Map

## Floors

```text src
top                what others call
left right
stores/disk
stores
values
```

## Other
";

/// Checks a small crate: the modules of the drawing, with other text for the given files.
fn checked(document: &str, files: &[(&str, &str)]) -> Report {
    let usual = [
        (
            "lib.rs",
            "mod left; mod right; mod stores; mod top; mod values; pub use values::{Value, make};",
        ),
        ("left.rs", ""),
        ("right.rs", "pub struct Right;"),
        (
            "stores.rs",
            "mod disk; pub struct Store; pub use disk::Disk; pub use crate::values::Value as Kept;",
        ),
        (
            "stores/disk.rs",
            "use super::Store; pub struct Disk(Store);",
        ),
        ("top.rs", "pub struct Top; pub fn run() {}"),
        (
            "values.rs",
            "pub struct Value; pub fn make() -> Value { Value } pub mod deep { pub struct Deep; }",
        ),
    ];
    let source = |file: &str| {
        let own = files.iter().find(|(name, _)| *name == file);
        let found = own.or_else(|| usual.iter().find(|(name, _)| *name == file));
        found.map(|(_, text)| (*text).to_owned())
    };
    report(document, "src", &source).expect("the files can be read")
}

fn with(file: &str, text: &str) -> Report {
    checked(DRAWING, &[(file, text)])
}

#[track_caller]
fn expect(found: &[String], parts: &[&str]) {
    assert_eq!(found.len(), parts.len(), "{found:#?}");
    for (found, part) in found.iter().zip(parts) {
        assert!(found.contains(part), "{found}");
    }
}

#[track_caller]
fn expect_nothing(report: &Report) {
    let Report {
        drawing,
        upward,
        detours,
        circles,
    } = report;
    let all = [drawing, upward, detours, circles].map(|found| found.join("\n"));
    assert_eq!(all, ["", "", "", ""]);
}

#[test]
fn nothing_is_found_where_nothing_is_wrong() {
    expect_nothing(&checked(DRAWING, &[]));
}

#[test]
fn the_drawing_must_show_all_rooms_and_no_others() {
    let lib = "mod attic; mod left; mod stores; mod top; mod values;";
    let report = checked(
        DRAWING,
        &[
            ("lib.rs", lib),
            ("attic.rs", "mod box_; use crate::values::Value;"),
            ("attic/box_.rs", ""),
        ],
    );
    expect(
        &report.drawing,
        &[
            "the room `right` is drawn in ARCHITECTURE.md, but there is no such module",
            "attic.rs is on no floor",
        ],
    );
}

#[test]
fn a_drawing_must_be_there_and_draw_each_room_once() {
    let source = |_: &str| Some(String::new());
    let of = |document: &str| report(document, "src", &source).expect_err("the drawing is bad");
    assert!(of("# Map").contains("no block \"```text src\" below \"## Floors\""));
    assert!(of(&DRAWING.replace("text src", "text other/src")).contains("no block"));
    assert!(of(&DRAWING.replace("left right", "left right top")).contains("`top` is drawn twice"));
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let of = |lib: &'static str| {
        let source = |file: &str| (file == "lib.rs").then(|| lib.to_owned());
        report(DRAWING, "src", &source).expect_err("the files are bad")
    };
    assert!(of("mod a;").contains("a.rs is missing"));
    assert!(of("#[path = \"b.rs\"] mod a;").contains("has a `#[path]`"));
    assert!(of("fn").contains("lib.rs: "));
}
