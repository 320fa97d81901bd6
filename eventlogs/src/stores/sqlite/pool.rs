//! The connections of a store: one that writes, and some that read. All of them are opened again when their files were
//! replaced.

pub(super) mod generation;
pub(super) mod writer_connection;

use crate::stores::error::open::OpenError;
use crate::stores::error::store::StoreError;
use crate::stores::sqlite::connection;
use crate::stores::sqlite::error;
use crate::stores::sqlite::file::{DatabaseFile, Marks};
use crate::stores::sqlite::opener;
use crate::stores::sqlite::opener::{Opened, Opener};
use crate::stores::sqlite::options::SqliteOptions;
use crate::stores::sqlite::path;
use crate::stores::sqlite::statements::files::CHECKPOINT;
use crate::stores::sqlite::statements::text::Statement;
use crate::stores::sqlite::telemetry::{ConnectionMetrics, ReaderInUse};
use crate::sync::{read, write};
use generation::Generation;
use sqlx::Sqlite;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::SqliteRow;
use std::io;
use std::path::Path;
use std::sync::{Arc, RwLock};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::timeout;
use writer_connection::{WriterConnection, WriterGuard};

/// How many attempts to read or write are made on new connections before giving up.
pub(super) const ATTEMPTS: u32 = 3;
/// How long to wait for reads in progress before opening the connections again fails.
const CLOSING: Duration = Duration::from_secs(5);

/// The connections of one store.
pub(super) struct ConnectionPool {
    /// Opens the connections; `None` if the database is in memory.
    opener: Option<Opener>,
    /// The connection that writes, locked by its user, in the order of arrival. No other connection of this process writes, so
    /// a write never waits for another one inside SQLite.
    writer: Arc<Mutex<WriterConnection>>,
    /// The connections that are in use.
    current: RwLock<Arc<Generation>>,
    /// The metrics.
    metrics: ConnectionMetrics,
}

/// A reading connection in use.
pub(super) struct ReaderGuard<'a> {
    pub(super) connection: PoolConnection<Sqlite>,
    pub(super) generation: Arc<Generation>,
    pool: &'a ConnectionPool,
    /// Counts it.
    _in_use: ReaderInUse<'a>,
}

impl ConnectionPool {
    /// Opens a file for a store that writes, and creates the file if there is none.
    pub(super) async fn open(path: &Path, options: &SqliteOptions) -> Result<Self, OpenError> {
        let opener = Opener::to_write(path::resolve(path)?, options);
        let mut made = opener.open(true).await?;
        let writer = made.writer.take();
        let writer = writer.map_or(WriterConnection::Lost, WriterConnection::Idle);
        let readers = options.readers;
        Ok(Self::new(Some(opener), writer, generation(made), readers))
    }

    /// Opens a file for a store that only reads.
    pub(super) async fn open_read_only(
        path: &Path,
        options: &SqliteOptions,
    ) -> Result<Self, OpenError> {
        let opener = Opener::to_read(path::resolve(path)?, options);
        let made = opener.open(false).await?;
        let writer = WriterConnection::ReadOnly;
        let readers = options.readers;
        Ok(Self::new(Some(opener), writer, generation(made), readers))
    }

    /// Creates a database in memory.
    pub(super) async fn in_memory(options: &SqliteOptions) -> Result<Self, StoreError> {
        let generation = Generation::in_memory(opener::in_memory(options).await?);
        let writer = WriterConnection::InMemory;
        Ok(Self::new(None, writer, generation, 1))
    }

    fn new(
        opener: Option<Opener>,
        writer: WriterConnection,
        generation: Generation,
        readers: u32,
    ) -> Self {
        Self {
            opener,
            writer: Arc::new(Mutex::new(writer)),
            current: RwLock::new(Arc::new(generation)),
            metrics: ConnectionMetrics::new(readers),
        }
    }

    /// The opener of connections; `None` if the database is in memory.
    pub(super) const fn opener(&self) -> Option<&Opener> {
        self.opener.as_ref()
    }

    /// The path of the database; `None` if it is in memory.
    fn path(&self) -> Option<&Path> {
        let opener = self.opener.as_ref()?;
        Some(&opener.path)
    }

