//! The connections of a store: one that writes, some that read.

use super::{SqliteOptions, error};
use crate::stores::StoreError;
use sqlx::ConnectOptions;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use std::path::Path;

/// The size of a database page in every file that we create, in bytes; SQLite's default.
const PAGE_SIZE: u64 = 4096;

/// The pools of one store.
pub(super) struct Connections {
    /// One connection. Nobody else in this process writes, so a write never waits for another one inside SQLite.
    pub(super) writer: SqlitePool,
    /// The connections that read; the same pool as `writer` in memory, where a second connection would see a second
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
        let writer = pool(1)
            .connect_with(limited(file.clone(), options))
            .await
            .map_err(|error| error::of_opening(path, error))?;
        let readers =
            pool(options.readers.max(1)).connect_lazy_with(file.pragma("query_only", "on"));
        Ok(Self { writer, readers })
    }

    pub(super) async fn in_memory(options: &SqliteOptions) -> Result<Self, StoreError> {
        let memory = limited(common(options).filename(":memory:"), options);
        let writer = pool(1).connect_with(memory).await.map_err(error::of)?;
        Ok(Self {
            readers: writer.clone(),
            writer,
        })
    }

    pub(super) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

fn common(options: &SqliteOptions) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .page_size(4096)
        .busy_timeout(options.busy_timeout)
        // A line for each statement at `debug` would bury what the manager's spans say.
        .disable_statement_logging()
}

fn limited(connection: SqliteConnectOptions, options: &SqliteOptions) -> SqliteConnectOptions {
    match options.max_bytes {
        Some(bytes) => connection.pragma("max_page_count", (bytes / PAGE_SIZE).max(1).to_string()),
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
