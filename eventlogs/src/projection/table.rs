//! The table of rows, and what a database does with it.

use crate::codec::exact::exact_in_json;
use crate::ids::LogId;
use crate::projection::database::Database;
use crate::projection::row::ProjectedRow;
use crate::projection::row_error::RowError;
use serde_json::{Map, Value};
use std::sync::Arc;

/// The table of the rows of a projection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowTable {
    /// The name of the table.
    pub(crate) name: &'static str,
    /// The type of the rows, for messages.
    pub(crate) row: &'static str,
    /// The column with the key.
    pub(crate) key: &'static str,
    /// The column with the index of the last event.
    pub(crate) through: Option<&'static str>,
    /// The columns that the rows have, in the order of their names.
    pub(crate) columns: Vec<String>,
    /// The projection whose schema the table is looked for in; `None` if the search path of the connection decides.
    pub(crate) home: Option<&'static str>,
}

/// A table, and the statements on it.
///
/// The type is the same for all databases, which keeps the types of the futures of row projections small.
#[derive(Debug, Clone)]
#[cfg_attr(
    not(feature = "sqlite"),
    allow(
        dead_code,
        reason = "only databases use them, and only SQLite uses all"
    )
)]
pub struct RowStatements {
    /// The table.
    pub(crate) table: RowTable,
    /// The declared types of its columns, if the database needs them.
    #[cfg(feature = "sqlite")]
    pub(crate) declared: Vec<String>,
    /// Reads the rows with some keys.
    pub(crate) read: Arc<str>,
    /// Writes rows.
    pub(crate) write: Arc<str>,
    /// Deletes the rows with some keys.
    pub(crate) delete: Arc<str>,
    /// Whether the connection keeps the statements.
    #[cfg(feature = "_database")]
    #[cfg_attr(
        not(feature = "postgres"),
        allow(dead_code, reason = "connections to SQLite always do")
    )]
    pub(crate) persistent: bool,
}

/// The statements on the keys of rows that are remembered for the later events of their logs.
#[derive(Debug, Clone)]
#[cfg_attr(
    not(feature = "_database"),
    allow(dead_code, reason = "only databases use them")
)]
pub struct RowKeyStatements {
    /// Reads the keys of some logs.
    pub(crate) read: Arc<str>,
    /// Remembers the keys of some logs.
    pub(crate) write: Arc<str>,
}

/// What a page changes in a table.
#[derive(Debug, Default)]
pub struct RowChanges {
    /// The new content of rows.
    pub(crate) written: Vec<Map<String, Value>>,
    /// The keys of the rows to delete.
    pub(crate) deleted: Vec<Value>,
}

/// A database with tables of rows: [`Postgres`](crate::projection::Postgres) and [`Sqlite`](crate::projection::Sqlite).
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no tables of rows",
    note = "write `database = postgres` or `database = sqlite`, and enable the feature of the same name"
)]
pub trait RowDatabase: Database {
    /// How many events are applied between reading and writing their rows, at most.
    const EVENTS: usize;

    /// Looks at the table, and makes its statements.
    ///
    /// # Errors
    /// - [`RowError::Table`] if the table cannot hold the rows.
    /// - [`RowError::Database`] if the database failed.
    fn statements(
        connection: &mut Self::Connection,
        table: &RowTable,
    ) -> impl Future<Output = Result<RowStatements, RowError>> + Send;

    /// Reads the rows with these keys; those that exist.
    ///
    /// # Errors
    /// - [`RowError::Unreadable`] if a row does not fit its type.
    /// - [`RowError::Database`] if the database failed.
    fn read<R: ProjectedRow>(
        connection: &mut Self::Connection,
        statements: &RowStatements,
        keys: Vec<Value>,
    ) -> impl Future<Output = Result<Vec<R>, RowError>> + Send;

    /// Writes and deletes rows, and returns how many were written: a row stays as it is if it has later events than the one to
    /// be written.
    ///
    /// # Errors
    /// - [`RowError::Unwritable`] if a column cannot have a value.
    /// - [`RowError::Database`] if the database failed.
    fn write(
        connection: &mut Self::Connection,
        statements: &RowStatements,
        changes: RowChanges,
    ) -> impl Future<Output = Result<u64, RowError>> + Send;

