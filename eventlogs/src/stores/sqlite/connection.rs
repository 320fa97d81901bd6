//! The connections of a store: one that writes, some that read, and all of them anew where their files are others.

use crate::stores::error::open::OpenError;
use crate::stores::error::store::StoreError;
use crate::stores::sqlite::error;
use crate::stores::sqlite::file::{DatabaseFile, Marks, Moved};
use crate::stores::sqlite::opener;
use crate::stores::sqlite::opener::{Opened, Opener};
use crate::stores::sqlite::options::SqliteOptions;
use crate::stores::sqlite::transaction;
use crate::stores::sqlite::transaction::Statement;
use crate::stores::sqlite::writing::Slot;
use crate::sync::{read, write};
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{Connection, Sqlite};
use std::fs::Permissions;
use std::io;
use std::path::Path;
use std::sync::{Arc, RwLock};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::timeout;

/// How often to read or to write once more on new connections before that is given up.
pub(super) const ATTEMPTS: u32 = 3;
/// Takes what is in the log into the database.
const SAVE: &str = "pragma wal_checkpoint(passive)";
/// How long reads under way may keep their connections from being closed.
const CLOSING: Duration = Duration::from_secs(5);

/// The connections of one store.
pub(super) struct Connections {
    /// How they are made; nothing where the database is in memory.
    opener: Option<Opener>,
    /// The connection that writes, locked by whoever has the turn, first come, first served. Nobody else in this process
    /// writes, so a write never waits for another one inside SQLite.
    pub(super) place: Mutex<Slot>,
    /// Those that are in use.
    current: RwLock<Arc<Generation>>,
}

/// Connections that have the same files open.
pub(super) struct Generation {
    /// The connections that read. In memory it is the one that writes, since a second connection would see a second
    /// database.
    pub(super) readers: SqlitePool,
    /// The files; nothing where the database is in memory.
    opened: Option<(DatabaseFile, Marks)>,
}

/// A connection to read from.
pub(super) struct Reading<'a> {
    pub(super) connection: PoolConnection<Sqlite>,
    pub(super) generation: Arc<Generation>,
    connections: &'a Connections,
}

impl Connections {
    /// Opens a file for a store that writes, creating it where there is none.
    pub(super) async fn open(path: &Path, options: &SqliteOptions) -> Result<Self, OpenError> {
        let opener = Opener::to_write(super::path::of_database(path)?, options);
        let mut made = opener.open(true).await?;
        let slot = made.writer.take().map_or(Slot::Empty, Slot::Taken);
        Ok(Self::new(Some(opener), slot, made.into()))
    }

    /// Opens a file for a store that only reads.
    pub(super) async fn open_read_only(
        path: &Path,
        options: &SqliteOptions,
    ) -> Result<Self, OpenError> {
        let opener = Opener::to_read(super::path::of_database(path)?, options);
        let made = opener.open(false).await?;
        Ok(Self::new(Some(opener), Slot::ReadOnly, made.into()))
    }

    pub(super) async fn in_memory(options: &SqliteOptions) -> Result<Self, StoreError> {
        let readers = opener::in_memory(options).await?;
        let generation = Generation {
            readers,
            opened: None,
        };
        Ok(Self::new(None, Slot::Memory, generation))
    }

    fn new(opener: Option<Opener>, slot: Slot, generation: Generation) -> Self {
        Self {
            opener,
            place: Mutex::new(slot),
            current: RwLock::new(Arc::new(generation)),
        }
    }

    /// The connections that are in use.
    pub(super) fn generation(&self) -> Arc<Generation> {
        Arc::clone(&read(&self.current))
    }

    /// How connections are made; nothing where the database is in memory.
    pub(super) const fn opener(&self) -> Option<&Opener> {
        self.opener.as_ref()
    }

    /// A connection to read from. What was read counts once it [`still_holds`](Reading::still_holds).
    pub(super) async fn reading(&self) -> Result<Reading<'_>, StoreError> {
        let mut attempts = 0;
        loop {
            let generation = self.generation();
            if let Some(connection) = generation.readers.try_acquire() {
                return Ok(self.reading_from(connection, generation));
            }
            // A new one must not meet another file: SQLite would take the log that stands beside it for the log of that.
            if !self.still_holds(&generation, &mut attempts).await? {
                continue;
            }
            let error = match generation.readers.acquire().await {
                Ok(connection) => return Ok(self.reading_from(connection, generation)),
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

    const fn reading_from(
        &self,
        connection: PoolConnection<Sqlite>,
        generation: Arc<Generation>,
    ) -> Reading<'_> {
        Reading {
            connection,
            generation,
            connections: self,
        }
    }

    /// The rows of a statement that reads.
    pub(super) async fn rows<'q>(
        &self,
        statement: impl Fn() -> Statement<'q> + Send + Sync,
    ) -> Result<Vec<SqliteRow>, StoreError> {
        let mut attempts = 0;
        loop {
            let mut reading = self.reading().await?;
            let rows = transaction::rows(&mut reading.connection, statement()).await;
            if reading.still_holds(&mut attempts).await? {
                return rows;
            }
        }
    }

