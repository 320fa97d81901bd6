//! The tables, in numbered steps.
//!
//! sqlx's own migrator is not used: it keeps a table of its own beside the user's, and it cannot tell a database that is
//! newer than the code from one that somebody has tampered with.

use crate::stores::database::schema_version::SchemaVersion;
use crate::stores::database::steps::TABLES;
use crate::stores::error::store::StoreError;
use crate::stores::sqlite::migrations::{NEEDED, STEPS};
use crate::stores::sqlite::pool::ConnectionPool;
use crate::stores::sqlite::{error, transaction};
use sqlx::Row;
use sqlx::sqlite::SqliteConnection;

/// The version of a database that was just opened; an empty one is migrated.
pub(super) async fn open(pool: &ConnectionPool) -> Result<SchemaVersion, StoreError> {
    let mut guard = pool.writer().await?;
    let found = version(&mut guard).await?;
    let schema = SchemaVersion::of_opened(found, NEEDED)?;
    let is_new = found == 0 && is_empty(&mut guard).await?;
    guard.give_back();
    if is_new {
        migrate(pool).await?;
        schema.found(NEEDED)?;
    }
    Ok(schema)
}

/// The version that a database has now.
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

/// The version of a database that was just opened to be read.
pub(super) async fn open_read_only(pool: &ConnectionPool) -> Result<SchemaVersion, StoreError> {
    SchemaVersion::of_opened(find(pool).await?, NEEDED)
}

/// Takes the steps that are missing, and returns the version that they lead to.
pub(super) async fn migrate(pool: &ConnectionPool) -> Result<i64, StoreError> {
    // The write lock comes first: of several processes that start at once, one migrates and the others find it done.
    let mut guard = transaction::begin(pool.writer().await?).await?;
    let steps = take_missing_steps(&mut guard).await;
    transaction::end(guard, steps).await?;
    Ok(NEEDED)
}

async fn take_missing_steps(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let found = version(connection).await?;
    let steps = STEPS.missing_steps(found)?;
    if found == 0 {
        for table in TABLES {
            if exists(connection, table).await? {
                return Err(StoreError::UnrelatedTable {
                    table,
                    advice: "keep the events in another file",
                });
            }
        }
    }
    for step in steps {
        sqlx::raw_sql(step.sql)
            .execute(&mut *connection)
            .await
            .map_err(error::of)?;
    }
    sqlx::query("update meta set schema_version = ?")
        .bind(NEEDED)
        .execute(connection)
        .await
        .map_err(error::of)?;
    Ok(())
}

/// The version of the tables; 0 where there are none of ours.
async fn version(connection: &mut SqliteConnection) -> Result<i64, StoreError> {
    // A table of that name with other columns is somebody else's.
    let columns =
        "select count(*) from pragma_table_info('meta') where name in ('schema_version', 'epoch')";
    let columns: i64 = sqlx::query(columns)
        .fetch_one(&mut *connection)
        .await
        .map_err(error::of)?
        .try_get(0)
        .map_err(error::of)?;
    if columns < 2 {
        return Ok(0);
    }
    let version = sqlx::query("select schema_version from meta")
        .fetch_optional(connection)
        .await
        .map_err(error::of)?;
    version
        .map_or(Ok(0), |row| row.try_get(0))
        .map_err(error::of)
}

async fn is_empty(connection: &mut SqliteConnection) -> Result<bool, StoreError> {
    let tables = sqlx::query("select count(*) from sqlite_schema")
        .fetch_one(connection)
        .await
        .map_err(error::of)?;
    Ok(tables.try_get::<i64, _>(0).map_err(error::of)? == 0)
}

async fn exists(connection: &mut SqliteConnection, table: &str) -> Result<bool, StoreError> {
    let query = sqlx::query("select 1 from sqlite_schema where name = ?").bind(table);
    Ok(query
        .fetch_optional(connection)
        .await
        .map_err(error::of)?
        .is_some())
}
