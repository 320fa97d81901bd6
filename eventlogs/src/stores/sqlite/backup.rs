//! Copies of a database that is in use.

pub(crate) mod error;
mod half;

use crate::shared_error::SharedError;
use crate::stores::error::store::StoreError;
use crate::stores::sqlite::SqliteEventStore;
use crate::stores::sqlite::connection;
use crate::stores::sqlite::connection::HeldConnection;
use crate::stores::sqlite::error as sqlite_error;
use crate::stores::sqlite::path;
use crate::stores::sqlite::pool::generation::Generation;
use crate::stores::sqlite::statements::files;
use crate::stores::sqlite::statements::files::{BEGIN_EPOCH, DATABASE_SIZE};
use error::BackupError;
use half::{Half, Interrupt};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Row};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// How often the progress is reported.
const TELL: Duration = Duration::from_millis(50);
/// After how many of its instructions SQLite asks whether to continue.
const STEPS: i32 = 1_000;

/// The progress of a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct BackupProgress {
    /// The number of bytes written so far.
    pub bytes: u64,
    /// The number of bytes that the copy will have. This is an estimate until the copy is done: it leaves out the empty pages
    /// of the database.
    pub total_bytes: u64,
}

impl SqliteEventStore {
    /// Writes a copy into a new file while the store is in use. The copy has all events that were acknowledged before the call,
    /// and perhaps some that were written during it. Other calls read and write meanwhile; the write-ahead log grows until the
    /// copy is done. A store in memory can be copied, too, but its readers and writers wait.
    ///
    /// The copy gets its name only after it is completely on the disk. It begins a new epoch: the order of its later events is
    /// independent of the original. It is a database that can be opened like any other. To restore it, end all programs that
    /// use the old file, remove that file together with its `-wal` and its `-shm`, and move the copy to its path.
    ///
    /// If the future is dropped, the copy ends and leaves no file.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let (path, copy) = (folder.path().join("payments.db"), folder.path().join("copy.db"));
    /// use eventlogs::SqliteEventStore;
    ///
    /// let store = SqliteEventStore::open(path).await?;
    /// store.backup(&copy).await?;
    /// let copied = SqliteEventStore::open_read_only(&copy).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// - [`FileExists`](BackupError::FileExists) if a file of that name exists, or a write-ahead log for that name.
    /// - [`CannotWrite`](BackupError::CannotWrite) if the copy cannot be written, because the folder is missing, this process
    ///   lacks the privilege, or the disk is full.
    /// - [`Store`](BackupError::Store) with [`NotMigrated`](StoreError::NotMigrated) if the tables are missing or too old.
    /// - [`Store`](BackupError::Store) with [`FileReplaced`](StoreError::FileReplaced) if the file at the path is not the file
    ///   that was opened.
    /// - [`Store`](BackupError::Store) with [`Busy`](StoreError::Busy) if another program keeps the file locked.
    /// - [`Store`](BackupError::Store) with [`Corrupt`](StoreError::Corrupt) if the file is damaged.
    /// - [`Store`](BackupError::Store) with [`Closed`](StoreError::Closed) if the store is closed.
    pub async fn backup(&self, path: impl AsRef<Path>) -> Result<(), BackupError> {
        self.backup_with(path, |_| ()).await
    }

    /// Writes a copy as [`backup`](SqliteEventStore::backup) does, and reports its progress: at the beginning, several times
    /// per second, and at the end.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let copy = folder.path().join("copy.db");
    /// use eventlogs::SqliteEventStore;
    ///
    /// let store = SqliteEventStore::in_memory().await?;
    /// store
    ///     .backup_with(copy, |progress| println!("{} of {}", progress.bytes, progress.total_bytes))
    ///     .await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Those of [`backup`](SqliteEventStore::backup).
    pub async fn backup_with(
        &self,
        path: impl AsRef<Path>,
        mut progress: impl FnMut(BackupProgress),
    ) -> Result<(), BackupError> {
        self.core.check_schema().await?;
        let target = Target::new(path.as_ref())?;
        let pool = &self.core.pool;
        let mut attempts = 0;
        loop {
            // The connections are opened again if the log at the path is not the one that is open: the copy is of what other
            // programs see.
            let reader = pool.reader().await?;
            let generation = Arc::clone(&reader.generation);
            let connection = match pool.opener() {
                Some(opener) => HeldConnection::Own(
                    opener
                        .copier(generation.is_frozen())
                        .await
                        .map_err(sqlite_error::into_reopening_error)?,
                ),
                None => HeldConnection::Pooled(reader.connection),
            };
            let half = target.copy(connection, &generation, &mut progress).await?;
            if !pool.still_holds(&generation, &mut attempts).await? {
                continue;
            }
            let bytes = half.bytes();
            target.finish(half).await?;
            progress(BackupProgress {
                bytes,
                total_bytes: bytes,
            });
            return Ok(());
        }
    }
}