    fn opening_failed(&self, error: sqlx::Error) -> StoreError {
        match &self.opener {
            Some(opener) => error::of_reopening(error::of_opening(&opener.path, error)),
            None => error::of(error),
        }
    }

    /// Whether some connections have the files open that stand at the path. If not, all of them were made anew.
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

    /// Makes all connections anew, unless somebody else has done so since.
    async fn recover(&self, seen: &Arc<Generation>) -> Result<(), StoreError> {
        let mut place = self.place.lock().await;
        if matches!(*place, Slot::Closed) {
            return Err(StoreError::Closed);
        }
        if Arc::ptr_eq(&self.generation(), seen) {
            self.renew(&mut place).await?;
        }
        Ok(())
    }

    /// Makes the connections anew that are missing, or all of them if their files are others. The place holds a connection
    /// afterwards, if the store writes. Dropped in the middle, it is taken up by the next one who needs a connection.
    pub(super) async fn renew(&self, place: &mut Slot) -> Result<(), StoreError> {
        let old = self.generation();
        let (Some(opener), Some((file, marks))) = (&self.opener, &old.opened) else {
            return Err(StoreError::Closed);
        };
        match file.compare(marks) {
            // Nothing is closed: the file may come back.
            Err(moved) if moved.is_database => return Err(file.moved(moved)),
            Ok(()) if !old.readers.is_closed() => {
                if matches!(place, Slot::Empty) {
                    let writer = opener.writer().await.map_err(error::of_reopening)?;
                    *place = writer.map_or(Slot::Empty, Slot::Taken);
                }
                // The connection that was lost may have been the last one, and removed the log.
                if file.compare(marks).is_ok() {
                    return Ok(());
                }
            }
            _ => {}
        }
        tracing::warn!(
            path = %file.path.display(),
            "the write-ahead log is not the one that was opened; opening the file anew"
        );
        if let Slot::Taken(connection) = place
            && !file.has_new_log()
        {
            // What was committed after the other program had looked for the last time is saved, if nobody else has written
            // since. If it fails, the connection can do no more.
            let _ = sqlx::raw_sql(SAVE).execute(connection).await;
        }
        if timeout(CLOSING, old.readers.close()).await.is_err() {
            return Err(file.replaced(io::Error::other(
                "another program has removed the write-ahead log, and reads under way keep it open; try again when they are done",
            )));
        }
        if let Slot::Taken(connection) = std::mem::replace(place, Slot::empty_like(place)) {
            // What it would say is that the file cannot be tidied up.
            let _ = connection.close().await;
        }
        file.let_go(marks).await?;
        let mut fresh = match opener.open(false).await {
            Ok(fresh) => fresh,
            // What it says of another file is not to the point.
            Err(error) => {
                return Err(match file.compare(marks) {
                    Err(moved) if moved.is_database => file.moved(moved),
                    _ => error::of_reopening(error),
                });
            }
        };
        if !fresh.marks.same_database(marks) {
            return Err(file.replaced(io::Error::other("another file stands at the path")));
        }
        if let Some(writer) = fresh.writer.take() {
            *place = Slot::Taken(writer);
        }
        *write(&self.current) = Arc::new(fresh.into());
        Ok(())
    }

    /// Waits for the last turn and the last reads, and closes.
    pub(super) async fn close(&self) {
        let last = std::mem::replace(&mut *self.place.lock().await, Slot::Closed);
        self.generation().readers.close().await;
        if let Slot::Taken(connection) = last {
            // What it would say is that the file cannot be tidied up; the next one to open it will do so.
            let _ = connection.close().await;
        }
    }
}

impl From<Opened> for Generation {
    fn from(opened: Opened) -> Self {
        Self {
            readers: opened.readers,
            opened: Some((opened.file, opened.marks)),
        }
    }
}

impl Generation {
    /// Compares the files with those that were opened.
    pub(super) fn compare(&self) -> Result<(), Moved> {
        match &self.opened {
            Some((file, marks)) => file.compare(marks),
            None => Ok(()),
        }
    }

    /// The error of files that are not those that were opened.
    pub(super) fn replaced(&self, moved: Moved) -> StoreError {
        match &self.opened {
            Some((file, _)) => file.moved(moved),
            None => StoreError::Closed,
        }
    }

    /// Who may read and write the database; nothing where it is in memory.
    pub(super) fn permissions(&self) -> Option<Permissions> {
        let (file, _) = self.opened.as_ref()?;
        Some(file.path.metadata().ok()?.permissions())
    }

    /// Whether the file was opened as one that does not change.
    pub(super) fn is_frozen(&self) -> bool {
        let opened = self.opened.as_ref();
        opened.is_some_and(|(_, marks)| marks.is_frozen())
    }
}

impl Reading<'_> {
    /// Whether what was read came from the files that stand at the path. If not, all connections were made anew, and it is to
    /// be read once more; not for ever.
    pub(super) async fn still_holds(self, attempts: &mut u32) -> Result<bool, StoreError> {
        // The connection goes back first: it may have to be closed.
        drop(self.connection);
        self.connections
            .still_holds(&self.generation, attempts)
            .await
    }
}
