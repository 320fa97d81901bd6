//! Why rows were not read or not written.

use crate::shared_error::SharedError;

/// The name of the table with remembered keys, for messages.
pub(crate) const ROW_KEYS: &str = "row_keys";

/// Makes the error of a statement on remembered keys.
#[cfg(feature = "_database")]
pub(crate) fn keys_failed(source: sqlx::Error) -> RowError {
    RowError::Database {
        table: ROW_KEYS,
        source: source.into(),
    }
}

/// Rows were not read or not written.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum RowError {
    /// The table cannot hold the rows.
    #[error("the table `{table}` cannot hold the rows of `{row}`: {reason}")]
    Table {
        /// The table.
        table: &'static str,
        /// The type of the rows.
        row: &'static str,
        /// Why, and what to do.
        reason: String,
    },
    /// A row cannot be written to the table.
    #[error("a row of `{row}` cannot be written: {reason}")]
    Unwritable {
        /// The type of the row.
        row: &'static str,
        /// Why, and what to do.
        reason: String,
    },
    /// A row of the table cannot be read.
    #[error(
        "a row of the table `{table}` cannot be read as `{row}`: {}; the columns must have types that fit the fields",
        source.cause()
    )]
    Unreadable {
        /// The table.
        table: &'static str,
        /// The type of the row.
        row: &'static str,
        /// The error of serde.
        source: SharedError,
    },
    /// The database has refused a statement, or is not available.
    #[error(
        "the statement on the rows of `{table}` has failed: {}; check the table, and that the database is available",
        source.cause()
    )]
    Database {
        /// The table.
        table: &'static str,
        /// The error of the driver.
        source: SharedError,
    },
}
