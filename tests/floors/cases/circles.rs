//! Files that import from each other.

use super::{DRAWING, checked, expect};

#[test]
fn files_that_need_each_other_are_found() {
    let disk = (
        "stores/disk.rs",
        "use super::Store; pub struct Disk; pub fn open() {}",
    );
    let stores = "mod disk; pub struct Store; fn f() { disk::open() }";
    let report = checked(DRAWING, &[disk, ("stores.rs", stores)]);
    expect(
        &report.circles,
        &[
            "2 files; move the items that close it into a lower file:\n    stores.rs -> stores/disk.rs: open\n    \
           stores/disk.rs -> stores.rs: Store",
        ],
    );
    // A re-export alone closes no circle, but an import that the file also uses does.
    let stores = "mod disk; pub use disk::Disk; pub struct Store(Disk);";
    let report = checked(DRAWING, &[disk, ("stores.rs", stores)]);
    expect(&report.circles, &["stores.rs -> stores/disk.rs: Disk"]);
    // Macros reach the modules that are declared after them.
    let stores = "macro_rules! m { () => {} } mod disk; fn f() { disk::open() }";
    let report = checked(
        DRAWING,
        &[
            ("stores/disk.rs", "m!(); pub fn open() {}"),
            ("stores.rs", stores),
        ],
    );
    expect(&report.circles, &["stores/disk.rs -> stores.rs: m"]);
}

#[test]
fn longer_circles_are_found_once() {
    let left = ("left.rs", "use crate::right::Right; pub struct Left;");
    let right = ("right.rs", "use crate::values::Value; pub struct Right;");
    let values = ("values.rs", "use crate::left::Left; pub struct Value;");
    let report = checked(DRAWING, &[left, right, values]);
    expect(&report.circles, &["a circle of 3 files"]);
}
