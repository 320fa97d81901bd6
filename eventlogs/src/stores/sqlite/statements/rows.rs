//! The statements on the rows of projections. Their texts depend on the table.

use crate::projection::table::{RowStatements, RowTable};
use crate::stores::database::row_table::{list, on_conflict, quoted};
use crate::stores::sqlite::cells::Cell;
use crate::stores::sqlite::statements::text::{Statement, statement};
use sqlx::AssertSqlSafe;
use std::sync::Arc;

/// Finds the columns of a table.
pub(super) const COLUMNS: &str = statement(include_str!("row_table.sql"));

/// Binds the parameter of [`COLUMNS`].
pub(in crate::stores) fn columns(table: &RowTable) -> Statement<'static> {
    sqlx::query(COLUMNS).bind(table.name) // ?1
}

/// Makes the statements on a table. `declared` are the declared types of its columns.
pub(in crate::stores) fn statements(table: &RowTable, declared: Vec<String>) -> RowStatements {
    let name = quoted(table.name);
    let key = quoted(table.key);
    let columns = list(table);
    let conflict = on_conflict(table);
    let values = vec!["?"; table.columns.len()].join(", ");
    let is_wanted = format!("{key} in (select value from json_each(?1))");
    let read = format!("select {columns} from {name} where {is_wanted}");
    let write = format!("insert into {name} as stored ({columns}) values ({values}) {conflict}");
    let delete = format!("delete from {name} where {is_wanted}");
    RowStatements {
        table: table.clone(),
        declared,
        read: read.into(),
        write: write.into(),
        delete: delete.into(),
        persistent: true,
    }
}

/// Reads the rows with these keys, which are a list in JSON.
pub(in crate::stores) fn read(on: &RowStatements, keys: String) -> Statement<'static> {
    sqlx::query(AssertSqlSafe(Arc::clone(&on.read))).bind(keys)
}

/// Writes a row.
pub(in crate::stores) fn write(
    on: &RowStatements,
    cells: impl IntoIterator<Item = Cell>,
) -> Statement<'static> {
    let statement = sqlx::query(AssertSqlSafe(Arc::clone(&on.write)));
    let bind = |statement: Statement<'static>, cell| match cell {
        Cell::Null => statement.bind(None::<i64>),
        Cell::Integer(number) => statement.bind(number),
        Cell::Real(number) => statement.bind(number),
        Cell::Text(text) => statement.bind(text),
    };
    cells.into_iter().fold(statement, bind)
}

/// Deletes the rows with these keys, which are a list in JSON.
pub(in crate::stores) fn delete(on: &RowStatements, keys: String) -> Statement<'static> {
    sqlx::query(AssertSqlSafe(Arc::clone(&on.delete))).bind(keys)
}
