//! The servers that tests run against, if there are any: shared ones by their URL, and private ones from their binaries.

mod authority;
mod bouncer;
mod moved;
mod private;
mod restart;
mod stopped;

use std::collections::HashSet;
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

pub(crate) use authority::{Authority, Credentials, Files};
pub(crate) use bouncer::PgBouncer;
pub(crate) use private::{PrivatePostgres, PrivateRedis};

/// Where PostgreSQL is; says once if it is nowhere, and fails where it must not be.
pub(crate) fn postgres_url() -> Option<String> {
    found("EVENTLOGS_POSTGRES_URL", "everything on PostgreSQL")
}

/// Where Redis is; the same.
pub(crate) fn redis_url() -> Option<String> {
    found("EVENTLOGS_REDIS_URL", "everything on Redis")
}

/// Where the binaries of PostgreSQL are, for a test that needs a server of its own.
fn postgres_binaries() -> Option<PathBuf> {
    private_found(
        "EVENTLOGS_POSTGRES_BIN",
        "what stops and restarts PostgreSQL",
    )
}

/// Where `redis-server` is, for the same.
fn redis_server() -> Option<PathBuf> {
    private_found("EVENTLOGS_REDIS_SERVER", "what stops and restarts Redis")
}

/// Where `pgbouncer` is.
fn pgbouncer() -> Option<PathBuf> {
    private_found("EVENTLOGS_PGBOUNCER", "everything behind PgBouncer")
}

fn found(variable: &str, what: &str) -> Option<String> {
    let value = std::env::var(variable)
        .ok()
        .filter(|value| !value.is_empty());
    if value.is_none() {
        left_out(&format!(
            "{what}: {variable} is not set; ./scripts/servers starts one"
        ));
    }
    value
}

/// Containers and other people's servers come without binaries, and `scripts/servers` has said so.
fn private_found(variable: &str, what: &str) -> Option<PathBuf> {
    if std::env::var_os(variable).is_none()
        && std::env::var_os("EVENTLOGS_SERVERS").is_some_and(|servers| servers == "shared")
    {
        return None;
    }
    found(variable, what).map(PathBuf::from)
}

/// Says what was left out, once a run; a failure where nothing may be.
pub(crate) fn left_out(what: &str) {
    static SAID: Mutex<Option<HashSet<String>>> = Mutex::new(None);
    assert!(
        std::env::var_os("EVENTLOGS_SERVERS").is_none(),
        "left out: {what}"
    );
    let mut said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
    if said.get_or_insert_default().insert(what.to_owned()) {
        // Not with `eprintln`, of which the output of a test that passes is never seen.
        let _ = writeln!(std::io::stderr(), "left out: {what}");
    }
}
