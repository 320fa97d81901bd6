//! The state that the handles on a store share with its writer.

use crate::feed::commits::CommitSignal;
use crate::stores::database::log_types::LogTypes;
use crate::stores::database::schema_version::SchemaVersion;
use crate::stores::database::telemetry::StoreMetrics;
use crate::stores::error::store::StoreError;
use crate::stores::sqlite::migrate;
use crate::stores::sqlite::options::SqliteOptions;
use crate::stores::sqlite::pool::ConnectionPool;
use crate::stores::store_id::StoreId;
use std::sync::Arc;

/// The state that the clones of a store share with its writer.
pub(super) struct Core {
    /// The identity of the store.
    pub(super) id: StoreId,
    /// The connections.
    pub(super) pool: ConnectionPool,
    /// The schema version of the file, compared with the version that this code needs.
    pub(super) schema: SchemaVersion,
    /// The event enums that the store is used with.
    pub(super) log_types: LogTypes,
    /// Tells readers of the feed that something was committed.
    pub(super) commits: CommitSignal,
    /// The options that the user chose.
    pub(super) options: SqliteOptions,
    /// The metrics.
    pub(super) metrics: Arc<StoreMetrics>,
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
