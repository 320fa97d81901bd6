//! Making the text of a statement from its file.

use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;
use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr, Sqlite};
use std::sync::Arc;

/// A text of one or more statements with their values.
pub(in crate::stores) type Statement<'a> = Query<'a, Sqlite, SqliteArguments>;

/// For how many rows each text with a list of rows exists.
pub(in crate::stores) const SIZES: [usize; 4] = [1, 8, 64, LARGEST];
/// How many rows such a text takes at most: SQLite takes 32,766 values.
pub(in crate::stores) const LARGEST: usize = 256;

/// What is in front of the row in a file that has one.
const BEFORE_ROW: &str = "(values ";
/// What follows it.
const AFTER_ROW: &str = ") v";

/// The statement of a file. The comment at the start of a file is for people, and is left out: SQLite would read it with each
/// preparation.
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

/// Statements as one text, in which the row of the file stands this many times.
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
/// SQLite takes no arrays, so a statement about many rows has a parameter for each value of each row. It is prepared for a few
/// numbers of rows only. The rows that are left over are null, and the statement passes over them: preparing it once more would
/// cost more than that.
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
