//! The embedded store: one SQLite file, no server.

pub(crate) mod backup;
mod batch;
mod connection;
mod decide;
mod error;
mod file;
mod keys;
mod migrate;
mod opener;
mod opening;
mod options;
mod path;
mod read;
mod refusal;
mod statements;
mod transaction;
mod values;
mod writer;
mod writing;

pub use backup::BackupProgress;
pub use backup::error::BackupError;
pub use options::SqliteOptions;

use super::EventStore;
use crate::event::Event;
use crate::log_state::LogPosition;
use crate::stores::appends::AppendManyRequest;
use crate::stores::database::log_types::LogTypes;
use crate::stores::database::queue::WriteQueue;
use crate::stores::database::schema_version::SchemaVersion;
use crate::stores::encoding::event_enum::EventEnum;
use crate::stores::error::store::StoreError;
use crate::stores::error::{AppendError, ReadError};
use crate::stores::idempotency::{IdempotencyKey, Replay};
use crate::stores::page::{Page, ReadRequest};
use crate::stores::request::{AppendRequest, Appended};
use connection::Connections;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

#[doc = include_str!("sqlite/file.md")]
#[derive(Clone)]
pub struct SqliteEventStore {
    /// Shared by all clones.
    core: Arc<Core>,
}

/// What the clones of a store share.
struct Core {
    /// The connections.
    connections: Arc<Connections>,
    /// The queue in front of the one writing connection.
    writer: WriteQueue,
    /// Which schema the file has, and whether this code can work with it.
    schema: SchemaVersion,
    /// The event enums that the store is used with.
    log_types: LogTypes,
    /// What the user chose.
    options: SqliteOptions,
}

impl Core {
    async fn check_schema(&self) -> Result<(), StoreError> {
        if self.schema.is_current() {
            return Ok(());
        }
        self.schema.found(migrate::find(&self.connections).await?)
    }
}

impl SqliteEventStore {
    /// Brings the tables to the version that this code needs. Several processes may call it at once; each step happens
    /// once, as a whole or not at all.
    ///
    /// A dropped future leaves each step done or not begun.
    ///
    /// # Errors
    /// [`NewerSchema`](StoreError::NewerSchema), [`UnrelatedTable`](StoreError::UnrelatedTable),
    /// [`FileReplaced`](StoreError::FileReplaced), [`ReadOnly`](StoreError::ReadOnly) and
    /// [`Busy`](StoreError::Busy), as they say themselves.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        let core = &*self.core;
        core.schema
            .found(migrate::migrate(&core.connections).await?)
    }

    /// Finishes the writes under way and closes the file. Other handles on this store get
    /// [`Closed`](StoreError::Closed) from then on.
    ///
    /// Ending a process without it is safe, too: it only leaves the write-ahead log beside the file, for the next one to
    /// take up.
    pub async fn close(&self) {
        self.core.writer.close().await;
        self.core.connections.close().await;
    }
}

impl<E: Event> EventStore<E> for SqliteEventStore {
    async fn append(&self, request: AppendRequest<'_, E>) -> Result<Appended<E>, AppendError> {
        let core = &*self.core;
        core.check_schema().await?;
        core.log_types.check(EventEnum::of::<E>())?;
        let options = &core.options;
        core.writer
            .append(&request, &options.limits, options.timeout)
            .await
    }

    async fn append_many(
        &self,
        request: AppendManyRequest<'_>,
    ) -> Result<Vec<LogPosition>, AppendError> {
        let core = &*self.core;
        core.check_schema().await?;
        core.log_types.check_all(&request)?;
        let options = &core.options;
        core.writer
            .append_many(&request, &options.limits, options.timeout)
            .await
    }

    async fn read(&self, request: ReadRequest) -> Result<Page<E>, ReadError> {
        self.core.check_schema().await?;
        self.core.log_types.check(EventEnum::of::<E>())?;
        read::page(&self.core.connections, request).await
    }

    async fn find_key(&self, key: IdempotencyKey<'_>) -> Result<Vec<Replay>, StoreError> {
        self.core.check_schema().await?;
        keys::find(&self.core.connections, key).await
    }

    async fn prune_idempotency_keys(&self, older_than: Duration) -> Result<u64, StoreError> {
        // The method of the type itself, not this one.
        Self::prune_idempotency_keys(self, older_than).await
    }
}

impl fmt::Debug for SqliteEventStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SqliteEventStore")
            .field("options", &self.core.options)
            .finish_non_exhaustive()
    }
}
