//! Imports run downwards, from floor to floor, as ARCHITECTURE.md draws them.
//!
//! `rust_arkitect` and `archaven` compare paths as they are written, so an import through a re-export escapes them.
//! `cargo-modules` resolves paths, but compiles rust-analyzer for that, and checks for circles only, not for floors.

mod arrows;
mod attributes;
mod cases;
mod circles;
mod drawing;
mod imports;
mod reader;
mod resolve;
mod rules;
mod tokens;
mod tree;

use arrows::Arrow;
use drawing::Drawing;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use tree::Tree;

/// The findings in one crate, by rule.
#[derive(Debug)]
struct Report {
    drawing: Vec<String>,
    upward: Vec<String>,
    detours: Vec<String>,
    circles: Vec<String>,
}

/// Checks a crate against the drawing of its folder. `source` returns the text of a file in the folder.
fn report(
    document: &str,
    folder: &str,
    source: &dyn Fn(&str) -> Option<String>,
) -> Result<Report, String> {
    let tree = Tree::read(source)?;
    let drawing = Drawing::read(document, folder)?;
    let arrows: BTreeSet<Arrow> = arrows::of(&tree);
    Ok(Report {
        drawing: drawing.differences(&tree),
        upward: rules::upward(&tree, &drawing, &arrows),
        detours: rules::detours(&tree, &arrows),
        circles: circles::of(&tree, &arrows),
    })
}

fn check(folder: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let document = fs::read_to_string(root.join("ARCHITECTURE.md")).expect("the document exists");
    let source = |file: &str| fs::read_to_string(root.join(folder).join(file)).ok();
    let report = report(&document, folder, &source).unwrap_or_else(|problem| panic!("{problem}"));
    let rules = [
        ("The drawing shows the modules", &report.drawing),
        ("Imports run downwards", &report.upward),
        (
            "An import names the module that defines the item",
            &report.detours,
        ),
        ("No files need each other", &report.circles),
    ];
    let broken: Vec<_> = rules
        .into_iter()
        .filter(|(_, found)| !found.is_empty())
        .map(|(rule, found)| format!("{rule}, but ({}):\n  {}\n", found.len(), found.join("\n  ")))
        .collect();
    assert!(broken.is_empty(), "{folder}\n\n{}", broken.join("\n"));
}

#[test]
fn the_library_keeps_to_its_floors() {
    check("eventlogs/src");
}

#[test]
fn the_macros_keep_to_their_floors() {
    check("eventlogs-derive/src");
}
