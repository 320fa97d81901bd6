//! Making connections, as this crate wants them.

use super::{PostgresOptions, error, writer};
use crate::stores::StoreError;
use sqlx::postgres::PgConnectOptions;
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

/// How connections for everybody are made, and those of the writer.
pub(super) fn settings(
    connect: PgConnectOptions,
    options: &PostgresOptions,
) -> (PgConnectOptions, PgConnectOptions) {
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
        ])
        .disable_statement_logging();
    let locks = |timeout: Duration| [("lock_timeout", timeout.as_millis().max(1).to_string())];
    let everybody = connect.clone().options(locks(options.lock_timeout));
    // A lock that somebody holds on one log must not hold up a batch for long.
    let writer = connect.options(locks(options.lock_timeout.min(writer::LOCK_TIMEOUT)));
    (everybody, writer)
}

/// Connects once, to tell early and exactly what is wrong.
pub(super) async fn try_out(connect: &PgConnectOptions) -> Result<(), StoreError> {
    match tokio::time::timeout(FIRST_CONNECTION, connect.connect()).await {
        Ok(first) => {
            // It was only to see that one can be had.
            let _ = first.map_err(error::of_connecting)?.close().await;
            Ok(())
        }
        Err(elapsed) => Err(StoreError::Unavailable {
            source: elapsed.into(),
        }),
    }
}
