//! The tables, in numbered steps.
//!
//! sqlx's own migrator is not used: it keeps a table of its own beside the user's, and it cannot tell a database that is
//! newer than the code from one that somebody has tampered with.

use crate::stores::database::schema_version::SchemaVersion;
use crate::stores::database::steps::{Step, Steps, TABLES};
use crate::stores::error::store::StoreError;
use crate::stores::sqlite::connection::Connections;
use crate::stores::sqlite::{error, transaction};
use sqlx::Row;
use sqlx::sqlite::SqliteConnection;

/// The steps.
const STEPS: Steps = Steps::new(&[Step {
    version: 1,
    sql: include_str!("migrations/0001_events.sql"),
}]);

/// The version that this code works with.
const NEEDED: i64 = STEPS.needed();

/// The version of a database that was just opened; an empty one is migrated.
pub(super) async fn open(connections: &Connections) -> Result<SchemaVersion, StoreError> {
    let mut turn = connections.turn().await?;
    let found = version(&mut turn).await?;
    let schema = SchemaVersion::of_opened(found, NEEDED)?;
    let is_new = found == 0 && is_empty(&mut turn).await?;
    turn.over();
    if is_new {
        migrate(connections).await?;
        schema.found(NEEDED)?;
    }
    Ok(schema)
}

/// The version that a database has now.
pub(super) async fn find(connections: &Connections) -> Result<i64, StoreError> {
    let mut attempts = 0;
    loop {
        let mut reading = connections.reading().await?;
        let version = version(&mut reading.connection).await;
        if reading.still_holds(&mut attempts).await? {
            return version;
        }
    }
}

/// The version of a database that was just opened to be read.
pub(super) async fn open_read_only(connections: &Connections) -> Result<SchemaVersion, StoreError> {
    SchemaVersion::of_opened(find(connections).await?, NEEDED)
}

/// Takes the steps that are missing, and returns the version that they lead to.
pub(super) async fn migrate(connections: &Connections) -> Result<i64, StoreError> {
    // The write lock comes first: of several processes that start at once, one migrates and the others find it done.
    let mut turn = transaction::begin(connections).await?;
    let steps = take_missing_steps(&mut turn).await;
    transaction::end(turn, steps).await?;
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
