//! The connections of a store that makes its own.

use super::{PostgresOptions, error};
use crate::stores::StoreError;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions, Connection};
use std::time::Duration;

/// How long the first connection may take. Later ones have the time of the operation that wants them.
const FIRST_CONNECTION: Duration = Duration::from_secs(10);

/// Reads a URL. What it says of a mistake holds nothing of the URL, which has a password in it.
pub(super) fn parse(url: &str) -> Result<PgConnectOptions, StoreError> {
    if !(url.starts_with("postgres://") || url.starts_with("postgresql://")) {
        return Err(StoreError::InvalidUrl {
            source: "it does not start with postgres://".into(),
        });
    }
    url.parse()
        .map_err(|error: sqlx::Error| StoreError::InvalidUrl {
            source: error.into(),
        })
}

/// Connects once, to tell early and exactly what is wrong, and makes two pools: for everybody, and for the writer, which then
/// never waits for a connection behind the readers.
pub(super) async fn pools(
    connect: PgConnectOptions,
    options: &PostgresOptions,
) -> Result<(PgPool, PgPool), StoreError> {
    let lock_timeout = options.lock_timeout.as_millis().to_string();
    let connect = connect
        .options([
            // The planner's guess for a custom plan never loses, so it would plan at every execution; and a plan made
            // while the tables are small must not be one that reads them whole when they have grown.
            ("plan_cache_mode", "force_generic_plan"),
            ("enable_seqscan", "off"),
            ("enable_hashjoin", "off"),
            ("enable_mergejoin", "off"),
            // Those count as costs beyond all measure, for which the server would compile each statement: 150 ms.
            ("jit", "off"),
            ("lock_timeout", &lock_timeout),
        ])
        .disable_statement_logging();
    let first = match tokio::time::timeout(FIRST_CONNECTION, connect.connect()).await {
        Ok(first) => first.map_err(error::of_connecting)?,
        Err(elapsed) => {
            return Err(StoreError::Unavailable {
                source: elapsed.into(),
            });
        }
    };
    // It was only to see that one can be had; the pool makes its own.
    let _ = first.close().await;
    let everybody =
        pool(options.max_connections.max(1), options).connect_lazy_with(connect.clone());
    let writer = pool(super::writer::IN_FLIGHT, options).connect_lazy_with(connect);
    Ok((everybody, writer))
}

fn pool(connections: u32, options: &PostgresOptions) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(options.timeout)
        // The test before each use costs a round trip. What it would find out, the retry does.
        .test_before_acquire(false)
}
