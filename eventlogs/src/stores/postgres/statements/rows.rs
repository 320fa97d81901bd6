//! The statements on the rows of projections. Their texts depend on the table.

use crate::projection::table::{RowStatements, RowTable};
use crate::stores::database::row_table::{list, on_conflict, quoted};
use crate::stores::postgres::statements::text::{Statement, without_header};
use sqlx::{AssertSqlSafe, SqlSafeStr};
use std::sync::Arc;

/// Finds the columns of a table.
pub(in crate::stores) fn columns(table: &RowTable) -> Statement<'static> {
    let text = without_header(include_str!("row_table.sql"));
    let name = quoted(table.name);
    // The search path of the handlers of a projection.
    let [first, second] = match table.home {
        Some(home) => [format!("{}.{name}", quoted(home)), format!("public.{name}")],
        None => [name.clone(), name],
    };
    sqlx::query(AssertSqlSafe(text).into_sql_str())
        .bind(first) // $1
        .bind(second)
        .persistent(false)
}

/// Makes the statements on a table. `key_type` is the type of its key, as it is written in a cast. They name the schema if the
/// connection need not have it in its search path.
///
/// Rows come and go as JSON: the table gives the types of the columns. The keys have no type before the cast, so that the index
/// of the key is used for a key of any type. Rows are written in the order of their keys, so that two transactions do not wait
/// for each other.
pub(in crate::stores) fn statements(
    table: &RowTable,
    schema: &str,
    key_type: &str,
) -> RowStatements {
    let mut name = quoted(table.name);
    if table.home.is_some() {
        name = format!("{}.{name}", quoted(schema));
    }
    let key = quoted(table.key);
    let columns = list(table);
    let conflict = on_conflict(table);
    let is_wanted = format!("t.{key} = any ($1::text[]::{key_type}[])");
    let read = format!("select to_jsonb(t)::text as content from {name} t where {is_wanted}");
    let write = format!(
        "insert into {name} as stored ({columns}) select {columns} \
         from jsonb_populate_recordset(null::{name}, $1::text::jsonb) order by {key} {conflict}"
    );
    let delete = format!("delete from {name} t where {is_wanted}");
    RowStatements {
        table: table.clone(),
        #[cfg(feature = "sqlite")]
        declared: Vec::new(),
        read: read.into(),
        write: write.into(),
        delete: delete.into(),
        persistent: true,
    }
}

/// Reads the rows with these keys.
pub(in crate::stores) fn read(on: &RowStatements, keys: Vec<String>) -> Statement<'static> {
    sqlx::query(AssertSqlSafe(Arc::clone(&on.read)))
        .bind(keys)
        .persistent(on.persistent)
}

/// Writes rows, which are a list in JSON.
pub(in crate::stores) fn write(on: &RowStatements, rows: String) -> Statement<'static> {
    sqlx::query(AssertSqlSafe(Arc::clone(&on.write)))
        .bind(rows)
        .persistent(on.persistent)
}

/// Deletes the rows with these keys.
pub(in crate::stores) fn delete(on: &RowStatements, keys: Vec<String>) -> Statement<'static> {
    sqlx::query(AssertSqlSafe(Arc::clone(&on.delete)))
        .bind(keys)
        .persistent(on.persistent)
}
