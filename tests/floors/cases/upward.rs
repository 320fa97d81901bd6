//! Arrows to higher floors, in all spellings.

use super::{DRAWING, checked, expect, expect_nothing, with};

#[test]
fn an_arrow_up_is_found() {
    let report = with(
        "values.rs",
        "use crate::top::Top; pub struct Value(Top); pub fn make() {}",
    );
    expect(
        &report.upward,
        &[
            "values.rs imports `top::Top` from a higher floor (`top` is above `values`); move the item down",
        ],
    );
}

#[test]
fn an_arrow_up_from_a_room_within_another_is_found() {
    let report = with(
        "stores.rs",
        "mod disk; use disk::Disk; pub struct Store(Disk);",
    );
    expect(
        &report.upward,
        &["stores.rs imports `stores::disk::Disk` from a higher floor"],
    );
}

#[test]
fn an_arrow_to_the_same_floor_is_found() {
    let report = with("left.rs", "use crate::right::Right;");
    expect(
        &report.upward,
        &[
            "left.rs imports `right::Right` from a room on its own floor (`right`; the file is in `left`)",
        ],
    );
}

#[test]
fn all_ways_to_write_an_arrow_are_found() {
    for text in [
        "use crate::{left, top::{self, Top}};",
        "use crate::top::Top as T;",
        "use crate::top::*;",
        "use super::top::Top;",
        "fn f() { crate::top::run() }",
        "fn f() { use crate::top; top::run() }",
        "use crate::top as t; fn f() { t::run() }",
        "mod inner { mod inmost { use super::super::super::top::Top; } }",
        "fn f(_: Vec<crate::top::Top>) {}",
        "impl From<u8> for crate::top::Top {}",
        "fn f() { print!(\"{}\", [crate::top::run()]) }",
        "macro_rules! f { ($x:ident) => { { use $crate::{left, top::{run}}; run($x) } } }",
        "macro_rules! f { ($($x:ident),*) => { vec![$($crate::top::run($x)),*] } }",
        "#[derive(crate::top::Top)] struct S;",
        "fn f() { ::own::top::run(); }",
        "use own::top::Top;",
        "impl S { fn f() { if true { g(crate::r#top::run()) } } }",
    ] {
        let lib = "extern crate self as own; mod left; mod right; mod stores; mod top; mod values;";
        let report = checked(
            DRAWING,
            &[
                ("lib.rs", lib),
                ("values.rs", text),
                ("stores.rs", "mod disk; pub struct Store;"),
            ],
        );
        assert_eq!(report.upward.len(), 1, "{text}: {report:#?}");
        assert!(
            report.upward[0].starts_with("values.rs imports `top::"),
            "{text}: {report:#?}"
        );
        assert_eq!(report.detours, [""; 0], "{text}");
    }
}

#[test]
fn a_glob_brings_names_with_it() {
    let report = with("values.rs", "use super::*; fn f(_: top::Top) {}");
    expect(
        &report.upward,
        &[
            "values.rs imports `*` from lib.rs, which is for users",
            "values.rs imports `top::Top` from a higher floor",
        ],
    );
    let report = with(
        "stores.rs",
        "mod disk; pub use disk::*; pub struct Store; fn f(_: Disk) {}",
    );
    expect(&report.circles, &["stores.rs -> stores/disk.rs: Disk\n"]);
}

#[test]
fn code_for_tests_and_documentation_do_not_count() {
    let text = "
        //! See [`crate::top::Top`].
        /// ```
        /// use crate::top::Top;
        /// ```
        pub struct Value;
        pub(in crate::values) fn make() {}
        #[cfg(test)] use crate::top::Top;
        #[cfg(all(test, unix))] mod tests;
        impl Value { #[cfg(test)] fn f() { crate::top::run() } }
        #[test] fn g() { crate::top::run() }
    ";
    expect_nothing(&with("values.rs", text));
    let text = "#[cfg(any(test, unix))] use crate::top::Top;";
    expect(&with("values.rs", text).upward, &["top::Top"]);
}
