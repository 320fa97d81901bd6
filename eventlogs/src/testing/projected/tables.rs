//! The databases on which a test runs handlers.

#[cfg(feature = "postgres")]
use crate::projection::database::Postgres;
#[cfg(feature = "sqlite")]
use crate::projection::database::Sqlite;
use crate::projection::database::{Database, Elsewhere};
use crate::projection::table::RowKeyStatements;
#[cfg(feature = "postgres")]
use crate::stores::postgres::statements as postgres;
#[cfg(feature = "sqlite")]
use crate::stores::sqlite::statements as sqlite;
use std::error::Error;

/// A database on which a test runs the handlers of a projection: each [`Database`] of this crate.
pub trait TestDatabase: Database {
    /// Runs the statements that create the tables of a projection.
    ///
    /// # Errors
    /// The error of the database.
    fn create(
        connection: &mut Self::Connection,
        statements: &'static str,
    ) -> impl Future<Output = Result<(), Box<dyn Error + Send + Sync>>> + Send;

    /// Creates the temporary table for keys that are remembered from page to page, if there is none, and returns the statements
    /// on it.
    ///
    /// # Errors
    /// The error of the database.
    fn remember(
        connection: &mut Self::Connection,
    ) -> impl Future<Output = Result<Option<RowKeyStatements>, Box<dyn Error + Send + Sync>>> + Send;
}

#[cfg(feature = "sqlite")]
impl TestDatabase for Sqlite {
    async fn create(
        connection: &mut sqlx::SqliteConnection,
        statements: &'static str,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        sqlx::raw_sql(statements).execute(connection).await?;
        Ok(())
    }

    async fn remember(
        connection: &mut sqlx::SqliteConnection,
    ) -> Result<Option<RowKeyStatements>, Box<dyn Error + Send + Sync>> {
        let create = "create temporary table if not exists row_keys (
                name text not null, build integer not null, log_id blob not null, keys text not null,
                primary key (name, build, log_id)
            )";
        sqlx::raw_sql(create).execute(connection).await?;
        Ok(Some(sqlite::row_keys::ROW_KEYS.clone()))
    }
}

#[cfg(feature = "postgres")]
impl TestDatabase for Postgres {
    async fn create(
        connection: &mut sqlx::PgConnection,
        statements: &'static str,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        sqlx::raw_sql(statements).execute(connection).await?;
        Ok(())
    }

    async fn remember(
        connection: &mut sqlx::PgConnection,
    ) -> Result<Option<RowKeyStatements>, Box<dyn Error + Send + Sync>> {
        let create = "create temporary table if not exists row_keys (
                name text not null, build integer not null, log_id uuid not null, keys text not null,
                primary key (name, build, log_id)
            )";
        sqlx::raw_sql(create).execute(connection).await?;
        Ok(Some(postgres::row_keys::for_schema("pg_temp")))
    }
}

impl TestDatabase for Elsewhere {
    async fn create((): &mut (), _: &'static str) -> Result<(), Box<dyn Error + Send + Sync>> {
        Ok(())
    }

    async fn remember(
        (): &mut (),
    ) -> Result<Option<RowKeyStatements>, Box<dyn Error + Send + Sync>> {
        Ok(None)
    }
}