    /// Reads the keys that a subscription remembers for these logs, each as a list in JSON.
    ///
    /// # Errors
    /// - [`RowError::Database`] if the database failed.
    fn read_keys(
        connection: &mut Self::Connection,
        statements: &RowKeyStatements,
        name: &str,
        logs: &[LogId],
    ) -> impl Future<Output = Result<Vec<(LogId, String)>, RowError>> + Send;

    /// Remembers keys for logs, each as a list in JSON.
    ///
    /// # Errors
    /// - [`RowError::Database`] if the database failed.
    fn write_keys(
        connection: &mut Self::Connection,
        statements: &RowKeyStatements,
        name: &str,
        keys: Vec<(LogId, String)>,
    ) -> impl Future<Output = Result<(), RowError>> + Send;
}

impl RowTable {
    /// Returns the table of these rows.
    ///
    /// # Errors
    /// - [`RowError::Unwritable`] if serde does not write the row as a struct with the key.
    pub fn of<R: ProjectedRow>() -> Result<Self, RowError> {
        let row = row_name::<R>();
        let columns: Vec<String> = fields(&R::default())?
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        for required in [Some(R::KEY), R::THROUGH].into_iter().flatten() {
            if !columns.iter().any(|column| column == required) {
                return Err(RowError::Unwritable {
                    row,
                    reason: format!(
                        "serde writes no field `{required}`; remove serde's attributes from that field, except `rename`"
                    ),
                });
            }
        }
        Ok(Self {
            name: R::TABLE,
            row,
            key: R::KEY,
            through: R::THROUGH,
            columns,
            home: None,
        })
    }

    /// Makes the error for a table that cannot hold the rows.
    #[cfg(feature = "_database")]
    pub(crate) fn refused(&self, reason: String) -> RowError {
        RowError::Table {
            table: self.name,
            row: self.row,
            reason,
        }
    }

    /// Makes the error of a statement.
    #[cfg(feature = "_database")]
    pub(crate) fn failed(&self, source: sqlx::Error) -> RowError {
        RowError::Database {
            table: self.name,
            source: source.into(),
        }
    }

    /// Makes the error for a key that is not a single value.
    #[cfg(feature = "_database")]
    pub(crate) fn no_key(&self, key: &Value) -> RowError {
        RowError::Unwritable {
            row: self.row,
            reason: format!("its key is `{key}`; a key must be a text, a number or a truth value"),
        }
    }

    /// Returns the content of a row, after a check that it has exactly the columns of the table.
    pub(crate) fn content<R: ProjectedRow>(&self, row: &R) -> Result<Map<String, Value>, RowError> {
        let fields = fields(row)?;
        let strange = fields.keys().find(|name| !self.columns.contains(name));
        let missing = self.columns.iter().find(|name| !fields.contains_key(*name));
        let Some(name) = strange.or(missing) else {
            return Ok(fields);
        };
        Err(RowError::Unwritable {
            row: self.row,
            reason: format!(
                "serde writes the field `{name}` only sometimes; a row must always have the same fields"
            ),
        })
    }
}

/// Returns the name of a type without its path.
pub(crate) fn row_name<R>() -> &'static str {
    let name = std::any::type_name::<R>();
    name.rsplit("::").next().unwrap_or(name)
}

/// Returns the fields of a row as serde writes them.
fn fields<R: ProjectedRow>(row: &R) -> Result<Map<String, Value>, RowError> {
    let reason = match serde_json::to_value(exact_in_json(row)) {
        Ok(Value::Object(fields)) => return Ok(fields),
        Ok(_) => "serde does not write it as a struct; remove serde's attributes from the type, except `rename_all`".to_owned(),
        Err(error) => error.to_string(),
    };
    Err(RowError::Unwritable {
        row: row_name::<R>(),
        reason,
    })
}
