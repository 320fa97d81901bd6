//! Transactions of the writing connection.
//!
//! sqlx's own are not used: when the disk is full SQLite ends the transaction by itself, sqlx's count of open
//! transactions does not follow, and every later transaction on the connection is refused.
//!
//! What begins and commits a batch stands in one text with the statement behind it or in front of it: SQLite runs in a thread
//! of its own, and each text is a trip to that thread and back. sqlx takes several statements in one text for SQLite only,
//! and may give that up one day; then each of them is a text of its own.

use crate::stores::error::store::StoreError;
use crate::stores::sqlite::connection::Connections;
use crate::stores::sqlite::error;
use crate::stores::sqlite::writing::Turn;
use futures_util::TryStreamExt;
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteConnection, SqliteRow};
use sqlx::{Either, Executor, Sqlite};

/// Begins a transaction that holds the write lock. One that began with a read and then wrote would fail at once if
/// another process was faster, whatever the busy timeout; this one waits.
pub(super) const BEGIN: &str = "begin immediate";
/// Ends a transaction, and returns once it would survive a power cut.
pub(super) const COMMIT: &str = "commit";

/// A text of one or more statements with their values.
pub(super) type Statement<'a> = Query<'a, Sqlite, SqliteArguments>;

/// A turn to write with a transaction begun.
pub(super) async fn begin(connections: &Connections) -> Result<Turn<'_>, StoreError> {
    let mut turn = connections.turn().await?;
    match execute(&mut turn, BEGIN).await {
        Ok(()) => Ok(turn),
        Err(error) => end(turn, Err(error::of(error))).await,
    }
}

/// Commits if the work was done, else rolls back; then nothing of it was stored, unless the error says otherwise.
pub(super) async fn end<T>(
    mut turn: Turn<'_>,
    work: Result<T, StoreError>,
) -> Result<T, StoreError> {
    let done = match work {
        Ok(done) => commit(&mut turn).await.map(|()| done),
        Err(error) => Err(error),
    };
    close(turn, done).await
}

/// Ends a turn whose work has committed by itself if it was done; else it is rolled back. What was committed into files that
/// are no longer at the path [`is_elsewhere`](error::is_elsewhere).
pub(super) async fn close<T>(
    mut turn: Turn<'_>,
    work: Result<T, StoreError>,
) -> Result<T, StoreError> {
    match work {
        Ok(done) => {
            let confirmed = turn.confirm();
            turn.over();
            confirmed.map(|()| done)
        }
        Err(error) => {
            let error = turn.name(error);
            roll_back(&mut turn).await;
            turn.over_after_failure().await;
            Err(error)
        }
    }
}

/// Leaves a connection that others will use as it should be: whoever had it may have gone away in a transaction.
pub(super) async fn leave(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    roll_back(connection).await;
    Ok(true)
}

async fn roll_back(connection: &mut SqliteConnection) {
    // Fails where no transaction is open, or no more: which is all that is wanted.
    let _ = execute(connection, "rollback").await;
}

/// Commits.
pub(super) async fn commit(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    execute(connection, COMMIT).await.map_err(error::of_commit)
}

/// Runs a text, and returns the rows of all its statements.
pub(super) async fn rows(
    connection: &mut SqliteConnection,
    text: Statement<'_>,
) -> Result<Vec<SqliteRow>, StoreError> {
    text.fetch_all(connection).await.map_err(error::of)
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
            Err(error) if done == 0 => return Err(error::of(error)),
            Err(error) => return Err(error::of_commit(error)),
        }
    }
}

async fn execute(
    connection: &mut SqliteConnection,
    statement: &'static str,
) -> Result<(), sqlx::Error> {
    sqlx::query(statement).execute(connection).await.map(|_| ())
}
