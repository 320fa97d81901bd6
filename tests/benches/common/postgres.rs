//! The server, with the library's tables in a schema of the bench, and the two ways to write to them.

use eventlogs::{
    LogManager, LogManagerOptions, MemoryAggregationCache, PostgresEventStore, PostgresOptions,
};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions, Executor, PgConnection, Row};

use crate::common::payments::Payment;
use crate::common::process;

/// A server that is ready to be measured.
#[derive(Debug)]
pub(crate) struct Postgres {
    /// The way of the library.
    pub(crate) store: PostgresEventStore,
    /// The way by hand: connections as a service would have them, with the server's default planning. Their search path
    /// includes the schema of the tables.
    pub(crate) pool: PgPool,
}

impl Postgres {
    /// Creates the tables; the error is the reason why nothing can be measured.
    pub(crate) async fn start(url: &str) -> Result<Self, String> {
        let connect: PgConnectOptions = url
            .parse()
            // Without the URL, since it contains a password.
            .map_err(|_| "EVENTLOGS_POSTGRES_URL is no valid URL".to_owned())?;
        let connect = connect.disable_statement_logging();
        let mut connection = connect.connect().await.map_err(text)?;
        check_durability(&mut connection).await?;
        // A schema is left over if the last run was interrupted.
        connection.execute(DROP).await.map_err(text)?;
        let options = PostgresOptions {
            schema: "eventlogs_bench".to_owned(),
            ..Default::default()
        };
        let store = PostgresEventStore::connect_with(connect.clone(), options)
            .await
            .map_err(text)?;
        store.migrate().await.map_err(text)?;
        let pool = PgPoolOptions::new()
            .max_connections(16)
            .test_before_acquire(false)
            .connect_with(connect.options([("search_path", "eventlogs_bench")]))
            .await
            .map_err(text)?;
        Ok(Self { store, pool })
    }

    /// Creates a manager with an empty cache.
    pub(crate) fn payments(&self) -> LogManager<Payment> {
        LogManager::new(
            self.store.clone(),
            MemoryAggregationCache::default(),
            LogManagerOptions::default(),
        )
    }

    /// Makes the server write the changes of earlier measurements to disk, so that this does not happen during the next one.
    pub(crate) async fn settle(&self) {
        // Not every role may request a checkpoint; without it, the server does one in its own time.
        let _ = self.pool.execute("checkpoint").await;
    }

    /// Returns the main process of the server; `None` if the server is not on this machine.
    pub(crate) async fn main_process(&self) -> Option<u32> {
        let session: i32 = sqlx::query_scalar("select pg_backend_pid()")
            .fetch_one(&self.pool)
            .await
            .ok()?;
        process::parent_of(session.try_into().ok()?, "postgres")
    }

    /// Drops the schema again.
    pub(crate) async fn end(self) {
        self.store.close().await;
        let dropped = self.pool.execute(DROP).await;
        if let Err(error) = dropped {
            eprintln!("could not drop the schema eventlogs_bench: {error}");
        }
        self.pool.close().await;
    }
}

const DROP: &str = "drop schema if exists eventlogs_bench cascade";

/// A server that may lose acknowledged writes would be measured under the wrong conditions.
async fn check_durability(connection: &mut PgConnection) -> Result<(), String> {
    for setting in ["fsync", "synchronous_commit", "full_page_writes"] {
        let row = sqlx::query("select current_setting($1)")
            .bind(setting)
            .fetch_one(&mut *connection)
            .await
            .map_err(text)?;
        let value: String = row.try_get(0).map_err(text)?;
        if value != "on" {
            return Err(format!("the server has {setting} = {value}, not on"));
        }
    }
    let row = sqlx::query("show server_version")
        .fetch_one(connection)
        .await
        .map_err(text)?;
    let version: String = row.try_get(0).map_err(text)?;
    println!("PostgreSQL {version}: fsync, synchronous_commit and full_page_writes are on");
    Ok(())
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the signature that `map_err` needs"
)]
fn text(error: impl ToString) -> String {
    error.to_string()
}
