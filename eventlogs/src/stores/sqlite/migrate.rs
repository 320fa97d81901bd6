//! The tables, in numbered steps.
//!
//! sqlx's own migrator is not used: it keeps a table of its own beside the user's, and it cannot tell a database that is
//! newer than the code from one that somebody has tampered with.

use super::{error, transaction};
use crate::stores::StoreError;
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqlitePool};
use std::sync::atomic::{AtomicI64, Ordering};

/// The steps and the versions that they lead to. A step that was released is never changed; what is new goes into a
/// new one.
const STEPS: [(i64, &str); 1] = [(1, include_str!("migrations/0001_events.sql"))];

/// The version that this code works with.
const NEEDED: i64 = STEPS[STEPS.len() - 1].0;

/// The tables that the first step creates.
const TABLES: [&str; 3] = ["meta", "events", "idempotency_keys"];

/// The version that the database was last seen to have. A number of its own, guarding nothing else, so that the relaxed
/// order does.
pub(super) struct SchemaVersion(AtomicI64);

impl SchemaVersion {
    /// The version of a database that was just opened; an empty one is migrated.
    pub(super) async fn of_opened(writer: &SqlitePool) -> Result<Self, StoreError> {
        let mut connection = writer.acquire().await.map_err(error::of)?;
        let found = version(&mut connection).await?;
        let schema = Self(AtomicI64::new(found));
        if found > NEEDED {
            return Err(StoreError::NewerSchema {
                found,
                supported: NEEDED,
            });
        }
        if found == 0 && is_empty(&mut connection).await? {
            drop(connection);
            schema.migrate(writer).await?;
        }
        Ok(schema)
    }

    /// Whether the database can be worked with.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        match self.0.load(Ordering::Relaxed) {
            NEEDED => Ok(()),
            found => Err(StoreError::NotMigrated {
                found,
                needed: NEEDED,
            }),
        }
    }

    /// Takes the steps that are missing.
    pub(super) async fn migrate(&self, writer: &SqlitePool) -> Result<(), StoreError> {
        let mut connection = writer.acquire().await.map_err(error::of)?;
        // The write lock comes first: of several processes that start at once, one migrates and the others find it done.
        transaction::begin(&mut connection).await?;
        let steps = take_missing_steps(&mut connection).await;
        transaction::end(&mut connection, steps).await?;
        self.0.store(NEEDED, Ordering::Relaxed);
        Ok(())
    }
}

async fn take_missing_steps(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let found = version(connection).await?;
    if found > NEEDED {
        return Err(StoreError::NewerSchema {
            found,
            supported: NEEDED,
        });
    }
    if found == 0 {
        for table in TABLES {
            if exists(connection, table).await? {
                return Err(StoreError::ForeignTable { table });
            }
        }
    }
    for (_, step) in STEPS.into_iter().filter(|(leads_to, _)| *leads_to > found) {
        sqlx::raw_sql(step)
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
        .get(0);
    if columns < 2 {
        return Ok(0);
    }
    let version = sqlx::query("select schema_version from meta")
        .fetch_optional(connection)
        .await
        .map_err(error::of)?;
    Ok(version.map_or(0, |row| row.get(0)))
}

async fn is_empty(connection: &mut SqliteConnection) -> Result<bool, StoreError> {
    let tables = sqlx::query("select count(*) from sqlite_schema")
        .fetch_one(connection)
        .await
        .map_err(error::of)?;
    Ok(tables.get::<i64, _>(0) == 0)
}

async fn exists(connection: &mut SqliteConnection, table: &str) -> Result<bool, StoreError> {
    let query = sqlx::query("select 1 from sqlite_schema where name = ?").bind(table);
    Ok(query
        .fetch_optional(connection)
        .await
        .map_err(error::of)?
        .is_some())
}
