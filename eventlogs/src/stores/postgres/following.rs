//! Runs the statements that follow the feed, and reads the places that they return.

use crate::cursor::Place;
use crate::stores::error::store::StoreError;
use crate::stores::postgres::core::Core;
use crate::stores::postgres::failure::AttemptError;
use crate::stores::postgres::retry;
use crate::stores::postgres::retry::Operation;
use crate::stores::postgres::statements::text::Statement;
use sqlx::Row;
use sqlx::postgres::PgRow;

/// Runs a statement that reads, and returns its rows.
pub(super) async fn rows<'q>(
    core: &Core,
    statement: impl Fn() -> Statement<'q>,
) -> Result<Vec<PgRow>, StoreError> {
    let operation = core.following();
    retry::read(&operation, || rows_once(&operation, statement())).await
}

async fn rows_once<E>(
    operation: &Operation<'_>,
    statement: Statement<'_>,
) -> Result<Vec<PgRow>, AttemptError<E>> {
    let mut connection = operation.lease().await?;
    let rows = connection.rows(statement).await?;
    connection.give_back();
    Ok(rows)
}

/// Makes the error for an answer that cannot be read.
pub(super) fn unreadable(error: sqlx::Error) -> StoreError {
    StoreError::Database {
        source: error.into(),
    }
}

/// Returns the place in these columns; `None` if they are null.
pub(super) fn place(row: &PgRow, columns: [&str; 3]) -> Result<Option<Place>, sqlx::Error> {
    let [epoch, tx, position] = columns;
    let Some(number) = row.try_get::<Option<i32>, _>(epoch)? else {
        return Ok(None);
    };
    Ok(Some(Place {
        epoch: number.cast_unsigned(),
        tx: row.try_get::<i64, _>(tx)?.cast_unsigned(),
        position: row.try_get::<i64, _>(position)?.cast_unsigned(),
    }))
}
