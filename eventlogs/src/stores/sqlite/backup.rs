//! Copies of a database that is in use.

pub(crate) mod error;
mod half;

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
use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// How often the progress is told.
const TELL: Duration = Duration::from_millis(50);
/// After how many of its own steps SQLite asks whether it shall go on.
const STEPS: i32 = 1_000;

/// How far a copy is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct BackupProgress {
    /// The bytes written so far.
    pub bytes: u64,
    /// How many it will be. An estimate until the copy is done: it leaves out what is empty in the database.
    pub total_bytes: u64,
}

impl SqliteEventStore {
    /// Writes a copy into a new file while the store is in use. It has all events that were acknowledged before the call, and
    /// perhaps some that came during it. Others read and write meanwhile; the write-ahead log grows until the copy is done.
    /// A store in memory can be copied, too, but its readers and writers wait.
    ///
    /// The copy is on the disk when this returns, and has the name only then. It begins a new epoch, and is a database to be
    /// opened like any other. To restore it, end all programs that use the old file, remove that together with its `-wal`
    /// and its `-shm`, and put the copy in its place.
    ///
    /// A dropped future ends the copy, and leaves no file.
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
    /// - [`FileExists`](BackupError::FileExists) if there is a file of that name, or a log that belongs to that name.
    /// - [`CannotWrite`](BackupError::CannotWrite) if the copy cannot be written, for want of a folder, a right or room.
    /// - [`Store`](BackupError::Store) with [`NotMigrated`](StoreError::NotMigrated),
    ///   [`FileReplaced`](StoreError::FileReplaced), [`Busy`](StoreError::Busy), [`Corrupt`](StoreError::Corrupt) or
    ///   [`Closed`](StoreError::Closed).
    pub async fn backup(&self, path: impl AsRef<Path>) -> Result<(), BackupError> {
        self.backup_with(path, |_| ()).await
    }

    /// The same, and tells how far it is: at the beginning, some times a second, and at the end.
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
            // Made anew where the log is not the one that is open: a copy is made of what others see.
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

/// Where a copy is to be.
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

    fn failed(&self, source: impl Into<Box<dyn Error + Send + Sync>>) -> BackupError {
        BackupError::CannotWrite {
            path: self.0.clone(),
            source: source.into(),
        }
    }

    /// Writes the copy under another name.
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
        // In a task of its own, which is not dropped in the middle: it leaves the connection as it was.
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

    /// What went wrong: with the database, or else with the copy.
    fn copying_failed(&self, error: sqlx::Error) -> BackupError {
        match sqlite_error::into_store_error(error) {
            StoreError::StorageFull { source }
            | StoreError::Database { source }
            | StoreError::ReadOnly { source, .. } => self.failed(source),
            error => error.into(),
        }
    }

    /// Has the copy on the disk, and gives it its name.
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

/// Copies what a transaction sees into an empty file.
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

/// Positions and transaction numbers of the copy are not those that the original gives out from now on.
async fn begin_epoch(path: &Path) -> Result<(), sqlx::Error> {
    let copy = SqliteConnectOptions::new()
        .filename(path)
        // Nobody else sees the file yet, and it goes to the disk as a whole.
        .journal_mode(SqliteJournalMode::Memory)
        .synchronous(SqliteSynchronous::Off)
        .disable_statement_logging();
    let mut copy = copy.connect().await?;
    connection::execute(&mut copy, BEGIN_EPOCH).await?;
    copy.close().await
}
