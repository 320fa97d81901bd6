//! The embedded store: one SQLite file, no server.

mod append;
pub(crate) mod backup;
mod columns;
mod connection;
mod core;
mod decide;
mod error;
mod file;
mod migrate;
mod migrations;
mod opener;
mod opening;
mod options;
mod path;
mod pool;
mod prune;
mod read;
mod refusal;
mod statements;
mod transaction;
mod values;
mod writer;

pub use backup::BackupProgress;
pub use backup::error::BackupError;
pub use options::SqliteOptions;

use super::EventStore;
use crate::event::Event;
use crate::log_state::LogPosition;
use crate::stores::appends::AppendAcrossRequest;
use crate::stores::database::queue::WriteQueue;
use crate::stores::encoding::event_enum::EventEnum;
use crate::stores::error::store::StoreError;
use crate::stores::error::{AppendError, ReadError};
use crate::stores::idempotency::{IdempotencyKey, Replay};
use crate::stores::page::{Page, ReadRequest};
use crate::stores::request::{AppendRequest, Appended};
use crate::stores::sqlite::core::Core;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

#[doc = include_str!("sqlite/file.md")]
#[derive(Clone)]
pub struct SqliteEventStore {
    /// The queue in front of the writer, which ends with the last clone.
    writer: Arc<WriteQueue>,
    /// Shared with the writer.
    core: Arc<Core>,
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
        core.schema.found(migrate::migrate(&core.pool).await?)
    }

    /// Finishes the writes under way and closes the file. Other handles on this store get
    /// [`Closed`](StoreError::Closed) from then on.
    ///
    /// Ending a process without it is safe, too: it only leaves the write-ahead log beside the file, for the next one to
    /// take up.
    pub async fn close(&self) {
        self.writer.close().await;
        self.core.pool.close().await;
    }
}

impl<E: Event> EventStore<E> for SqliteEventStore {
    async fn append(&self, request: AppendRequest<'_, E>) -> Result<Appended<E>, AppendError> {
        let core = &*self.core;
        core.check_schema().await?;
        core.log_types.check(EventEnum::new::<E>())?;
        let options = &core.options;
        self.writer
            .append(&request, &options.limits, options.timeout)
            .await
    }

    async fn append_across(
        &self,
        request: AppendAcrossRequest<'_>,
    ) -> Result<Vec<LogPosition>, AppendError> {
        let core = &*self.core;
        core.check_schema().await?;
        core.log_types.check_all(&request)?;
        let options = &core.options;
        self.writer
            .append_across(&request, &options.limits, options.timeout)
            .await
    }

    async fn read(&self, request: ReadRequest) -> Result<Page<E>, ReadError> {
        let core = &*self.core;
        core.check_schema().await?;
        core.log_types.check(EventEnum::new::<E>())?;
        read::page(&core.pool, request).await
    }

    async fn find_key(&self, key: IdempotencyKey<'_>) -> Result<Vec<Replay>, StoreError> {
        let core = &*self.core;
        core.check_schema().await?;
        read::find_key(&core.pool, key).await
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
