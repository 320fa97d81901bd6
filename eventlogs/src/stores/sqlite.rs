//! The embedded store: one SQLite file, no server.

mod append;
mod append_in;
pub(crate) mod backup;
mod catch_up_in;
mod cells;
mod checkpoints;
mod connection;
mod core;
mod decide;
mod error;
mod feed;
mod file;
mod fold;
mod list;
mod migrate;
mod migrations;
mod opener;
mod opening;
mod options;
mod parked;
mod path;
mod pool;
mod projection;
mod prune;
mod read;
mod refusal;
mod rows;
pub(crate) mod statements;
mod telemetry;
mod transaction;
pub(crate) mod user_transaction;
mod values;
mod writer;

pub use backup::BackupProgress;
pub use backup::error::BackupError;
pub use options::SqliteOptions;
pub use user_transaction::{SqliteTransaction, SqliteTransactionConnection};

use super::EventStore;
use crate::event::Event;
use crate::ids::LogId;
use crate::log_state::LogPosition;
use crate::stores::appends::AppendAcrossRequest;
use crate::stores::database::queue::WriteQueue;
use crate::stores::encoding::event_enum::EventEnum;
use crate::stores::error::store::StoreError;
use crate::stores::error::{AppendError, ReadError};
use crate::stores::fold::EventFold;
use crate::stores::idempotency::{IdempotencyKey, Replay};
use crate::stores::list::{ListRequest, LogList};
use crate::stores::page::{Page, ReadRequest};
use crate::stores::request::{AppendRequest, Appended};
use crate::stores::sqlite::core::Core;
use crate::stores::store_id::StoreId;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

#[doc = include_str!("sqlite/file.md")]
#[derive(Clone)]
pub struct SqliteEventStore {
    /// The queue of the writer task, which ends when the last clone is dropped.
    writer: Arc<WriteQueue>,
    /// The state that is shared with the writer task.
    core: Arc<Core>,
}

impl SqliteEventStore {
    /// Returns what the handles share.
    fn core(&self) -> &Core {
        &self.core
    }

    /// Returns what the handles share, for a task.
    fn shared_core(&self) -> Arc<Core> {
        Arc::clone(&self.core)
    }

    /// Migrates the tables to the version that this code needs. Several processes may call it at once; each step happens once,
    /// and as a whole or not at all.
    ///
    /// If the future is dropped, each step is either done or not begun.
    ///
    /// # Errors
    /// - [`NewerSchema`](StoreError::NewerSchema) if a newer version of this crate has migrated the file.
    /// - [`UnrelatedTable`](StoreError::UnrelatedTable) if the file is another program's: it has a table with the name of one
    ///   of ours.
    /// - [`FileReplaced`](StoreError::FileReplaced) if the file at the path is not the file that was opened.
    /// - [`ReadOnly`](StoreError::ReadOnly) if the store only reads, or this process may not write to the file or its folder.
    /// - [`Busy`](StoreError::Busy) if another program keeps the file locked for longer than
    ///   [`busy_timeout`](SqliteOptions::busy_timeout).
    pub async fn migrate(&self) -> Result<(), StoreError> {
        let core = &*self.core;
        core.schema.found(migrate::migrate(&core.pool).await?)
    }

    /// Checks that the store can read, in one round trip: the file answers, and its tables are those that this code needs. It looks
    /// for a log that does not exist, on the connections that reductions use. For the readiness check of a service.
    ///
    /// # Errors
    /// Those of a read: [`NotMigrated`](StoreError::NotMigrated), [`Closed`](StoreError::Closed), [`FileReplaced`](StoreError::FileReplaced) and the like.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let core = &*self.core;
        core.check_schema().await?;
        read::ends(&core.pool, &[LogId::new()]).await.map(|_| ())
    }

    /// Finishes the writes that are queued or in flight, and closes the file. From then on, every handle on this store gets
    /// [`Closed`](StoreError::Closed).
    ///
    /// A process may also end without calling it: the write-ahead log then stays next to the file, and the next process that
    /// opens the file uses it.
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

    async fn fold(&self, fold: &mut dyn EventFold<E>) -> Result<(), ReadError> {
        let core = &*self.core;
        core.check_schema().await?;
        core.log_types.check(EventEnum::new::<E>())?;
        fold::fold(&core.pool, fold).await
    }

    async fn ends(&self, log_ids: &[LogId]) -> Result<Vec<Option<LogPosition>>, StoreError> {
        let core = &*self.core;
        core.check_schema().await?;
        read::ends(&core.pool, log_ids).await
    }

    fn store_id(&self) -> StoreId {
        self.core.id
    }

    fn store_name(&self) -> &'static str {
        telemetry::STORE
    }

    async fn list(&self, request: ListRequest) -> Result<LogList<E>, StoreError> {
        let core = &*self.core;
        core.check_schema().await?;
        core.log_types.check(EventEnum::new::<E>())?;
        list::page(&core.pool, &request, E::LOG_TYPE).await
    }

    async fn find_key(&self, key: IdempotencyKey<'_>) -> Result<Vec<Replay>, StoreError> {
        let core = &*self.core;
        core.check_schema().await?;
        read::find_key(&core.pool, key).await
    }

    async fn prune_idempotency_keys(&self, older_than: Duration) -> Result<u64, StoreError> {
        // The inherent method, not this method of the trait.
        Self::prune_idempotency_keys(self, older_than).await
    }

    async fn migrate(&self) -> Result<(), StoreError> {
        Self::migrate(self).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        Self::ping(self).await
    }

    async fn close(&self) {
        Self::close(self).await;
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
