//! The server, the library's tables in a schema of our own, and the two ways to them.

use eventlogs::{
    LogManager, LogManagerOptions, MemoryAggregationCache, PostgresEventStore, PostgresOptions,
};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions, Executor, PgConnection, Row};

use crate::payments::Payment;

/// A server that is ready to be measured.
#[derive(Debug)]
pub(crate) struct Postgres {
    /// The library's way.
    pub(crate) store: PostgresEventStore,
    /// The way by hand: connections as a service would have them, planning as the server likes. They see the tables
    /// without their schema.
    pub(crate) pool: PgPool,
}

impl Postgres {
    /// Makes the tables; or says why nothing can be measured here.
    pub(crate) async fn start(url: &str) -> Result<Self, String> {
        let connect: PgConnectOptions = url
            .parse()
            // Without the URL, which has a password in it.
            .map_err(|_| "EVENTLOGS_POSTGRES_URL is no valid URL".to_owned())?;
        let connect = connect.disable_statement_logging();
        let mut connection = connect.connect().await.map_err(text)?;
        check_durability(&mut connection).await?;
        // One is left over if the last run was interrupted.
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

    /// A manager with an empty cache.
    pub(crate) fn payments(&self) -> LogManager<Payment> {
        LogManager::new(
            self.store.clone(),
            MemoryAggregationCache::default(),
            LogManagerOptions::default(),
        )
    }

    /// Has the server write down what earlier measurements left it to write, so that this does not happen during the next.
    pub(crate) async fn settle(&self) {
        // Not everybody may ask for it; then it happens when it happens.
        let _ = self.pool.execute("checkpoint").await;
    }

    /// Takes everything away again.
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

/// A server that acknowledges what it may lose would be measured for something that nobody wants.
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

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` calls")]
fn text(error: impl ToString) -> String {
    error.to_string()
}
