//! The databases on which a test runs handlers.

#[cfg(feature = "postgres")]
use crate::projection::database::Postgres;
#[cfg(feature = "sqlite")]
use crate::projection::database::Sqlite;
use crate::projection::database::{Database, Elsewhere};
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
}

impl TestDatabase for Elsewhere {
    async fn create((): &mut (), _: &'static str) -> Result<(), Box<dyn Error + Send + Sync>> {
        Ok(())
    }
}
