//! The tables of the guide's page on operation, for tests that compare them with what happens.

use std::collections::BTreeSet;

const OPERATION: &str = include_str!("../../eventlogs/src/guide/operation.md");

/// Returns the cells of the only table with these headers, row by row.
pub(crate) fn table(headers: &[&str]) -> Vec<Vec<String>> {
    let mut tables = Vec::new();
    let mut lines = OPERATION.lines();
    while let Some(line) = lines.next() {
        if cells(line) == headers {
            assert!(lines.next().is_some_and(|line| line.starts_with("|---")));
            let rows = lines.by_ref().take_while(|line| line.starts_with('|'));
            tables.push(rows.map(cells).collect());
        }
    }
    let [table] = <[_; 1]>::try_from(tables).expect("there is one such table");
    table
}

/// Returns the words of a cell that are code.
pub(crate) fn words(cell: &str) -> BTreeSet<String> {
    let parts = cell.split('`').skip(1).step_by(2);
    parts.map(str::to_owned).collect()
}

/// Returns the only word of a cell that is code.
pub(crate) fn word(cell: &str) -> String {
    let words = words(cell);
    assert_eq!(words.len(), 1, "{cell}");
    words.into_iter().next().unwrap()
}

fn cells(line: &str) -> Vec<String> {
    let line = line.trim().strip_prefix('|').unwrap_or_default();
    let line = line.strip_suffix('|').unwrap_or_default();
    line.split(" | ")
        .map(|cell| cell.trim().to_owned())
        .collect()
}
