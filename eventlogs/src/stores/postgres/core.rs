//! The state that the handles on a store and its writer share.

use crate::stores::database::log_types::LogTypes;
use crate::stores::database::schema_version::SchemaVersion;
use crate::stores::error::store::StoreError;
use crate::stores::postgres::columns::PageColumns;
use crate::stores::postgres::failure::Failure;
use crate::stores::postgres::migrate;
use crate::stores::postgres::migrations::ELSEWHERE;
use crate::stores::postgres::options::PostgresOptions;
use crate::stores::postgres::pool::ConnectionPool;
use crate::stores::postgres::retry::Operation;
use crate::stores::postgres::statements::Statements;
use std::sync::{Arc, OnceLock};
use tokio::time::Instant;

/// The state that the clones of a store and its writer share.
pub(super) struct Core {
    /// The connections for all operations except batches.
    pub(super) readers: Arc<ConnectionPool>,
    /// The connections of the writer, so that it never waits for readers; with a user's pool, the same pool as `readers`.
    pub(super) writers: Arc<ConnectionPool>,
    /// The statements for the schema.
    pub(super) statements: Statements,
    /// The schema version of the database, and whether this code can use it.
    pub(super) schema: SchemaVersion,
    /// The event enums that the store is used with.
    pub(super) log_types: LogTypes,
    /// The columns of a page, looked up by name with the first page.
    pub(super) page_columns: OnceLock<PageColumns>,
    /// The options of the user.
    pub(super) options: PostgresOptions,
}

impl Core {
    /// Returns an error if this code does not know the tables.
    pub(super) async fn check_schema(&self) -> Result<(), StoreError> {
        if self.schema.is_current() {
            return Ok(());
        }
        let operation = self.reading().for_any_server();
        let found = migrate::find(&operation, &self.options.schema).await?;
        let found = found.usable_version();
        match self.schema.found(found) {
            Err(_) if found == ELSEWHERE => Err(Failure::Elsewhere.into()),
            checked => checked,
        }
    }

    /// Begins an operation over the connections for all operations.
    pub(super) fn reading(&self) -> Operation<'_> {
        let options = &self.options;
        Operation::new(&self.readers, options.deadline(), options.patience())
    }

    /// Begins an operation with a long statement: a second attempt during the first one would only wait for its locks.
    pub(super) fn tidying(&self) -> Operation<'_> {
        let options = &self.options;
        let silence = options.patience().max(options.timeout / 2);
        Operation::new(&self.readers, options.deadline(), silence)
    }

    /// Begins the write of a batch until this deadline, over the connections of the writer.
    pub(super) fn writing(&self, deadline: Instant) -> Operation<'_> {
        Operation::new(&self.writers, deadline, self.options.patience())
    }
}
