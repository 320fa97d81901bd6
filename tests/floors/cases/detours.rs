//! Imports through a module that only re-exports the name.

use super::{DRAWING, checked, expect, expect_nothing, with};

#[test]
fn nobody_imports_from_the_face() {
    let lib = "mod left; mod right; mod stores; mod top; mod values; pub struct Face;";
    let report = checked(DRAWING, &[("lib.rs", lib), ("top.rs", "use crate::Face;")]);
    expect(
        &report.upward,
        &["top.rs imports `Face` from lib.rs, which is for users"],
    );
    expect(&report.detours, &[]);
}

#[test]
fn a_detour_is_found_and_its_arrow_runs_to_the_end() {
    let report = with(
        "top.rs",
        "use crate::{Value, make as build}; fn f() { super::make(); Value::default() }",
    );
    expect(
        &report.detours,
        &[
            "top.rs imports `crate::Value` through lib.rs, which only re-exports it; write `crate::values::Value`",
            "top.rs imports `crate::make` through lib.rs, which only re-exports it; write `crate::values::make`",
            "top.rs imports `super::make` through lib.rs, which only re-exports it; write `crate::values::make`",
        ],
    );
    let report = with(
        "top.rs",
        "use crate::stores; fn f(_: stores::Disk, _: stores::Kept) {}",
    );
    expect(
        &report.detours,
        &[
            "write `crate::stores::disk::Disk`",
            "write `crate::values::Value`",
        ],
    );

    let lib =
        "mod left; mod right; mod stores; mod top; mod values; pub use top::Top; pub use serde;";
    let text = "use crate::Top; use crate::serde::Serialize; pub struct Value;";
    let report = checked(DRAWING, &[("lib.rs", lib), ("values.rs", text)]);
    expect(
        &report.upward,
        &["values.rs imports `top::Top` from a higher floor"],
    );
    expect(
        &report.detours,
        &["`crate::Top`", "`crate::serde::Serialize` through lib.rs"],
    );
}

#[test]
fn an_exported_macro_lives_in_the_face_and_speaks_for_its_user() {
    let top = "#[macro_export] macro_rules! t { () => { use super::*; $crate::Value; } }";
    expect_nothing(&with("top.rs", top));
    let report = checked(
        DRAWING,
        &[
            ("top.rs", top),
            ("values.rs", "fn f() { crate::t!() } pub struct Value;"),
        ],
    );
    expect(&report.upward, &["values.rs imports `top::t`"]);
    let values = "#[macro_export] macro_rules! t { () => { $crate::top::Top } } pub struct Value; pub fn make() {}";
    expect(
        &with("values.rs", values).upward,
        &["values.rs imports `top::Top`"],
    );
}
