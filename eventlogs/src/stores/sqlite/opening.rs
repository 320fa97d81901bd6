//! How a store is opened.

use crate::stores::database::log_types::LogTypes;
use crate::stores::database::queue::WriteQueue;
use crate::stores::database::schema_version::SchemaVersion;
use crate::stores::error::open::OpenError;
use crate::stores::sqlite::SqliteEventStore;
use crate::stores::sqlite::core::Core;
use crate::stores::sqlite::options::SqliteOptions;
use crate::stores::sqlite::pool::ConnectionPool;
use crate::stores::sqlite::{migrate, writer};
use std::path::Path;
use std::sync::Arc;

impl SqliteEventStore {
    /// Opens a file, creating it where there is none. A new or empty file is migrated at once; one that has tables
    /// already wants a call of [`migrate`](SqliteEventStore::migrate).
    ///
    /// A relative path is that of the folder in which the process is now; where it goes later changes nothing. A path that
    /// begins with `file:` or `sqlite:`, an empty one and `:memory:` are refused.
    ///
    /// It starts a background task on the current runtime, which must outlive the store's users.
    ///
    /// # Errors
    /// - [`InvalidPath`](OpenError::InvalidPath), [`CannotOpen`](OpenError::CannotOpen) and
    ///   [`NotADatabase`](OpenError::NotADatabase).
    /// - [`Store`](OpenError::Store) with [`NewerSchema`](crate::stores::StoreError::NewerSchema),
    ///   [`UnrelatedTable`](crate::stores::StoreError::UnrelatedTable), [`ReadOnly`](crate::stores::StoreError::ReadOnly),
    ///   [`StorageFull`](crate::stores::StoreError::StorageFull) or [`Busy`](crate::stores::StoreError::Busy).
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        Self::open_with(path, SqliteOptions::default()).await
    }

    /// The same with other options.
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

    /// Opens a file to read it only: every write gets [`ReadOnly`](crate::stores::StoreError::ReadOnly). The file is neither created nor
    /// migrated.
    ///
    /// Others may write to the file meanwhile. Like every program that reads it, this one may make `-wal` and `-shm` beside it.
    /// Where it may not write to the folder and there are none of these (an archive, whose last program closed it), it reads
    /// the file without them; should somebody write to the file after all, the reads that notice are repeated.
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
    /// - [`InvalidPath`](OpenError::InvalidPath), [`CannotOpen`](OpenError::CannotOpen) and
    ///   [`NotADatabase`](OpenError::NotADatabase).
    /// - [`Store`](OpenError::Store) with [`NewerSchema`](crate::stores::StoreError::NewerSchema) or [`Busy`](crate::stores::StoreError::Busy).
    ///
    /// Tables that are missing or too old are [`NotMigrated`](crate::stores::StoreError::NotMigrated) when they are read.
    pub async fn open_read_only(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        Self::open_read_only_with(path, SqliteOptions::default()).await
    }

    /// The same with other options.
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

    /// A database in this process's memory that ends with its last handle: SQLite itself, for tests.
    ///
    /// # Errors
    /// When SQLite cannot start, for want of memory or threads.
    pub async fn in_memory() -> Result<Self, OpenError> {
        Self::in_memory_with(SqliteOptions::default()).await
    }

    /// The same with other options.
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
        let (queue, jobs) = WriteQueue::new(&options.limits);
        let core = Arc::new(Core {
            pool,
            schema,
            log_types: LogTypes::default(),
            options,
        });
        writer::start(jobs, Arc::clone(&core));
        Self {
            writer: Arc::new(queue),
            core,
        }
    }
}
