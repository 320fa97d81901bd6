//! The rows of projections.

use crate::projection::database::Sqlite;
use crate::projection::row::{ProjectedRow, RowError};
use crate::projection::table::{RowChanges, RowDatabase, RowTable};
use crate::stores::database::row_table::{Column, check, not_unique};
use crate::stores::sqlite::cells::{Cell, Declared, read};
use crate::stores::sqlite::statements::rows::{RowTexts, columns};
use serde_json::{Map, Value};
use sqlx::error::BoxDynError;
use sqlx::sqlite::{Sqlite as Driver, SqliteConnection, SqliteRow};
use sqlx::{Decode, Row, TypeInfo, ValueRef};

/// A table, and the statements on it.
#[derive(Debug, Clone)]
pub struct RowStatements {
    table: RowTable,
    /// The declared types of the columns, in their order.
    declared: Vec<Declared>,
    texts: RowTexts,
}

impl RowDatabase for Sqlite {
    type Statements = RowStatements;

    // Appends wait for the end of the transaction, so it must be able to end in the middle of a page.
    const EVENTS: usize = 128;

    async fn statements(
        connection: &mut SqliteConnection,
        table: &RowTable,
    ) -> Result<RowStatements, RowError> {
        let found = columns(table).fetch_all(connection).await;
        let found: Result<Vec<_>, _> = found.and_then(|found| found.iter().map(column).collect());
        let found = found.map_err(|error| table.failed(error))?;
        let is_key = found
            .iter()
            .any(|(column, _, is_key)| *is_key && column.name == table.key);
        let declared = |name: &String| {
            let mut columns = found.iter();
            let column = columns.find(|(column, ..)| column.name == *name);
            column.map_or(Declared::Other, |(_, declared, _)| *declared)
        };
        let declared = table.columns.iter().map(declared).collect();
        let found: Vec<_> = found.into_iter().map(|(column, ..)| column).collect();
        check(table, &found)?;
        if !is_key {
            return Err(not_unique(table));
        }
        Ok(RowStatements {
            table: table.clone(),
            declared,
            texts: RowTexts::new(table),
        })
    }

    async fn read<R: ProjectedRow>(
        connection: &mut SqliteConnection,
        statements: &RowStatements,
        keys: Vec<Value>,
    ) -> Result<Vec<R>, RowError> {
        let RowStatements { table, texts, .. } = statements;
        let keys = as_list(table, keys)?;
        let found = texts.read(keys).fetch_all(connection).await;
        let found = found.map_err(|error| table.failed(error))?;
        found.iter().map(|row| statements.row(row)).collect()
    }

    async fn write(
        connection: &mut SqliteConnection,
        statements: &RowStatements,
        changes: RowChanges,
    ) -> Result<(), RowError> {
        let RowStatements { table, texts, .. } = statements;
        let failed = |error| table.failed(error);
        if !changes.deleted.is_empty() {
            let delete = texts.delete(as_list(table, changes.deleted)?);
            delete.execute(&mut *connection).await.map_err(failed)?;
        }
        for content in changes.written {
            let write = texts.write(statements.cells(content)?);
            write.execute(&mut *connection).await.map_err(failed)?;
        }
        Ok(())
    }
}

impl RowStatements {
    /// Returns the cells of a row, in the order of the columns.
    fn cells(&self, mut content: Map<String, Value>) -> Result<Vec<Cell>, RowError> {
        let columns = self.table.columns.iter().zip(&self.declared);
        let cell = |(name, declared): (&String, &Declared)| {
            let value = content.remove(name).unwrap_or_default();
            let text = value.to_string();
            Cell::of(value, *declared).ok_or_else(|| RowError::Unwritable {
                row: self.table.row,
                reason: format!(
                    "`{name}` is {text}, and the integers of SQLite end with {}; let serde write a text",
                    i64::MAX
                ),
            })
        };
        columns.map(cell).collect()
    }

    /// Reads a row.
    fn row<R: ProjectedRow>(&self, row: &SqliteRow) -> Result<R, RowError> {
        let columns = self.table.columns.iter().zip(&self.declared).enumerate();
        let cells: Result<Vec<_>, BoxDynError> = columns
            .map(|(place, (name, declared))| Ok((name.clone(), cell(row, place)?, *declared)))
            .collect();
        let content = cells.and_then(|cells| Ok(read(cells.into_iter())?));
        content.map_err(|source| RowError::Unreadable {
            table: self.table.name,
            row: self.table.row,
            source,
        })
    }
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

/// Returns a column from a row of `row_table.sql`, and whether it is a key.
fn column(row: &SqliteRow) -> Result<(Column, Declared, bool), sqlx::Error> {
    let column = Column {
        name: row.try_get("name")?,
        is_generated: row.try_get("is_generated")?,
        is_required: row.try_get("is_required")?,
    };
    let declared = Declared::of(row.try_get("type")?);
    Ok((column, declared, row.try_get("is_key")?))
}

/// Returns keys as a list in JSON.
fn as_list(table: &RowTable, keys: Vec<Value>) -> Result<String, RowError> {
    let is_single = |key: &&Value| !(key.is_string() || key.is_number() || key.is_boolean());
    if let Some(key) = keys.iter().find(is_single) {
        return Err(table.no_key(key));
    }
    Ok(Value::Array(keys).to_string())
}
