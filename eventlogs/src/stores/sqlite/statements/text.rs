//! Makes the text of a statement from its file.

use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;
use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr, Sqlite};
use std::sync::Arc;

/// A text of one or more statements with their values.
pub(in crate::stores) type Statement<'a> = Query<'a, Sqlite, SqliteArguments>;

/// The numbers of rows for which each text with a list of rows exists.
pub(in crate::stores) const SIZES: [usize; 4] = [1, 8, 64, LARGEST];
/// The largest number of rows in such a text: SQLite accepts at most 32,766 values.
pub(in crate::stores) const LARGEST: usize = 256;

/// The text before the row, in a file that has one.
const BEFORE_ROW: &str = "(values ";
/// The text after the row.
const AFTER_ROW: &str = ") v";

/// The statement of a file. The comment at the start of the file is for people, and is left out because SQLite would read it
/// with each preparation.
pub(in crate::stores) const fn statement(file: &str) -> &str {
    let mut rest = file;
    while let [b'\n', ..] | [b'-', b'-', ..] = rest.as_bytes() {
        let mut end = 0;
        while rest.as_bytes()[end] != b'\n' {
            end += 1;
        }
        (_, rest) = rest.split_at(end + 1);
    }
    rest.trim_ascii_end()
}

/// Joins statements into one text, in which the row of the file is repeated this many times.
pub(in crate::stores) fn with_rows(statements: &[&str], rows: usize) -> String {
    let repeat = |statement: &str| {
        let parts = statement.split_once(BEFORE_ROW);
        let parts = parts.and_then(|(before, rest)| Some((before, rest.split_once(AFTER_ROW)?)));
        match parts {
            Some((before, (row, after))) => {
                let list = vec![row; rows].join(", ");
                format!("{before}{BEFORE_ROW}{list}{AFTER_ROW}{after}")
            }
            None => statement.to_owned(),
        }
    };
    let statements: Vec<_> = statements.iter().copied().map(repeat).collect();
    statements.join(";\n")
}

/// A text with a list of rows, in a few sizes.
///
/// SQLite has no array parameters, so a statement on many rows has one parameter per value of each row. It is prepared for a
/// few numbers of rows only. Rows that are left over are null, and the statement skips them: preparing it again would cost more
/// than that.
pub(in crate::stores) struct BySize([SqlStr; SIZES.len()]);

impl BySize {
    /// The text of these statements.
    pub(in crate::stores) fn new(statements: &[&str]) -> Self {
        Self(SIZES.map(|rows| {
            let text = with_rows(statements, rows);
            AssertSqlSafe(Arc::<str>::from(text)).into_sql_str()
        }))
    }

    /// The text for at least this many rows.
    pub(in crate::stores) fn for_rows(&self, rows: usize) -> SqlStr {
        let [.., largest] = &self.0;
        let fitting = SIZES.iter().zip(&self.0).find(|(size, _)| rows <= **size);
        fitting.map_or(largest, |(_, text)| text).clone()
    }
}
