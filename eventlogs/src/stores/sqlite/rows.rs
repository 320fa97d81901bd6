//! The rows of projections.

use crate::ids::LogId;
use crate::projection::database::Sqlite;
use crate::projection::row::ProjectedRow;
use crate::projection::row_error::{RowError, keys_failed};
use crate::projection::table::{
    RowChanges, RowDatabase, RowKeyStatements, RowStatements, RowTable,
};
use crate::stores::database::row_table::{Column, check, not_unique};
use crate::stores::sqlite::cells;
use crate::stores::sqlite::cells::{Cell, Declared};
use crate::stores::sqlite::statements::row_keys;
use crate::stores::sqlite::statements::rows::{columns, delete, read, statements, write};
use serde_json::{Map, Value};
use sqlx::error::BoxDynError;
use sqlx::sqlite::{Sqlite as Driver, SqliteConnection, SqliteRow};
use sqlx::{Decode, Row, TypeInfo, ValueRef};
use uuid::Uuid;

impl RowDatabase for Sqlite {
    // Appends wait for the end of the transaction, so it must be able to end in the middle of a page.
    const EVENTS: usize = 128;

    async fn statements(
        connection: &mut SqliteConnection,
        table: &RowTable,
    ) -> Result<RowStatements, RowError> {
        let found = columns(table).fetch_all(connection).await;
        let found: Result<Vec<_>, _> = found.and_then(|found| found.iter().map(column).collect());
        let found = found.map_err(|error| table.failed(error))?;
        let is_key =
            |(column, _, is_key): &(Column, String, bool)| *is_key && column.name == table.key;
        let has_key = found.iter().any(is_key);
        let declared = |name: &String| {
            let mut columns = found.iter();
            let column = columns.find(|(column, ..)| column.name == *name);
            column.map_or_else(String::new, |(_, declared, _)| declared.clone())
        };
        let declared = table.columns.iter().map(declared).collect();
        let found: Vec<_> = found.into_iter().map(|(column, ..)| column).collect();
        check(table, &found)?;
        if !has_key {
            return Err(not_unique(table));
        }
        Ok(statements(table, declared))
    }

    async fn read<R: ProjectedRow>(
        connection: &mut SqliteConnection,
        statements: &RowStatements,
        keys: Vec<Value>,
    ) -> Result<Vec<R>, RowError> {
        let table = &statements.table;
        let found = read(statements, as_list(table, keys)?).fetch_all(connection);
        let found = found.await.map_err(|error| table.failed(error))?;
        found.iter().map(|found| row(statements, found)).collect()
    }

    async fn write(
        connection: &mut SqliteConnection,
        statements: &RowStatements,
        changes: RowChanges,
    ) -> Result<u64, RowError> {
        let table = &statements.table;
        let mut written = 0;
        let failed = |error| table.failed(error);
        if !changes.deleted.is_empty() {
            let delete = delete(statements, as_list(table, changes.deleted)?);
            delete.execute(&mut *connection).await.map_err(failed)?;
        }
        for content in changes.written {
            let write = write(statements, cells_of(statements, content)?);
            let done = write.execute(&mut *connection).await.map_err(failed)?;
            written += done.rows_affected();
        }
        Ok(written)
    }

    async fn read_keys(
        connection: &mut SqliteConnection,
        statements: &RowKeyStatements,
        name: &str,
        logs: &[LogId],
    ) -> Result<Vec<(LogId, String)>, RowError> {
        let found = row_keys::read(statements, name, logs).fetch_all(connection);
        let found = found.await.map_err(keys_failed)?;
        let keys = |row: &SqliteRow| {
            let log_id = Uuid::from_slice(row.try_get("log_id")?);
            let log_id = log_id.map_err(|problem| sqlx::Error::Decode(problem.into()))?;
            Ok((LogId::from(log_id), row.try_get("keys")?))
        };
        let found: Result<_, _> = found.iter().map(keys).collect();
        found.map_err(keys_failed)
    }

    async fn write_keys(
        connection: &mut SqliteConnection,
        statements: &RowKeyStatements,
        name: &str,
        keys: Vec<(LogId, String)>,
    ) -> Result<(), RowError> {
        let written = row_keys::write(statements, name, keys).execute(connection);
        written.await.map_err(keys_failed)?;
        Ok(())
    }
}

/// Returns the columns of a table in their order, with what their declared types say.
fn declared(on: &RowStatements) -> impl Iterator<Item = (&String, Declared)> {
    let declared = on.declared.iter().map(|written| Declared::of(written));
    on.table.columns.iter().zip(declared)
}

/// Returns the cells of a row, in the order of the columns.
fn cells_of(on: &RowStatements, mut content: Map<String, Value>) -> Result<Vec<Cell>, RowError> {
    let cell = |(name, declared): (&String, Declared)| {
        let value = content.remove(name).unwrap_or_default();
        Cell::of(value, declared).map_err(|number| RowError::Unwritable {
            row: on.table.row,
            reason: format!(
                "`{name}` is {number}, and the integers of SQLite end with {}; let serde write a text",
                i64::MAX
            ),
        })
    };
    declared(on).map(cell).collect()
}

/// Reads a row.
fn row<R: ProjectedRow>(on: &RowStatements, row: &SqliteRow) -> Result<R, RowError> {
    let columns = declared(on).enumerate();
    let cells: Result<Vec<_>, BoxDynError> = columns
        .map(|(place, (name, declared))| Ok((name.clone(), cell(row, place)?, declared)))
        .collect();
    let content = cells.and_then(|cells| Ok(cells::read(cells.into_iter())?));
    content.map_err(|error| RowError::Unreadable {
        table: on.table.name,
        row: on.table.row,
        source: error.into(),
    })
}

/// Returns a value of a row.
fn cell(row: &SqliteRow, place: usize) -> Result<Cell, BoxDynError> {
    let value = row.try_get_raw(place)?;
    if value.is_null() {
        return Ok(Cell::Null);
    }
    let kind = value.type_info().name().to_owned();
    Ok(match &*kind {
        "INTEGER" => Cell::Integer(<i64 as Decode<'_, Driver>>::decode(value)?),
        "REAL" => Cell::Real(<f64 as Decode<'_, Driver>>::decode(value)?),
        "TEXT" => Cell::Text(<String as Decode<'_, Driver>>::decode(value)?),
        _ => return Err("a column has a blob, which no field can be read from".into()),
    })
}

/// Returns a column from a row of `row_table.sql`, its declared type, and whether it is a key.
fn column(row: &SqliteRow) -> Result<(Column, String, bool), sqlx::Error> {
    let column = Column {
        name: row.try_get("name")?,
        is_generated: row.try_get("is_generated")?,
        is_required: row.try_get("is_required")?,
    };
    Ok((column, row.try_get("type")?, row.try_get("is_key")?))
}

/// Returns keys as a list in JSON.
fn as_list(table: &RowTable, keys: Vec<Value>) -> Result<String, RowError> {
    let is_single = |key: &&Value| !(key.is_string() || key.is_number() || key.is_boolean());
    if let Some(key) = keys.iter().find(is_single) {
        return Err(table.no_key(key));
    }
    Ok(Value::Array(keys).to_string())
}