    fn generation(&self) -> Arc<Generation> {
        Arc::clone(&read(&self.current))
    }

    /// Waits for the writing connection, which has the files open that are at the path now.
    pub(super) async fn writer(&self) -> Result<WriterGuard, StoreError> {
        let metrics = &self.metrics.writer;
        let mut writer = if let Ok(free) = Arc::clone(&self.writer).try_lock_owned() {
            free
        } else {
            let _waiting = metrics.waiting.count(1);
            Arc::clone(&self.writer).lock_owned().await
        };
        match *writer {
            WriterConnection::Idle(_) if self.generation().compare().is_ok() => {}
            WriterConnection::Idle(_) | WriterConnection::Lost => self.renew(&mut writer).await?,
            WriterConnection::ReadOnly => {
                return Err(StoreError::ReadOnly {
                    path: self.path().map(Path::to_owned),
                    advice: error::READ_ONLY,
                    source: "the store was opened with `SqliteEventStore::open_read_only`".into(),
                });
            }
            WriterConnection::InMemory => {
                drop(writer);
                return WriterGuard::in_memory(self.generation(), metrics).await;
            }
            WriterConnection::Closed => return Err(StoreError::Closed),
        }
        let connection = writer.take().ok_or(StoreError::Closed)?;
        let generation = self.generation();
        let counted = metrics.taken();
        Ok(WriterGuard::for_file(
            connection, writer, generation, counted,
        ))
    }

