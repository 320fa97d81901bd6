//! How connections are made: one that writes, some that read.

use super::writing::Writing;
use super::{SqliteOptions, error, transaction};
use crate::stores::StoreError;
use sqlx::ConnectOptions;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use std::path::Path;
use std::sync::Arc;

/// The size of a database page in every file that we create, in bytes; SQLite's default.
const PAGE_SIZE: u32 = 4096;
/// How many rows SQLite's thread may be ahead of the writer: all that a statement of its returns.
const ROWS_AHEAD: usize = 512;

/// The connections of one store.
pub(super) struct Connections {
    /// The one that writes. Nobody else in this process does, so a write never waits for another one inside SQLite.
    pub(super) writing: Arc<Writing>,
    /// The connections that read. In memory it is the one that writes, since a second connection would see a second
    /// database.
    pub(super) readers: SqlitePool,
}

impl Connections {
    pub(super) async fn open(path: &Path, options: &SqliteOptions) -> Result<Self, StoreError> {
        let file = common(options)
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // With NORMAL, a power cut loses the transactions since the last checkpoint, acknowledged or not.
            .synchronous(SqliteSynchronous::Full);
        let writing = Writing::connect(limited(file.clone(), options))
            .await
            .map_err(|error| error::of_opening(path, error))?;
        let readers =
            pool(options.readers.max(1)).connect_lazy_with(file.pragma("query_only", "on"));
        Ok(Self {
            writing: Arc::new(writing),
            readers,
        })
    }

    pub(super) async fn in_memory(options: &SqliteOptions) -> Result<Self, StoreError> {
        let memory = limited(common(options).filename(":memory:"), options);
        let everybody = pool(1)
            .after_release(|connection, _| Box::pin(transaction::leave(connection)))
            .connect_with(memory)
            .await
            .map_err(error::of)?;
        Ok(Self {
            writing: Arc::new(Writing::of_pool(everybody.clone())),
            readers: everybody,
        })
    }

    pub(super) async fn close(&self) {
        self.readers.close().await;
        self.writing.close().await;
    }
}

fn common(options: &SqliteOptions) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .page_size(PAGE_SIZE)
        .busy_timeout(options.busy_timeout)
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
            let pages = (bytes / u64::from(PAGE_SIZE)).max(1);
            connection.pragma("max_page_count", pages.to_string())
        }
        None => connection,
    }
}

fn pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        // A file cannot hang up: the test before each use would only cost time. And a connection in memory must not be
        // replaced by a new one, it is the database.
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None)
}
