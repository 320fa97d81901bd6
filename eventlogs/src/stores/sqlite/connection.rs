//! The settings of a connection, and how a statement runs on it.

use crate::stores::database::nesting;
use crate::stores::error::store::StoreError;
use crate::stores::sqlite::error;
use crate::stores::sqlite::options::SqliteOptions;
use crate::stores::sqlite::statements::appends::{BEGIN, ROLLBACK};
use crate::stores::sqlite::statements::files::FIRST_READ;
use crate::stores::sqlite::statements::text::Statement;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteRow, SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection, Executor, Sqlite};
use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::time::Duration;

/// The size of a database page in every file that this store creates, in bytes; SQLite's default.
const PAGE_SIZE: u32 = 4096;
/// The highest number of a page that SQLite knows.
const LAST_PAGE: u64 = 0xffff_fffe;
/// How many rows SQLite's thread may be ahead of the writer: more than any statement of the writer returns.
const ROWS_AHEAD: usize = 512;
/// The largest number of readers: each needs a thread and some open files.
const MOST_READERS: u32 = 256;
/// The longest time that SQLite can wait, which counts milliseconds in 32 bits: more than three weeks.
const LONGEST_WAIT: Duration = Duration::from_millis(i32::MAX as u64);

/// The settings of the connection that writes to a file.
pub(super) fn writer(path: &Path, options: &SqliteOptions) -> SqliteConnectOptions {
    limited(common(options).filename(path), options)
        .journal_mode(SqliteJournalMode::Wal)
        // With NORMAL, a power cut loses the transactions since the last checkpoint, acknowledged or not.
        .synchronous(SqliteSynchronous::Full)
}

/// The settings of the connections that read, in a store that writes.
pub(super) fn reader(path: &Path, options: &SqliteOptions) -> SqliteConnectOptions {
    common(options).filename(path).pragma("query_only", "on")
}

/// The settings of the connections of a store that only reads.
pub(super) fn read_only(path: &Path, options: &SqliteOptions) -> SqliteConnectOptions {
    common(options).filename(path).read_only(true)
}

/// The settings of the only connection of a database in memory.
pub(super) fn memory(options: &SqliteOptions) -> SqliteConnectOptions {
    limited(common(options).filename(":memory:"), options)
}

fn common(options: &SqliteOptions) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .page_size(PAGE_SIZE)
        .busy_timeout(options.busy_timeout.min(LONGEST_WAIT))
        // One line per statement at `debug` would bury the manager's spans.
        .disable_statement_logging()
}

fn limited(connection: SqliteConnectOptions, options: &SqliteOptions) -> SqliteConnectOptions {
    let connection = connection
        .row_buffer_size(ROWS_AHEAD)
        // A statement with many rows keeps the pages that it changes until it ends. By default it keeps them in a temporary
        // file, which is created and removed each time.
        .pragma("temp_store", "memory");
    match options.max_bytes {
        Some(bytes) => {
            let pages = (bytes / u64::from(PAGE_SIZE)).clamp(1, LAST_PAGE);
            connection.pragma("max_page_count", pages.to_string())
        }
        None => connection,
    }
}

/// The settings of the pool of readers.
pub(super) fn readers(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections.clamp(1, MOST_READERS))
        // A connection to a file cannot break, so a test before each use would only cost time. A connection in memory must not
        // be replaced by a new one, because it is the database.
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None)
}

/// Opens a connection, and makes a first read.
pub(super) async fn connect(
    settings: &SqliteConnectOptions,
) -> Result<SqliteConnection, sqlx::Error> {
    let mut connection = settings.connect().await?;
    connection.execute(FIRST_READ).await?;
    Ok(connection)
}

/// Opens a connection of a pool, and makes a first read.
pub(super) async fn try_out(readers: &SqlitePool) -> Result<(), sqlx::Error> {
    readers.execute(FIRST_READ).await.map(|_| ())
}

/// Closes a connection.
pub(super) async fn close(connection: SqliteConnection) {
    // An error only means that SQLite could not clean up the files. The next program that opens them does so.
    let _ = connection.close().await;
}

/// Runs a text of one or more statements, and returns the rows of all of them.
pub(super) async fn rows(
    connection: &mut SqliteConnection,
    text: Statement<'_>,
) -> Result<Vec<SqliteRow>, StoreError> {
    text.fetch_all(connection)
        .await
        .map_err(error::into_store_error)
}

/// Runs a statement that has neither values nor rows.
pub(super) async fn execute(
    connection: &mut SqliteConnection,
    statement: &'static str,
) -> Result<(), sqlx::Error> {
    sqlx::query(statement).execute(connection).await.map(|_| ())
}

/// Rolls back the transaction that may be open.
pub(super) async fn roll_back(connection: &mut SqliteConnection) {
    if nesting::roll_back::<Sqlite>(connection).await.is_err() {
        // SQLite has ended the transaction by itself, and the driver still counts it. It needs one to end.
        let _ = execute(connection, BEGIN).await;
        let _ = nesting::roll_back::<Sqlite>(connection).await;
    }
    // It fails if no transaction is open, which does no harm.
    let _ = execute(connection, ROLLBACK).await;
}

/// A connection in use.
pub(super) enum HeldConnection {
    /// It belongs to its user alone.
    Own(SqliteConnection),
    /// It goes back to the readers.
    Pooled(PoolConnection<Sqlite>),
}

impl HeldConnection {
    /// Closes the user's own connection, or gives it back to the readers.
    pub(super) async fn close(self) {
        if let Self::Own(connection) = self {
            close(connection).await;
        }
    }
}

impl Deref for HeldConnection {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        match self {
            Self::Own(connection) => connection,
            Self::Pooled(connection) => connection,
        }
    }
}

impl DerefMut for HeldConnection {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        match self {
            Self::Own(connection) => connection,
            Self::Pooled(connection) => connection,
        }
    }
}
