//! Making connections, as this crate wants them.

use crate::stores::error::store::StoreError;
use crate::stores::postgres::error::Failure;
use crate::stores::postgres::options::PostgresOptions;
use crate::stores::postgres::options::TargetSession;
use crate::stores::postgres::pooler::{Pooler, milliseconds};
use crate::stores::postgres::servers::Servers;
use crate::stores::postgres::{migrate, writer};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection};
use std::time::Duration;

/// How long the first connection may take. Later ones have the time of the operation that wants them.
const FIRST_CONNECTION: Duration = Duration::from_secs(10);
/// How much later than the last of several servers the clock ends it.
const SHARED: Duration = Duration::from_millis(100);

/// What a session must have.
pub(super) const SETTINGS: [(&str, &str); 6] = [
    // The planner's guess for a custom plan never loses, so it would plan at every execution; and a plan made while the
    // tables are small must not be one that reads them whole when they have grown.
    ("plan_cache_mode", "force_generic_plan"),
    ("enable_seqscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    // Those count as costs beyond all measure, for which the server would compile each statement: 150 ms.
    ("jit", "off"),
    // Where anybody may create functions, the statements must not find theirs in place of those that are built in.
    ("search_path", "pg_catalog"),
];

/// How connections for everybody are made, and those of the writer.
pub(super) fn settings(
    servers: &[PgConnectOptions],
    target: TargetSession,
    options: &PostgresOptions,
) -> (Servers, Servers) {
    let with_locks = |timeout: Duration| {
        let servers = servers.iter().cloned();
        let servers = servers.map(|server| as_wanted(server, options.pooler, timeout));
        Servers::new(
            servers.collect(),
            target,
            options.pooler.session_settings(timeout),
            migrate::is_at_home(&options.schema),
        )
    };
    let everybody = with_locks(options.lock_timeout);
    let writer = with_locks(writers_lock_timeout(options));
    (everybody, writer)
}

/// A lock that somebody holds on one log must not hold up a batch for long.
pub(super) fn writers_lock_timeout(options: &PostgresOptions) -> Duration {
    options.lock_timeout.min(writer::LOCK_TIMEOUT)
}

fn as_wanted(
    connect: PgConnectOptions,
    pooler: Pooler,
    lock_timeout: Duration,
) -> PgConnectOptions {
    let connect = connect.disable_statement_logging();
    if pooler == Pooler::None {
        connect
            .options(SETTINGS)
            .options([("lock_timeout", milliseconds(lock_timeout))])
    } else {
        // A parameter that PgBouncer does not know, and that changes nothing that is read here.
        connect.extra_float_digits(None)
    }
}

/// Connects once, to tell early and exactly what is wrong.
pub(super) async fn try_out(servers: &Servers, timeout: Duration) -> Result<(), StoreError> {
    let patience = FIRST_CONNECTION.min(timeout);
    // Several servers share the time, and say more than the clock.
    match tokio::time::timeout(patience + SHARED, servers.connect(patience)).await {
        Ok(first) => {
            // It was only to see that one can be had.
            let _ = first?.close().await;
            Ok(())
        }
        Err(_) => Err(Failure::Silent { silence: patience }.into()),
    }
}
