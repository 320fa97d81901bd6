//! What the handles on a store and its writer share.

use crate::stores::database::log_types::LogTypes;
use crate::stores::database::schema_version::SchemaVersion;
use crate::stores::error::store::StoreError;
use crate::stores::sqlite::migrate;
use crate::stores::sqlite::options::SqliteOptions;
use crate::stores::sqlite::pool::ConnectionPool;

/// What the clones of a store and its writer share.
pub(super) struct Core {
    /// The connections.
    pub(super) pool: ConnectionPool,
    /// Which schema version the file has, and whether this code can work with it.
    pub(super) schema: SchemaVersion,
    /// The event enums that the store is used with.
    pub(super) log_types: LogTypes,
    /// What the user chose.
    pub(super) options: SqliteOptions,
}

impl Core {
    /// Refuses to work with tables that this code does not know.
    pub(super) async fn check_schema(&self) -> Result<(), StoreError> {
        if self.schema.is_current() {
            return Ok(());
        }
        self.schema.found(migrate::find(&self.pool).await?)
    }
}
