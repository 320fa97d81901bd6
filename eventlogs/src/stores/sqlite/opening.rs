//! Opens stores.

use crate::feed::commits::CommitSignal;
use crate::stores::database::log_types::LogTypes;
use crate::stores::database::queue::WriteQueue;
use crate::stores::database::schema_version::SchemaVersion;
use crate::stores::database::telemetry::StoreMetrics;
use crate::stores::error::open::OpenError;
use crate::stores::sqlite::SqliteEventStore;
use crate::stores::sqlite::core::Core;
use crate::stores::sqlite::options::SqliteOptions;
use crate::stores::sqlite::pool::ConnectionPool;
use crate::stores::sqlite::telemetry::STORE;
use crate::stores::sqlite::{migrate, writer};
use crate::stores::store_id::StoreId;
use std::path::Path;
use std::sync::Arc;

impl SqliteEventStore {
    /// Opens a file, and creates it if there is none. A new or empty file is migrated at once. If the file already has tables,
    /// call [`migrate`](SqliteEventStore::migrate) before using it.
    ///
    /// A relative path is resolved once, against the current folder of the process; a later change of that folder has no
    /// effect. A path that begins with `file:` or `sqlite:`, an empty path and `:memory:` are refused.
    ///
    /// It starts a background task on the current runtime. The runtime must outlive the users of the store.
    ///
    /// # Errors
    /// - [`InvalidPath`](OpenError::InvalidPath) if the path is one of those that are refused, or a folder.
    /// - [`CannotOpen`](OpenError::CannotOpen) if the file cannot be opened or created, or has several names (hard links).
    /// - [`NotADatabase`](OpenError::NotADatabase) if the file is something other than a SQLite database.
    /// - [`Store`](OpenError::Store) with [`NewerSchema`](crate::stores::StoreError::NewerSchema) if a newer version of this
    ///   crate has migrated the file.
    /// - [`Store`](OpenError::Store) with [`UnrelatedTable`](crate::stores::StoreError::UnrelatedTable) if the file is another
    ///   program's: it has a table with the name of one of ours.
    /// - [`Store`](OpenError::Store) with [`ReadOnly`](crate::stores::StoreError::ReadOnly) if this process may not write to
    ///   the file or its folder.
    /// - [`Store`](OpenError::Store) with [`StorageFull`](crate::stores::StoreError::StorageFull) if there is no room for the
    ///   tables.
    /// - [`Store`](OpenError::Store) with [`Busy`](crate::stores::StoreError::Busy) if another program keeps the file locked
    ///   for longer than [`busy_timeout`](SqliteOptions::busy_timeout).
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        Self::open_with(path, SqliteOptions::default()).await
    }

    /// Opens a file as [`open`](SqliteEventStore::open) does, with these options.
    ///
    /// # Errors
    /// Those of [`open`](SqliteEventStore::open).
    pub async fn open_with(
        path: impl AsRef<Path>,
        options: SqliteOptions,
    ) -> Result<Self, OpenError> {
        let pool = ConnectionPool::open(path.as_ref(), &options).await?;
        Self::start_to_write(pool, options).await
    }

    /// Opens a file for reading only: every write gets [`ReadOnly`](crate::stores::StoreError::ReadOnly). The file is neither
    /// created nor migrated.
    ///
    /// Other programs may write to the file meanwhile. Like every program that reads the file, this one may create `-wal` and
    /// `-shm` next to it. If it may not write to the folder, and neither of the two exists (an archive, closed by its last
    /// program), it reads the file without them. If a program writes to the file nevertheless, the reads that notice it are
    /// repeated.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("payments.db");
    /// # eventlogs::SqliteEventStore::open(&path).await?.close().await;
    /// use eventlogs::SqliteEventStore;
    ///
    /// let archive = SqliteEventStore::open_read_only(path).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// - [`InvalidPath`](OpenError::InvalidPath) if the path is one of those that [`open`](SqliteEventStore::open) refuses, or a
    ///   folder.
    /// - [`CannotOpen`](OpenError::CannotOpen) if there is no file, or it cannot be opened.
    /// - [`NotADatabase`](OpenError::NotADatabase) if the file is something other than a SQLite database.
    /// - [`Store`](OpenError::Store) with [`NewerSchema`](crate::stores::StoreError::NewerSchema) if a newer version of this
    ///   crate has migrated the file.
    /// - [`Store`](OpenError::Store) with [`Busy`](crate::stores::StoreError::Busy) if another program keeps the file locked
    ///   for longer than [`busy_timeout`](SqliteOptions::busy_timeout).
    ///
    /// If tables are missing or too old, reads get [`NotMigrated`](crate::stores::StoreError::NotMigrated).
    pub async fn open_read_only(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        Self::open_read_only_with(path, SqliteOptions::default()).await
    }

    /// Opens a file for reading only as [`open_read_only`](SqliteEventStore::open_read_only) does, with these options.
    ///
    /// # Errors
    /// Those of [`open_read_only`](SqliteEventStore::open_read_only).
    pub async fn open_read_only_with(
        path: impl AsRef<Path>,
        options: SqliteOptions,
    ) -> Result<Self, OpenError> {
        let pool = ConnectionPool::open_read_only(path.as_ref(), &options).await?;
        let schema = migrate::open_read_only(&pool).await?;
        Ok(Self::start(pool, schema, options))
    }

    /// Creates a database in the memory of this process, which ends with its last handle. It is SQLite itself, for tests.
    ///
    /// # Errors
    /// If SQLite cannot start, because memory or threads are lacking.
    pub async fn in_memory() -> Result<Self, OpenError> {
        Self::in_memory_with(SqliteOptions::default()).await
    }

    /// Creates a database in memory as [`in_memory`](SqliteEventStore::in_memory) does, with these options.
    ///
    /// # Errors
    /// Those of [`in_memory`](SqliteEventStore::in_memory).
    pub async fn in_memory_with(options: SqliteOptions) -> Result<Self, OpenError> {
        let pool = ConnectionPool::in_memory(&options).await?;
        Self::start_to_write(pool, options).await
    }

    async fn start_to_write(
        pool: ConnectionPool,
        options: SqliteOptions,
    ) -> Result<Self, OpenError> {
        let schema = migrate::open(&pool).await?;
        Ok(Self::start(pool, schema, options))
    }

    fn start(pool: ConnectionPool, schema: SchemaVersion, options: SqliteOptions) -> Self {
        let metrics = Arc::new(StoreMetrics::new(STORE));
        let (queue, jobs) = WriteQueue::new(&options.limits, Arc::clone(&metrics));
        let core = Arc::new(Core {
            id: StoreId::new(),
            pool,
            schema,
            log_types: LogTypes::default(),
            commits: CommitSignal::new(),
            options,
            metrics,
        });
        writer::start(jobs, Arc::clone(&core));
        Self {
            writer: Arc::new(queue),
            core,
        }
    }
}
