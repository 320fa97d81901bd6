//! Making connections with the settings of this crate.

use crate::stores::error::store::StoreError;
use crate::stores::postgres::failure::Failure;
use crate::stores::postgres::hosts::Hosts;
use crate::stores::postgres::options::PostgresOptions;
use crate::stores::postgres::options::TargetSession;
use crate::stores::postgres::pooler::{Pooler, SETTINGS, milliseconds};
use crate::stores::postgres::statements::Statements;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection};
use std::time::Duration;

/// How long the first connection may take. Later ones have the time of the operation that needs them.
const FIRST_CONNECTION: Duration = Duration::from_secs(10);
/// The additional time before the timeout of all servers, so that the error of the last server comes first.
const SHARED: Duration = Duration::from_millis(100);
/// How long a statement of the writer waits for a lock of another session before its writes are sent one by one.
const WRITERS_LOCK_TIMEOUT: Duration = Duration::from_millis(100);

/// Returns how connections for all operations are made, and how those of the writer are made.
pub(super) fn settings(
    servers: &[PgConnectOptions],
    target: TargetSession,
    statements: &Statements,
    options: &PostgresOptions,
) -> (Hosts, Hosts) {
    let with_locks = |timeout: Duration| {
        let servers = servers.iter().cloned();
        let servers = servers.map(|server| as_wanted(server, options.pooler, timeout));
        Hosts::new(
            servers.collect(),
            target,
            options.pooler.session_settings(timeout),
            statements.is_at_home(),
        )
    };
    let everybody = with_locks(options.lock_timeout);
    let writer = with_locks(writers_lock_timeout(options));
    (everybody, writer)
}

/// Returns how connections for the handlers of projections are made.
///
/// Their statements are the user's, so they decide themselves what stays prepared, which a pooler may not allow.
pub(super) fn handlers(
    servers: &[PgConnectOptions],
    target: TargetSession,
    statements: &Statements,
    options: &PostgresOptions,
) -> Hosts {
    let servers = servers.iter().cloned().map(|server| {
        let server = as_wanted(server, options.pooler, options.lock_timeout);
        if options.pooler.keeps_statements() {
            server
        } else {
            server.statement_cache_capacity(0)
        }
    });
    Hosts::new(
        servers.collect(),
        target,
        options.pooler.session_settings(options.lock_timeout),
        statements.is_at_home(),
    )
}

/// Returns the lock timeout of the writer: a lock of another session on one log must not delay a batch for long.
pub(super) fn writers_lock_timeout(options: &PostgresOptions) -> Duration {
    options.lock_timeout.min(WRITERS_LOCK_TIMEOUT)
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
        // PgBouncer does not know this parameter, and without it nothing changes that is read here.
        connect.extra_float_digits(None)
    }
}

/// Connects once, to report early and exactly what is wrong.
pub(super) async fn try_out(servers: &Hosts, timeout: Duration) -> Result<(), StoreError> {
    let patience = FIRST_CONNECTION.min(timeout);
    // Several servers share the time, and their errors say more than a timeout.
    match tokio::time::timeout(patience + SHARED, servers.connect(patience)).await {
        Ok(first) => {
            // It only showed that a connection can be made.
            let _ = first?.close().await;
            Ok(())
        }
        Err(_) => Err(Failure::Silent { silence: patience }.into()),
    }
}
