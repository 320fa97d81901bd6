//! Transactions of the writing connection.
//!
//! sqlx's own transactions are not used. When the disk is full, SQLite ends the transaction by itself, sqlx's count of open
//! transactions does not follow, and every later transaction on the connection is refused.
//!
//! `begin` is in one text with the statement after it, and `commit` with the statement before it: SQLite runs in its own
//! thread, and each text costs one round trip to that thread. sqlx accepts several statements in one text for SQLite only, and
//! may stop doing so one day; then each of them becomes its own text.

use crate::stores::database::nesting;
use crate::stores::error::store::StoreError;
use crate::stores::sqlite::connection;
use crate::stores::sqlite::error;
use crate::stores::sqlite::pool::writer_connection::WriterGuard;
use crate::stores::sqlite::statements::appends::{BEGIN, COMMIT};
use crate::stores::sqlite::statements::text::Statement;
use futures_util::TryStreamExt;
use sqlx::sqlite::SqliteConnection;
use sqlx::{Either, Executor, SqlSafeStr, Sqlite};

/// Begins a transaction.
pub(super) async fn begin(mut guard: WriterGuard) -> Result<WriterGuard, StoreError> {
    match connection::execute(&mut guard, BEGIN).await {
        Ok(()) => Ok(guard),
        Err(error) => end(guard, Err(error::into_store_error(error))).await,
    }
}

/// Begins a transaction that the driver counts, so that others can be begun in it.
pub(super) async fn begin_counted(mut guard: WriterGuard) -> Result<WriterGuard, StoreError> {
    match nesting::begin::<Sqlite>(&mut guard, BEGIN.into_sql_str()).await {
        Ok(()) => Ok(guard),
        Err(error) => close(guard, Err(error::into_store_error(error))).await,
    }
}

/// Commits a transaction that the driver counts, and gives the connection back.
pub(super) async fn commit_counted(mut guard: WriterGuard) -> Result<(), StoreError> {
    let committed = nesting::commit::<Sqlite>(&mut guard).await;
    close(guard, committed.map_err(error::into_commit_error)).await
}

/// Rolls back, and gives the connection back.
pub(super) async fn roll_back(guard: WriterGuard) {
    // The error only makes it roll back.
    let _ = close::<()>(guard, Err(StoreError::Closed)).await;
}

/// Commits if the work has succeeded, and rolls back otherwise. After an error nothing of it was stored, unless the error says
/// otherwise.
pub(super) async fn end<T>(
    mut guard: WriterGuard,
    work: Result<T, StoreError>,
) -> Result<T, StoreError> {
    let done = match work {
        Ok(done) => commit(&mut guard).await.map(|()| done),
        Err(error) => Err(error),
    };
    close(guard, done).await
}

/// Gives the connection back after work that has committed by itself; rolls back if the work has failed. If the work was
/// committed into files that are no longer at the path, [`is_committed_elsewhere`](error::is_committed_elsewhere) returns
/// `true` for the error.
pub(super) async fn close<T>(
    mut guard: WriterGuard,
    work: Result<T, StoreError>,
) -> Result<T, StoreError> {
    match work {
        Ok(done) => {
            let confirmed = guard.confirm();
            guard.give_back();
            confirmed.map(|()| done)
        }
        Err(error) => {
            let error = guard.with_path(error);
            connection::roll_back(&mut guard).await;
            guard.give_back_after_failure().await;
            Err(error)
        }
    }
}

/// Commits.
pub(super) async fn commit(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let committed = connection::execute(connection, COMMIT).await;
    committed.map_err(error::into_commit_error)
}

/// Runs a text of two statements, the second of which commits.
pub(super) async fn run_and_commit(
    connection: &mut SqliteConnection,
    text: Statement<'_>,
) -> Result<(), StoreError> {
    let mut steps = connection.fetch_many(text);
    let mut done = 0;
    loop {
        match steps.try_next().await {
            Ok(Some(Either::Left(_))) => done += 1,
            Ok(Some(Either::Right(_))) => {}
            Ok(None) => return Ok(()),
            Err(error) if done == 0 => return Err(error::into_store_error(error)),
            Err(error) => return Err(error::into_commit_error(error)),
        }
    }
}
