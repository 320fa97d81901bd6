//! What the handles on a store and its writer share.

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

/// What the clones of a store and its writer share.
pub(super) struct Core {
    /// The connections for all operations but batches.
    pub(super) readers: Arc<ConnectionPool>,
    /// The connections of the writer, which then never waits for one that reads; with a user's pool, the same as `readers`.
    pub(super) writers: Arc<ConnectionPool>,
    /// The statements for the schema.
    pub(super) statements: Statements,
    /// Which schema version the database has, and whether this code can work with it.
    pub(super) schema: SchemaVersion,
    /// The event enums that the store is used with.
    pub(super) log_types: LogTypes,
    /// The columns of a page, looked up by name with the first page.
    pub(super) page_columns: OnceLock<PageColumns>,
    /// What the user chose.
    pub(super) options: PostgresOptions,
}

impl Core {
    /// Refuses to work with tables that this code does not know.
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

    /// An operation that begins now, over the connections for all.
    pub(super) fn reading(&self) -> Operation<'_> {
        let options = &self.options;
        Operation::new(&self.readers, options.deadline(), options.patience())
    }

    /// The same for a statement that takes long: a second attempt beside the first one would only wait for its locks.
    pub(super) fn tidying(&self) -> Operation<'_> {
        let options = &self.options;
        let silence = options.patience().max(options.timeout / 2);
        Operation::new(&self.readers, options.deadline(), silence)
    }

    /// A batch, to be written until then, over the writer's connections.
    pub(super) fn writing(&self, deadline: Instant) -> Operation<'_> {
        Operation::new(&self.writers, deadline, self.options.patience())
    }
}