    /// Waits for a reading connection. What was read is valid only if the guard [`still_holds`](ReaderGuard::still_holds) after
    /// that.
    pub(super) async fn reader(&self) -> Result<ReaderGuard<'_>, StoreError> {
        let mut attempts = 0;
        loop {
            let generation = self.generation();
            if let Some(connection) = generation.readers.try_acquire() {
                return Ok(self.reader_guard(connection, generation));
            }
            // A new connection must not open another file: SQLite would apply the log at the path to it, though the log belongs
            // to the old file.
            if !self.still_holds(&generation, &mut attempts).await? {
                continue;
            }
            let waiting = self.metrics.readers.waiting.count(1);
            let acquired = generation.readers.acquire().await;
            drop(waiting);
            let error = match acquired {
                Ok(connection) => return Ok(self.reader_guard(connection, generation)),
                Err(error) => error,
            };
            if attempts >= ATTEMPTS {
                return Err(self.opening_failed(error));
            }
            attempts += 1;
            if matches!(error, sqlx::Error::PoolClosed) {
                self.recover(&generation).await?;
            } else if self.still_holds(&generation, &mut attempts).await? {
                return Err(self.opening_failed(error));
            }
        }
    }

    fn reader_guard(
        &self,
        connection: PoolConnection<Sqlite>,
        generation: Arc<Generation>,
    ) -> ReaderGuard<'_> {
        ReaderGuard {
            connection,
            _in_use: self.metrics.taken(&generation.readers),
            generation,
            pool: self,
        }
    }

    /// Runs a statement that reads, and returns its rows.
    pub(super) async fn rows<'q>(
        &self,
        statement: impl Fn() -> Statement<'q> + Send + Sync,
    ) -> Result<Vec<SqliteRow>, StoreError> {
        let mut attempts = 0;
        loop {
            let mut reader = self.reader().await?;
            let rows = connection::rows(&mut reader.connection, statement()).await;
            if reader.still_holds(&mut attempts).await? {
                return rows;
            }
        }
    }

    fn opening_failed(&self, error: sqlx::Error) -> StoreError {
        match self.path() {
            Some(path) => error::into_reopening_error(error::into_open_error(path, error)),
            None => error::into_store_error(error),
        }
    }

    /// Returns `true` if the connections of this generation have the files open that are at the path. Otherwise all connections
    /// were opened again.
    pub(super) async fn still_holds(
        &self,
        generation: &Arc<Generation>,
        attempts: &mut u32,
    ) -> Result<bool, StoreError> {
        let Err(moved) = generation.compare() else {
            return Ok(true);
        };
        *attempts += 1;
        if moved.is_database || *attempts >= ATTEMPTS {
            return Err(generation.replaced(moved));
        }
        self.recover(generation).await?;
        Ok(false)
    }

    /// Opens all connections again, unless another task has done so since.
    async fn recover(&self, seen: &Arc<Generation>) -> Result<(), StoreError> {
        let mut writer = self.writer.lock().await;
        if matches!(*writer, WriterConnection::Closed) {
            return Err(StoreError::Closed);
        }
        if Arc::ptr_eq(&self.generation(), seen) {
            self.renew(&mut writer).await?;
        }
        Ok(())
    }

    /// Opens the missing connections, or all of them if their files were replaced. Afterwards the writing connection is
    /// present, if the store writes. If the future is dropped half-way, the next call that needs a connection finishes the
    /// work.
    async fn renew(&self, writer: &mut WriterConnection) -> Result<(), StoreError> {
        let old = self.generation();
        let (Some(opener), Some((file, marks))) = (&self.opener, old.opened()) else {
            return Err(StoreError::Closed);
        };
        match file.compare(marks) {
            // Nothing is closed: the file may come back.
            Err(moved) if moved.is_database => return Err(file.moved(moved)),
            Ok(()) if !old.readers.is_closed() => {
                if matches!(writer, WriterConnection::Lost)
                    && let Some(connection) =
                        opener.writer().await.map_err(error::into_reopening_error)?
                {
                    *writer = WriterConnection::Idle(connection);
                }
                // The connection that was lost may have been the last one, and may have removed the log.
                if file.compare(marks).is_ok() {
                    return Ok(());
                }
            }
            _ => {}
        }
        tracing::warn!(
            path = %file.path.display(),
            "the write-ahead log is not the one that was opened; opening the file again"
        );
        if let WriterConnection::Idle(connection) = writer
            && !file.has_new_log()
        {
            // This saves what was committed after the other program last read the log, unless another program has written
            // since. If the checkpoint fails, this connection can do no more.
            let _ = connection::execute(connection, CHECKPOINT).await;
        }
        if timeout(CLOSING, old.readers.close()).await.is_err() {
            return Err(file.replaced(io::Error::other(
                "another program has removed the write-ahead log, and reads in progress keep it open; try again when they have ended",
            )));
        }
        if let Some(connection) = writer.take() {
            connection::close(connection).await;
        }
        let mut made = open_anew(opener, file, marks).await?;
        if let Some(connection) = made.writer.take() {
            *writer = WriterConnection::Idle(connection);
        }
        *write(&self.current) = Arc::new(generation(made));
        Ok(())
    }

    /// Waits for the last write and the last reads, and closes all connections.
    pub(super) async fn close(&self) {
        let mut writer = self.writer.lock().await;
        let last = writer.take();
        *writer = WriterConnection::Closed;
        drop(writer);
        self.generation().readers.close().await;
        if let Some(connection) = last {
            connection::close(connection).await;
        }
    }
}

/// Opens a file again after its connections were closed.
async fn open_anew(
    opener: &Opener,
    file: &DatabaseFile,
    marks: &Marks,
) -> Result<Opened, StoreError> {
    file.let_go(marks).await?;
    match opener.open(false).await {
        Ok(made) if made.marks.same_database(marks) => Ok(made),
        Ok(_) => Err(file.replaced(io::Error::other("there is another file at the path"))),
        // If it is another file, that is the error to return.
        Err(error) => Err(match file.compare(marks) {
            Err(moved) if moved.is_database => file.moved(moved),
            _ => error::into_reopening_error(error),
        }),
    }
}

fn generation(made: Opened) -> Generation {
    Generation::for_file(made.readers, made.file, made.marks)
}

impl ReaderGuard<'_> {
    /// Returns `true` if what was read came from the files that are at the path. Otherwise all connections were opened again,
    /// and the caller must read again. After a few attempts it is an error.
    pub(super) async fn still_holds(self, attempts: &mut u32) -> Result<bool, StoreError> {
        // The connection goes back first: it may have to be closed.
        drop(self.connection);
        self.pool.still_holds(&self.generation, attempts).await
    }
}
