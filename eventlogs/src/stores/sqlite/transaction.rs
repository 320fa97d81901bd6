//! Transactions of the writing connection.
//!
//! sqlx's own are not used: when the disk is full SQLite ends the transaction by itself, sqlx's count of open
//! transactions does not follow, and every later transaction on the connection is refused.

use super::error;
use crate::stores::StoreError;
use sqlx::sqlite::SqliteConnection;

/// Begins a transaction that holds the write lock. One that began with a read and then wrote would fail at once if
/// another process was faster, whatever the busy timeout; this one waits.
pub(super) async fn begin(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    execute(connection, "begin immediate")
        .await
        .map_err(error::of)
}

/// Commits if the work was done, else rolls back; then nothing of it was stored, unless the error says otherwise.
pub(super) async fn end<T>(
    connection: &mut SqliteConnection,
    work: Result<T, StoreError>,
) -> Result<T, StoreError> {
    let done = match work {
        Ok(done) => execute(connection, "commit")
            .await
            .map(|()| done)
            .map_err(error::of_commit),
        Err(error) => Err(error),
    };
    if done.is_err() {
        // Fails where SQLite has rolled back already, which is all that is wanted.
        let _ = execute(connection, "rollback").await;
    }
    done
}

async fn execute(
    connection: &mut SqliteConnection,
    statement: &'static str,
) -> Result<(), sqlx::Error> {
    sqlx::query(statement).execute(connection).await.map(|_| ())
}
