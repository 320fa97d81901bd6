//! The rows of projections.

use crate::ids::LogId;
use crate::projection::database::Postgres;
use crate::projection::row::ProjectedRow;
use crate::projection::row_error::{RowError, keys_failed};
use crate::projection::table::{
    RowChanges, RowDatabase, RowKeyStatements, RowStatements, RowTable,
};
use crate::stores::database::row_table::{Column, check, not_unique};
use crate::stores::postgres::statements::row_keys;
use crate::stores::postgres::statements::rows::{columns, delete, read, statements, write};
use serde_json::{Map, Value};
use sqlx::Row;
use sqlx::postgres::{PgConnection, PgRow};
use uuid::Uuid;

impl RowDatabase for Postgres {
    const EVENTS: usize = 10_000;

    async fn statements(
        connection: &mut PgConnection,
        table: &RowTable,
    ) -> Result<RowStatements, RowError> {
        let found = columns(table).fetch_all(connection).await;
        let found = found.map_err(|error| table.failed(error))?;
        let columns: Result<Vec<_>, _> = found.iter().map(column).collect();
        check(table, &columns.map_err(|error| table.failed(error))?)?;
        let is_key = |row: &&PgRow| {
            row.try_get("name")
                .is_ok_and(|name: &str| name == table.key)
                && row.try_get("is_key").unwrap_or_default()
        };
        let key = found.iter().find(is_key).ok_or_else(|| not_unique(table))?;
        let key_type = key.try_get("type").map_err(|error| table.failed(error))?;
        let schema = key.try_get("schema").map_err(|error| table.failed(error))?;
        Ok(statements(table, schema, key_type))
    }

    async fn read<R: ProjectedRow>(
        connection: &mut PgConnection,
        statements: &RowStatements,
        keys: Vec<Value>,
    ) -> Result<Vec<R>, RowError> {
        let table = &statements.table;
        let found = read(statements, as_texts(table, keys)?).fetch_all(connection);
        let found = found.await.map_err(|error| table.failed(error))?;
        let row = |row: &PgRow| {
            let content = row.try_get("content");
            table.row(content.map_err(|error| table.failed(error))?)
        };
        found.iter().map(row).collect()
    }

    async fn write(
        connection: &mut PgConnection,
        statements: &RowStatements,
        changes: RowChanges,
    ) -> Result<u64, RowError> {
        let table = &statements.table;
        let mut written = 0;
        let failed = |error| table.failed(error);
        if !changes.deleted.is_empty() {
            let delete = delete(statements, as_texts(table, changes.deleted)?);
            delete.execute(&mut *connection).await.map_err(failed)?;
        }
        if !changes.written.is_empty() {
            let rows = changes.written.into_iter().map(Value::Object);
            let rows = Value::Array(rows.collect()).to_string();
            let write = write(statements, rows);
            let done = write.execute(connection).await.map_err(failed)?;
            written = done.rows_affected();
        }
        Ok(written)
    }

    async fn read_keys(
        connection: &mut PgConnection,
        statements: &RowKeyStatements,
        name: &str,
        logs: &[LogId],
    ) -> Result<Vec<(LogId, String)>, RowError> {
        let found = row_keys::read(statements, name, logs).fetch_all(connection);
        let found = found.await.map_err(keys_failed)?;
        let keys = |row: &PgRow| {
            let log_id: Uuid = row.try_get("log_id")?;
            Ok((LogId::from(log_id), row.try_get("keys")?))
        };
        let found: Result<_, _> = found.iter().map(keys).collect();
        found.map_err(keys_failed)
    }

    async fn write_keys(
        connection: &mut PgConnection,
        statements: &RowKeyStatements,
        name: &str,
        keys: Vec<(LogId, String)>,
    ) -> Result<(), RowError> {
        let written = row_keys::write(statements, name, keys).execute(connection);
        written.await.map_err(keys_failed)?;
        Ok(())
    }
}

impl RowTable {
    /// Reads the content of a row. The table may have more columns than the row has fields.
    fn row<R: ProjectedRow>(&self, content: &str) -> Result<R, RowError> {
        let read = serde_json::from_str(content).and_then(|mut content: Map<String, Value>| {
            content.retain(|name, _| self.columns.contains(name));
            serde_json::from_value(Value::Object(content))
        });
        read.map_err(|source| RowError::Unreadable {
            table: self.name,
            row: self.row,
            source: source.into(),
        })
    }
}

/// Returns a column from a row of `row_table.sql`.
fn column(row: &PgRow) -> Result<Column, sqlx::Error> {
    Ok(Column {
        name: row.try_get("name")?,
        is_generated: row.try_get("is_generated")?,
        is_required: row.try_get("is_required")?,
    })
}

/// Returns keys as PostgreSQL casts them to the type of the key.
fn as_texts(table: &RowTable, keys: Vec<Value>) -> Result<Vec<String>, RowError> {
    let text = |key| match key {
        Value::String(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(flag) => Ok(flag.to_string()),
        other => Err(table.no_key(&other)),
    };
    keys.into_iter().map(text).collect()
}