/// The path of a copy.
struct Target(PathBuf);

impl Target {
    fn new(path: &Path) -> Result<Self, BackupError> {
        let absolute = path::absolute(path).map_err(|source| BackupError::CannotWrite {
            path: path.to_owned(),
            source,
        })?;
        half::refuse_existing(&absolute)?;
        Ok(Self(absolute))
    }

    fn failed(&self, source: impl Into<SharedError>) -> BackupError {
        BackupError::CannotWrite {
            path: self.0.clone(),
            source: source.into(),
        }
    }

    /// Writes the copy under a temporary name.
    async fn copy(
        &self,
        mut connection: HeldConnection,
        generation: &Generation,
        progress: &mut impl FnMut(BackupProgress),
    ) -> Result<Arc<Half>, BackupError> {
        let total_bytes = size(&mut connection)
            .await
            .map_err(sqlite_error::into_store_error)?;
        let half = Half::create(&self.0, generation.permissions());
        let half = Arc::new(half.map_err(|error| self.failed(error))?);
        // In its own task, which is not dropped half-way: it leaves the connection as it was.
        let mut copying = tokio::spawn(vacuum(connection, Arc::clone(&half)));
        let _interrupt = Interrupt(Arc::clone(&half));
        let copied = loop {
            progress(BackupProgress {
                bytes: half.bytes().min(total_bytes),
                total_bytes,
            });
            if let Ok(copied) = timeout(TELL, &mut copying).await {
                break copied;
            }
        };
        match copied {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(self.copying_failed(error)),
            Err(error) => return Err(self.failed(error)),
        }
        let begun = begin_epoch(half.path()).await;
        begun.map_err(|error| self.failed(error))?;
        Ok(half)
    }

    /// Converts an error of the copying into one about the copy or one about the database.
    fn copying_failed(&self, error: sqlx::Error) -> BackupError {
        match sqlite_error::into_store_error(error) {
            StoreError::StorageFull { source }
            | StoreError::Database { source }
            | StoreError::ReadOnly { source, .. } => self.failed(source),
            error => error.into(),
        }
    }

    /// Flushes the copy to the disk, and gives it its name.
    async fn finish(&self, half: Arc<Half>) -> Result<(), BackupError> {
        let target = self.0.clone();
        let finished = tokio::task::spawn_blocking(move || half.finish(&target)).await;
        finished.map_err(|error| self.failed(error))?
    }
}

async fn size(connection: &mut SqliteConnection) -> Result<u64, sqlx::Error> {
    let row = sqlx::query(DATABASE_SIZE).fetch_one(connection).await?;
    Ok(row.try_get::<i64, _>("bytes")?.unsigned_abs())
}

/// Copies the database, as one transaction sees it, into an empty file.
async fn vacuum(mut connection: HeldConnection, half: Arc<Half>) -> Result<(), sqlx::Error> {
    let name = half.path().to_string_lossy().into_owned();
    let shared = Arc::clone(&half);
    let go_on = move || !shared.is_interrupted();
    connection
        .lock_handle()
        .await?
        .set_progress_handler(STEPS, go_on);
    let copied = files::copy(name).execute(&mut *connection).await;
    connection.lock_handle().await?.remove_progress_handler();
    connection.close().await;
    copied.map(|_| ())
}

/// Begins a new epoch in the copy: its positions and transaction numbers are not those that the original gives out from now on.
async fn begin_epoch(path: &Path) -> Result<(), sqlx::Error> {
    let copy = SqliteConnectOptions::new()
        .filename(path)
        // No other program sees the file yet, and `finish` flushes it to the disk as a whole.
        .journal_mode(SqliteJournalMode::Memory)
        .synchronous(SqliteSynchronous::Off)
        .disable_statement_logging();
    let mut copy = copy.connect().await?;
    connection::execute(&mut copy, BEGIN_EPOCH).await?;
    copy.close().await
}
