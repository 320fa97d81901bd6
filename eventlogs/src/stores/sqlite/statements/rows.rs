//! The statements on the rows of projections. Their texts depend on the table.

use crate::projection::table::RowTable;
use crate::stores::database::row_table::{list, on_conflict, quoted};
use crate::stores::sqlite::cells::Cell;
use crate::stores::sqlite::statements::text::{Statement, statement};
use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

/// Finds the columns of a table.
pub(super) const COLUMNS: &str = statement(include_str!("row_table.sql"));

/// Binds the parameter of [`COLUMNS`].
pub(in crate::stores) fn columns(table: &RowTable) -> Statement<'static> {
    sqlx::query(COLUMNS).bind(table.name) // ?1
}

/// The statements on one table.
#[derive(Debug, Clone)]
pub(in crate::stores) struct RowTexts {
    read: SqlStr,
    write: SqlStr,
    delete: SqlStr,
}

impl RowTexts {
    /// Makes the statements on a table.
    pub(in crate::stores) fn new(table: &RowTable) -> Self {
        let name = quoted(table.name);
        let key = quoted(table.key);
        let columns = list(table);
        let conflict = on_conflict(table);
        let values = vec!["?"; table.columns.len()].join(", ");
        let is_wanted = format!("{key} in (select value from json_each(?1))");
        let text = |text: String| AssertSqlSafe(text).into_sql_str();
        Self {
            read: text(format!("select {columns} from {name} where {is_wanted}")),
            write: text(format!(
                "insert into {name} as stored ({columns}) values ({values}) {conflict}"
            )),
            delete: text(format!("delete from {name} where {is_wanted}")),
        }
    }

    /// Reads the rows with these keys, which are a list in JSON.
    pub(in crate::stores) fn read(&self, keys: String) -> Statement<'static> {
        sqlx::query(self.read.clone()).bind(keys)
    }

    /// Writes a row.
    pub(in crate::stores) fn write(
        &self,
        cells: impl IntoIterator<Item = Cell>,
    ) -> Statement<'static> {
        let statement = sqlx::query(self.write.clone());
        cells
            .into_iter()
            .fold(statement, |statement, cell| match cell {
                Cell::Null => statement.bind(None::<i64>),
                Cell::Integer(number) => statement.bind(number),
                Cell::Real(number) => statement.bind(number),
                Cell::Text(text) => statement.bind(text),
            })
    }

    /// Deletes the rows with these keys, which are a list in JSON.
    pub(in crate::stores) fn delete(&self, keys: String) -> Statement<'static> {
        sqlx::query(self.delete.clone()).bind(keys)
    }
}
