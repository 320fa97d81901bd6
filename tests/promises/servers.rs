//! The servers that tests run against, if available: shared ones by their URL, and private ones started from their binaries.

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

/// Returns the URL of PostgreSQL. Without one, reports once what is left out, or fails if nothing may be.
pub(crate) fn postgres_url() -> Option<String> {
    found("EVENTLOGS_POSTGRES_URL", "all tests with PostgreSQL")
}

/// Returns the URL of Redis, under the same rules.
pub(crate) fn redis_url() -> Option<String> {
    found("EVENTLOGS_REDIS_URL", "all tests with Redis")
}

/// Returns the folder with the binaries of PostgreSQL, for a test that needs a server of its own.
fn postgres_binaries() -> Option<PathBuf> {
    private_found(
        "EVENTLOGS_POSTGRES_BIN",
        "tests that stop and restart PostgreSQL",
    )
}

/// Returns the path of `redis-server`, for a test that needs a server of its own.
fn redis_server() -> Option<PathBuf> {
    private_found(
        "EVENTLOGS_REDIS_SERVER",
        "tests that stop and restart Redis",
    )
}

/// Returns the path of `pgbouncer`.
fn pgbouncer() -> Option<PathBuf> {
    private_found("EVENTLOGS_PGBOUNCER", "all tests with PgBouncer")
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

/// Containers and external servers come without binaries, and `scripts/servers` has reported that.
fn private_found(variable: &str, what: &str) -> Option<PathBuf> {
    if std::env::var_os(variable).is_none()
        && std::env::var_os("EVENTLOGS_SERVERS").is_some_and(|servers| servers == "shared")
    {
        return None;
    }
    found(variable, what).map(PathBuf::from)
}

/// Reports once per run what was left out; fails if nothing may be.
pub(crate) fn left_out(what: &str) {
    static SAID: Mutex<Option<HashSet<String>>> = Mutex::new(None);
    assert!(
        std::env::var_os("EVENTLOGS_SERVERS").is_none(),
        "left out: {what}"
    );
    let mut said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
    if said.get_or_insert_default().insert(what.to_owned()) {
        // `eprintln` is no use here, because the output of a test that passes is never shown.
        let _ = writeln!(std::io::stderr(), "left out: {what}");
    }
}
