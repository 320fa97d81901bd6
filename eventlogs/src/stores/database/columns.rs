//! Columns by their names.

use sqlx::{Column, ColumnIndex, Row};

/// Returns the number of a column, for results with many rows: it is looked up once for all of them.
pub(in crate::stores) fn column<'n, R>(row: &R, name: &'n str) -> Result<usize, sqlx::Error>
where
    R: Row,
    &'n str: ColumnIndex<R>,
{
    Ok(row.try_column(name)?.ordinal())
}
