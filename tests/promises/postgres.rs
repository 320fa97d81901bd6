//! The store for services: on a real server, with other users of the server, and with broken connections.

mod append_in;
mod crowded;
mod failing;
mod feed;
mod large;
mod listing;
mod migrating;
mod opening;
mod pgbouncer;
mod reducing;
mod requiring;
mod round_trips;
mod tls;
mod using;

pub(crate) use pgbouncer::Behind;

use crate::proxy::Proxy;
use crate::servers;
use eventlogs::{PostgresEventStore, PostgresOptions};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Executor, PgConnection, Row};
use std::time::Duration;
use uuid::Uuid;

/// Prefix of the schemas of these tests; their time of creation follows it.
const PREFIX: &str = "eventlogs_test_";

/// A store in a schema of its own, with access to its tables; `None` without a server.
pub(crate) struct TestStore {
    pub(crate) store: PostgresEventStore,
    pub(crate) options: PostgresOptions,
    pub(crate) connect: PgConnectOptions,
}

impl TestStore {
    pub(crate) async fn new() -> Option<Self> {
        Self::with(PostgresOptions::default()).await
    }

    pub(crate) async fn with(options: PostgresOptions) -> Option<Self> {
        let connect: PgConnectOptions = servers::postgres_url()?.parse().expect("a valid URL");
        drop_old_schemas(&connect).await;
        let schema = format!("{PREFIX}{}", Uuid::now_v7().simple());
        let options = PostgresOptions { schema, ..options };
        let store = PostgresEventStore::connect_with(connect.clone(), options.clone())
            .await
            .expect("the server accepts the connection");
        store
            .migrate()
            .await
            .expect("a fresh schema can be migrated");
        Some(Self {
            store,
            options,
            connect,
        })
    }

    /// Opens a store on the same tables that looks like another process to the server.
    pub(crate) async fn another(&self) -> PostgresEventStore {
        PostgresEventStore::connect_with(self.connect.clone(), self.options.clone())
            .await
            .expect("the server accepts the connection")
    }

    /// Opens a connection whose search path includes the schema of the tables.
    pub(crate) async fn connection(&self) -> PgConnection {
        let path = [("search_path", &self.options.schema)];
        let connect = self.connect.clone().options(path);
        connect
            .connect()
            .await
            .expect("the server accepts the connection")
    }

    /// Creates a pool of such connections.
    pub(crate) async fn pool(&self) -> sqlx::PgPool {
        sqlx::PgPool::connect_with(self.connect.clone())
            .await
            .expect("the server accepts the connection")
    }

    pub(crate) async fn execute(&self, sql: &'static str) {
        self.connection()
            .await
            .execute(sql)
            .await
            .expect("the statement is right");
    }

    /// Opens the same store through a network that fails on demand.
    pub(crate) async fn through_proxy(&self, timeout: Duration) -> (Proxy, PostgresEventStore) {
        let server = (self.connect.get_host().to_owned(), self.connect.get_port());
        let proxy = Proxy::in_front_of(server).await;
        let connect = self
            .connect
            .clone()
            .host("127.0.0.1")
            .port(proxy.address.port());
        let options = PostgresOptions {
            timeout,
            ..self.options.clone()
        };
        let store = PostgresEventStore::connect_with(connect, options)
            .await
            .expect("the proxy forwards the connection");
        (proxy, store)
    }
}

/// Drops the schemas that earlier runs left on a long-lived server. Schemas younger than an hour may be in use.
async fn drop_old_schemas(connect: &PgConnectOptions) {
    static ONCE: tokio::sync::OnceCell<()> = tokio::sync::OnceCell::const_new();
    ONCE.get_or_init(|| async {
        let hour_ago = uuid::Timestamp::from_unix(
            uuid::NoContext,
            u64::try_from(chrono::Utc::now().timestamp() - 3600).expect("after 1970"),
            0,
        );
        let oldest = format!("{PREFIX}{}", Uuid::new_v7(hour_ago).simple());
        let mut connection = connect
            .connect()
            .await
            .expect("the server accepts the connection");
        let old =
            sqlx::query("select nspname from pg_namespace where nspname like $1 and nspname < $2")
                .bind(format!("{PREFIX}%"))
                .bind(oldest)
                .fetch_all(&mut connection)
                .await
                .expect("the catalogue can be read");
        for row in old {
            let drop = format!("drop schema if exists {} cascade", row.get::<&str, _>(0));
            // Another run may drop it at the same time.
            let _ = sqlx::raw_sql(AssertSqlSafe(drop))
                .execute(&mut connection)
                .await;
        }
    })
    .await;
}
