//! Differences between expected and found values, line by line, from `{:#?}`.

use std::fmt::{Debug, Write};

/// Number of equal lines shown around a difference; further ones are left out.
const CONTEXT: usize = 3;
/// Texts with more pairs of lines than this are not aligned: aligning needs time and memory for a table of all pairs.
const MOST_PAIRS: usize = 4_000_000;

/// A line of a difference.
#[derive(Clone, Copy)]
enum Line<'a> {
    /// Part of both.
    Both(&'a str),
    /// Part of the expected value only.
    Expected(&'a str),
    /// Part of the found value only.
    Found(&'a str),
}

/// Shows the differences between two values.
pub(in crate::testing) fn values(expected: &impl Debug, found: &impl Debug) -> String {
    let mut text = legend();
    compare(&mut text, &format!("{expected:#?}"), &format!("{found:#?}"));
    text
}

/// Shows two values that have nothing in common.
pub(super) fn unlike(expected: &impl Debug, found: &impl Debug) -> String {
    let mut text = legend();
    let (expected, found) = (format!("{expected:#?}"), format!("{found:#?}"));
    write(&mut text, expected.lines().map(Line::Expected));
    write(&mut text, found.lines().map(Line::Found));
    text
}

/// Shows an unexpected value where no expected value is known.
pub(super) fn found(found: &impl Debug) -> String {
    let mut text = String::from("found:\n\n");
    write(&mut text, format!("{found:#?}").lines().map(Line::Both));
    text
}

/// Shows the differences between two lists of events, event by event, with a mark at the first difference.
pub(super) fn events<E: PartialEq + Debug>(expected: &[&E], found: &[&E]) -> String {
    let mut text = legend();
    let mut mark = "-->";
    for index in 0..expected.len().max(found.len()) {
        let (expected, found) = (expected.get(index), found.get(index));
        let what = match (expected, found) {
            (Some(expected), Some(found)) if expected == found => "",
            (Some(_), Some(_)) => " differs",
            (Some(_), None) => " is missing",
            (None, _) => " is one too many",
        };
        let marked = if what.is_empty() {
            "   "
        } else {
            std::mem::replace(&mut mark, "   ")
        };
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "{marked} event {index}{what}");
        let [expected, found] =
            [expected, found].map(|event| event.map(|event| format!("{event:#?}")));
        match (expected, found) {
            (Some(expected), Some(_)) if what.is_empty() => {
                write(&mut text, expected.lines().map(Line::Both));
            }
            (Some(expected), Some(found)) => compare(&mut text, &expected, &found),
            (expected, found) => {
                let expected = expected.unwrap_or_default();
                let found = found.unwrap_or_default();
                write(&mut text, expected.lines().map(Line::Expected));
                write(&mut text, found.lines().map(Line::Found));
            }
        }
    }
    text
}

/// Explains the marks.
fn legend() -> String {
    "(- expected, + found)\n\n".to_owned()
}

/// Writes the differences between two texts.
fn compare(text: &mut String, expected: &str, found: &str) {
    if expected == found {
        write(text, expected.lines().map(Line::Both));
        text.push_str("    (both look like this, but they are not equal by `==`)\n");
    } else {
        let (expected, found): (Vec<_>, Vec<_>) =
            (expected.lines().collect(), found.lines().collect());
        write(text, shortened(&aligned(&expected, &found)));
    }
}

fn write<'a>(text: &mut String, lines: impl IntoIterator<Item = Line<'a>>) {
    for line in lines {
        let (mark, line) = match line {
            Line::Both(line) => (' ', line),
            Line::Expected(line) => ('-', line),
            Line::Found(line) => ('+', line),
        };
        text.push_str(format!("  {mark}     {line}").trim_end());
        text.push('\n');
    }
}

/// Pairs the lines of both texts so that as few as possible differ.
fn aligned<'a>(expected: &[&'a str], found: &[&'a str]) -> Vec<Line<'a>> {
    let (rows, columns) = (expected.len(), found.len());
    if rows.saturating_mul(columns) > MOST_PAIRS {
        let expected = expected.iter().copied().map(Line::Expected);
        return expected
            .chain(found.iter().copied().map(Line::Found))
            .collect();
    }
    // At [row][column]: the length of the longest sequence of lines that the rest of both has in common.
    let mut common = vec![vec![0_usize; columns + 1]; rows + 1];
    for row in (0..rows).rev() {
        for column in (0..columns).rev() {
            common[row][column] = if expected[row] == found[column] {
                common[row + 1][column + 1] + 1
            } else {
                common[row + 1][column].max(common[row][column + 1])
            };
        }
    }
    let mut lines = Vec::with_capacity(rows + columns);
    let (mut row, mut column) = (0, 0);
    while row < rows || column < columns {
        if row < rows && column < columns && expected[row] == found[column] {
            lines.push(Line::Both(expected[row]));
            (row, column) = (row + 1, column + 1);
        } else if column == columns
            || row < rows && common[row + 1][column] >= common[row][column + 1]
        {
            lines.push(Line::Expected(expected[row]));
            row += 1;
        } else {
            lines.push(Line::Found(found[column]));
            column += 1;
        }
    }
    lines
}

/// Leaves out equal lines that are far from a difference.
fn shortened<'a>(lines: &[Line<'a>]) -> Vec<Line<'a>> {
    let differs = |line: &Line<'_>| !matches!(line, Line::Both(_));
    let is_near = |index: usize| {
        let start = index.saturating_sub(CONTEXT);
        let end = lines.len().min(index + CONTEXT + 1);
        lines[start..end].iter().any(differs)
    };
    let near: Vec<bool> = (0..lines.len()).map(is_near).collect();
    let runs = near.chunk_by(|one, next| one == next);
    let mut shown = Vec::new();
    let mut rest = lines;
    for run in runs {
        let (lines, behind) = rest.split_at(run.len());
        rest = behind;
        // Leaving out a single line would save nothing.
        if run[0] || lines.len() == 1 {
            shown.extend_from_slice(lines);
        } else {
            shown.push(Line::Both("…"));
        }
    }
    shown
}
