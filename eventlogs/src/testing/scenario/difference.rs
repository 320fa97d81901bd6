//! What was expected and what was found, line by line, from `{:#?}`.

use std::fmt::{Debug, Write};

/// So many equal lines are shown around a difference; what lies between is left out.
const CONTEXT: usize = 3;
/// Texts with more pairs of lines than this are not aligned, as that takes the time and memory of a table of them.
const MOST_PAIRS: usize = 4_000_000;

/// A line of a difference.
#[derive(Clone, Copy)]
enum Line<'a> {
    /// In both.
    Both(&'a str),
    /// Only in what was expected.
    Expected(&'a str),
    /// Only in what was found.
    Found(&'a str),
}

/// What differs between two values.
pub(in crate::testing) fn values(expected: &impl Debug, found: &impl Debug) -> String {
    let mut text = legend();
    compare(&mut text, &format!("{expected:#?}"), &format!("{found:#?}"));
    text
}

/// Two values that have nothing in common.
pub(super) fn unlike(expected: &impl Debug, found: &impl Debug) -> String {
    let mut text = legend();
    let (expected, found) = (format!("{expected:#?}"), format!("{found:#?}"));
    write(&mut text, expected.lines().map(Line::Expected));
    write(&mut text, found.lines().map(Line::Found));
    text
}

/// A value that was not expected, where nobody can say what would have been.
pub(super) fn found(found: &impl Debug) -> String {
    let mut text = String::from("found:\n\n");
    write(&mut text, format!("{found:#?}").lines().map(Line::Both));
    text
}

/// What differs between two lists of events, one by one, with a mark at the first that does.
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

/// What the marks mean.
fn legend() -> String {
    "(- expected, + found)\n\n".to_owned()
}

/// Writes the lines of two texts that are not equal.
fn compare(text: &mut String, expected: &str, found: &str) {
    if expected == found {
        write(text, expected.lines().map(Line::Both));
        text.push_str("    (both look like this, but `==` says that they differ)\n");
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

/// The lines of both, as few of them apart as possible.
fn aligned<'a>(expected: &[&'a str], found: &[&'a str]) -> Vec<Line<'a>> {
    let (rows, columns) = (expected.len(), found.len());
    if rows.saturating_mul(columns) > MOST_PAIRS {
        let expected = expected.iter().copied().map(Line::Expected);
        return expected
            .chain(found.iter().copied().map(Line::Found))
            .collect();
    }
    // At [row][column]: how many lines the rest of both has in common at most, in the same order.
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

/// The same without the equal lines that are far from a difference.
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
