//! Causes that pass.

use crate::error_kind::ErrorKind;
use std::error::Error;

/// Returns `true` if the error or one of its causes comes from a connection or a lock.
pub(crate) fn passes(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<std::io::Error>() || passes_in_database(error) {
            return true;
        }
        cause = error.source();
    }
    false
}

#[cfg(feature = "_database")]
fn passes_in_database(error: &(dyn Error + 'static)) -> bool {
    let Some(error) = error.downcast_ref::<sqlx::Error>() else {
        return false;
    };
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| {
            // Connections, conflicts between transactions, lack of resources, and an operator who intervenes; locks.
            let classes = ["08", "40", "53", "57", LOCK_NOT_AVAILABLE];
            let is_postgres = code.len() == 5 && code != QUERY_CANCELED;
            (is_postgres && classes.iter().any(|class| code.starts_with(class)))
                || is_sqlite_lock(&code)
        }),
        _ => false,
    }
}

/// Code of PostgreSQL: a lock was not free in time.
#[cfg(feature = "_database")]
const LOCK_NOT_AVAILABLE: &str = "55P03";
/// Code of PostgreSQL: mostly a statement that takes longer than its timeout, and would do so again.
#[cfg(feature = "_database")]
const QUERY_CANCELED: &str = "57014";

#[cfg(not(feature = "_database"))]
const fn passes_in_database(_: &(dyn Error + 'static)) -> bool {
    false
}

/// Returns `true` for the codes of SQLite for a locked file or table, extended or not.
#[cfg(feature = "_database")]
fn is_sqlite_lock(code: &str) -> bool {
    let primary = code.parse::<i32>().map(|code| code & 0xff);
    code.len() < 5 && matches!(primary, Ok(5 | 6))
}

/// Returns what to do after a statement that did not write anything: try again if its cause passes, else call somebody.
pub(crate) fn kind_of_cause(error: &(dyn Error + 'static)) -> ErrorKind {
    if passes(error) {
        ErrorKind::TryAgain
    } else {
        ErrorKind::Internal
    }
}
