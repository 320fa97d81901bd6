//! How connections are made.

use crate::stores::error::open::OpenError;
use crate::stores::error::store::StoreError;
use crate::stores::sqlite::error;
use crate::stores::sqlite::file;
use crate::stores::sqlite::file::{DatabaseFile, Marks};
use crate::stores::sqlite::options::SqliteOptions;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use sqlx::{ConnectOptions, Executor};
use std::path::PathBuf;
use std::time::Duration;

/// The size of a database page in every file that we create, in bytes; SQLite's default.
const PAGE_SIZE: u32 = 4096;
/// The greatest number of a page that SQLite knows.
const LAST_PAGE: u64 = 0xffff_fffe;
/// How many rows SQLite's thread may be ahead of the writer: all that a statement of its returns.
const ROWS_AHEAD: usize = 512;
/// The greatest number of readers: each is a thread and some open files.
const MOST_READERS: u32 = 256;
/// The longest time that SQLite can wait, in milliseconds: more than three weeks.
const LONGEST_WAIT: Duration = Duration::from_millis(i32::MAX as u64);
/// Reads something: only then does SQLite open the log, and lock the database.
const FIRST_READ: &str = "select count(*) from sqlite_schema";

/// How the connections of a file are made.
pub(super) struct Opener {
    /// The file, from the root on.
    pub(super) path: PathBuf,
    /// The connection that writes; none if the store only reads.
    writer: Option<SqliteConnectOptions>,
    /// The connections that read.
    reader: SqliteConnectOptions,
    /// How many of them.
    readers: u32,
}

/// Connections that were made together.
pub(super) struct Opened {
    /// The one that writes, if there is one.
    pub(super) writer: Option<SqliteConnection>,
    /// Those that read.
    pub(super) readers: SqlitePool,
    /// The files that they have open.
    pub(super) file: DatabaseFile,
    /// What these were when they were opened.
    pub(super) marks: Marks,
}

impl Opener {
    pub(super) fn to_write(path: PathBuf, options: &SqliteOptions) -> Self {
        let file = common(options).filename(&path);
        let writer = limited(file.clone(), options)
            .journal_mode(SqliteJournalMode::Wal)
            // With NORMAL, a power cut loses the transactions since the last checkpoint, acknowledged or not.
            .synchronous(SqliteSynchronous::Full);
        Self {
            path,
            writer: Some(writer),
            reader: file.pragma("query_only", "on"),
            readers: options.readers,
        }
    }

    pub(super) fn to_read(path: PathBuf, options: &SqliteOptions) -> Self {
        let reader = common(options).filename(&path).read_only(true);
        Self {
            path,
            writer: None,
            reader,
            readers: options.readers,
        }
    }

    /// Makes the connections; where there is no file, one is created only if that is asked for.
    pub(super) async fn open(&self, create: bool) -> Result<Opened, OpenError> {
        let before = DatabaseFile::find(self.path.clone()).and_then(|file| file.marks(false));
        if self.writer.is_some() {
            file::refuse_several_names(&self.path)?;
        }
        let writer = match &self.writer {
            Some(options) => Some(
                self.connect(&options.clone().create_if_missing(create))
                    .await?,
            ),
            None => None,
        };
        let (readers, frozen) = match &writer {
            Some(_) => (
                pool(self.readers).connect_lazy_with(self.reader.clone()),
                false,
            ),
            None => self.open_readers().await?,
        };
        let cannot_open = |error: std::io::Error| OpenError::CannotOpen {
            path: self.path.clone(),
            advice: "",
            source: error.into(),
        };
        let file = DatabaseFile::find(self.path.clone()).map_err(cannot_open)?;
        let marks = file.marks(frozen).map_err(cannot_open)?;
        if before.is_ok_and(|before| !before.same_database(&marks)) {
            let replaced =
                std::io::Error::other("another file came to the path while it was opened");
            return Err(file.replaced(replaced).into());
        }
        Ok(Opened {
            writer,
            readers,
            file,
            marks,
        })
    }

    /// A new connection that writes, for one that was lost.
    pub(super) async fn writer(&self) -> Result<Option<SqliteConnection>, OpenError> {
        match &self.writer {
            Some(options) => self.connect(options).await.map(Some),
            None => Ok(None),
        }
    }

    /// A connection that only reads what is in the file already, but may write a copy of it.
    pub(super) async fn copier(&self, frozen: bool) -> Result<SqliteConnection, OpenError> {
        let options = self.reader.clone().pragma("query_only", "off");
        self.connect(&options.immutable(frozen)).await
    }

    /// The connections of a store that only reads, and whether they take the file for one that does not change.
    async fn open_readers(&self) -> Result<(SqlitePool, bool), OpenError> {
        let readers = pool(self.readers).connect_lazy_with(self.reader.clone());
        let failed = match first_read(&readers).await {
            Ok(()) => return Ok((readers, false)),
            Err(error) => error,
        };
        // To read a log, SQLite needs its index, which it cannot make in a folder that it may not write to. Where there
        // is no log, and nobody who may write the folder is at work, the file can be read without.
        let file = DatabaseFile::find(self.path.clone());
        let is_archive = error::is_for_want_of_a_log(&failed)
            && file.is_ok_and(|file| file.has_no_log())
            && !file::can_write(file::folder(&self.path));
        if !is_archive {
            return Err(error::of_opening(&self.path, failed));
        }
        let readers = pool(self.readers).connect_lazy_with(self.reader.clone().immutable(true));
        match first_read(&readers).await {
            Ok(()) => Ok((readers, true)),
            Err(error) => Err(error::of_opening(&self.path, error)),
        }
    }

    async fn connect(&self, options: &SqliteConnectOptions) -> Result<SqliteConnection, OpenError> {
        let connect = async {
            let mut connection = options.connect().await?;
            connection.execute(FIRST_READ).await?;
            Ok(connection)
        };
        let connected: Result<_, sqlx::Error> = connect.await;
        connected.map_err(|error| error::of_opening(&self.path, error))
    }
}

/// The only connection of a database in memory.
pub(super) async fn in_memory(options: &SqliteOptions) -> Result<SqlitePool, StoreError> {
    let memory = limited(common(options).filename(":memory:"), options);
    pool(1)
        .after_release(|connection, _| Box::pin(super::transaction::leave(connection)))
        .connect_with(memory)
        .await
        .map_err(error::of)
}

async fn first_read(readers: &SqlitePool) -> Result<(), sqlx::Error> {
    readers.execute(FIRST_READ).await.map(|_| ())
}

fn common(options: &SqliteOptions) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .page_size(PAGE_SIZE)
        .busy_timeout(options.busy_timeout.min(LONGEST_WAIT))
        // A line for each statement at `debug` would bury what the manager's spans say.
        .disable_statement_logging()
}

fn limited(connection: SqliteConnectOptions, options: &SqliteOptions) -> SqliteConnectOptions {
    let connection = connection
        .row_buffer_size(ROWS_AHEAD)
        // A statement of many rows keeps the pages that it changes until it is through; in a temporary file by default,
        // which is made and removed each time.
        .pragma("temp_store", "memory");
    match options.max_bytes {
        Some(bytes) => {
            let pages = (bytes / u64::from(PAGE_SIZE)).clamp(1, LAST_PAGE);
            connection.pragma("max_page_count", pages.to_string())
        }
        None => connection,
    }
}

fn pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections.clamp(1, MOST_READERS))
        // A file cannot hang up: the test before each use would only cost time. And a connection in memory must not be
        // replaced by a new one, it is the database.
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None)
}
