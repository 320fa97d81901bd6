//! Looks up columns by their names.

use sqlx::sqlite::SqliteRow;
use sqlx::{Column, Row};

/// The number of a column, for results with many rows: looked up once for all of them.
pub(super) fn column(row: &SqliteRow, name: &str) -> Result<usize, sqlx::Error> {
    Ok(row.try_column(name)?.ordinal())
}
