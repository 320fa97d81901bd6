//! Creates and changes the tables, in numbered steps.
//!
//! sqlx's own migrator is not used. It keeps its own table in the user's database, and it cannot distinguish a database that is
//! newer than the code from one that was tampered with.

use crate::stores::database::schema_version::SchemaVersion;
use crate::stores::error::store::StoreError;
use crate::stores::sqlite::migrations::{NEEDED, STEPS};
use crate::stores::sqlite::pool::ConnectionPool;
use crate::stores::sqlite::statements::files;
use crate::stores::sqlite::statements::files::{IS_EMPTY, LOOK_AT_META, LOOK_FOR_META};
use crate::stores::sqlite::statements::text::Statement;
use crate::stores::sqlite::{error, transaction};
use sqlx::Row;
use sqlx::sqlite::SqliteConnection;

/// Finds the version of a database that was just opened, and migrates an empty one.
pub(super) async fn open(pool: &ConnectionPool) -> Result<SchemaVersion, StoreError> {
    let mut guard = pool.writer().await?;
    let found = version(&mut guard).await?;
    let schema = SchemaVersion::new(found, NEEDED)?;
    let is_new = found == 0 && asks(&mut guard, sqlx::query(IS_EMPTY)).await?;
    guard.give_back();
    if is_new {
        migrate(pool).await?;
        schema.found(NEEDED)?;
    }
    Ok(schema)
}

/// Finds the version that a database has now.
pub(super) async fn find(pool: &ConnectionPool) -> Result<i64, StoreError> {
    let mut attempts = 0;
    loop {
        let mut reader = pool.reader().await?;
        let version = version(&mut reader.connection).await;
        if reader.still_holds(&mut attempts).await? {
            return version;
        }
    }
}

/// Finds the version of a database that was just opened for reading only.
pub(super) async fn open_read_only(pool: &ConnectionPool) -> Result<SchemaVersion, StoreError> {
    SchemaVersion::new(find(pool).await?, NEEDED)
}

/// Applies the missing steps, and returns the version that they lead to.
pub(super) async fn migrate(pool: &ConnectionPool) -> Result<i64, StoreError> {
    // The write lock comes first: of several processes that start at once, one migrates and the others find it done.
    let mut guard = transaction::begin(pool.writer().await?).await?;
    let steps = take_missing_steps(&mut guard).await;
    transaction::end(guard, steps).await?;
    Ok(NEEDED)
}

async fn take_missing_steps(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let found = version(connection).await?;
    for step in STEPS.missing_steps(found)? {
        for table in step.tables {
            if asks(connection, files::has_table(table)).await? {
                return Err(StoreError::UnrelatedTable {
                    table,
                    advice: "keep the events in another file, or give the other table another name",
                });
            }
        }
        sqlx::raw_sql(step.sql)
            .execute(&mut *connection)
            .await
            .map_err(error::into_store_error)?;
    }
    files::finish_migration(NEEDED)
        .execute(connection)
        .await
        .map_err(error::into_store_error)?;
    Ok(())
}

/// Finds the version of the tables; 0 if there are no tables of this store.
async fn version(connection: &mut SqliteConnection) -> Result<i64, StoreError> {
    if !asks(connection, sqlx::query(LOOK_FOR_META)).await? {
        return Ok(0);
    }
    let version = sqlx::query(LOOK_AT_META)
        .fetch_optional(connection)
        .await
        .map_err(error::into_store_error)?;
    version
        .map_or(Ok(0), |row| row.try_get("schema_version"))
        .map_err(error::into_store_error)
}

/// Runs a statement whose only row has one column, a boolean.
async fn asks(
    connection: &mut SqliteConnection,
    statement: Statement<'_>,
) -> Result<bool, StoreError> {
    let row = statement.fetch_one(connection).await;
    row.and_then(|row| row.try_get(0))
        .map_err(error::into_store_error)
}
