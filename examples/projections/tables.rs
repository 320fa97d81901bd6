//! The tables of the ledger, as the rest of a service reads them: with plain SQL over connections of its own.

use eventlogs::sqlx::postgres::{PgConnectOptions, PgPool};
use eventlogs::sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use eventlogs::sqlx::{self, query_as};
use std::path::Path;

/// Connections that only read.
pub(crate) enum Tables {
    /// To the file of the store.
    Sqlite(SqlitePool),
    /// To the schemas of the projections.
    Postgres(PgPool),
}

impl Tables {
    /// Opens the file of the store.
    pub(crate) fn in_file(path: &Path) -> Self {
        let options = SqliteConnectOptions::new().filename(path).read_only(true);
        Self::Sqlite(SqlitePool::connect_lazy_with(options))
    }

    /// Connects to the server, with the schemas of projections.
    pub(crate) fn on_server(server: PgConnectOptions, projections: &[&str]) -> Self {
        let options = server.options([
            ("search_path", projections.join(", ").as_str()),
            ("default_transaction_read_only", "on"),
        ]);
        Self::Postgres(PgPool::connect_lazy_with(options))
    }

    /// Reads rows of a text and a number.
    pub(crate) async fn rows(
        &self,
        statement: &'static str,
        parameters: &[&str],
    ) -> sqlx::Result<Vec<(String, i64)>> {
        match self {
            Self::Sqlite(pool) => {
                let query = query_as(statement);
                let query = parameters
                    .iter()
                    .fold(query, |query, text| query.bind((*text).to_owned()));
                query.fetch_all(pool).await
            }
            Self::Postgres(pool) => {
                let query = query_as(statement);
                let query = parameters
                    .iter()
                    .fold(query, |query, text| query.bind((*text).to_owned()));
                query.fetch_all(pool).await
            }
        }
    }

    /// Closes the connections.
    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            Self::Postgres(pool) => pool.close().await,
        }
    }
}
