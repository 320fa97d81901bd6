//! The statements on the rows of projections. Their texts depend on the table.

use crate::projection::table::RowTable;
use crate::stores::database::row_table::{list, on_conflict, quoted};
use crate::stores::postgres::statements::text::{Statement, without_header};
use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

/// The statements on one table.
#[derive(Debug, Clone)]
pub(in crate::stores) struct RowTexts {
    read: SqlStr,
    write: SqlStr,
    delete: SqlStr,
}

/// Finds the columns of a table.
pub(in crate::stores) fn columns(table: &RowTable) -> Statement<'static> {
    let text = without_header(include_str!("row_table.sql"));
    sqlx::query(AssertSqlSafe(text).into_sql_str()).bind(quoted(table.name))
}

impl RowTexts {
    /// Makes the statements on a table. `key_type` is the type of its key, as it is written in a cast.
    ///
    /// Rows come and go as JSON: the table gives the types of the columns. The keys have no type before the cast, so that the
    /// index of the key is used for a key of any type. Rows are written in the order of their keys, so that two transactions
    /// do not wait for each other.
    pub(in crate::stores) fn new(table: &RowTable, key_type: &str) -> Self {
        let name = quoted(table.name);
        let key = quoted(table.key);
        let columns = list(table);
        let conflict = on_conflict(table);
        let is_wanted = format!("t.{key} = any ($1::text[]::{key_type}[])");
        let text = |text: String| AssertSqlSafe(text).into_sql_str();
        Self {
            read: text(format!(
                "select to_jsonb(t)::text as content from {name} t where {is_wanted}"
            )),
            write: text(format!(
                "insert into {name} as stored ({columns}) select {columns} \
                 from jsonb_populate_recordset(null::{name}, $1::text::jsonb) order by {key} {conflict}"
            )),
            delete: text(format!("delete from {name} t where {is_wanted}")),
        }
    }

    /// Reads the rows with these keys.
    pub(in crate::stores) fn read(&self, keys: Vec<String>) -> Statement<'static> {
        sqlx::query(self.read.clone()).bind(keys)
    }

    /// Writes rows, which are a list in JSON.
    pub(in crate::stores) fn write(&self, rows: String) -> Statement<'static> {
        sqlx::query(self.write.clone()).bind(rows)
    }

    /// Deletes the rows with these keys.
    pub(in crate::stores) fn delete(&self, keys: Vec<String>) -> Statement<'static> {
        sqlx::query(self.delete.clone()).bind(keys)
    }
}
