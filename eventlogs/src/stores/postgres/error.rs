//! What the server and the driver say, as errors that say what to do.

use super::migrate::NEEDED;
use crate::stores::StoreError;

/// Codes of PostgreSQL, from the appendix "Error Codes" of its documentation.
mod code {
    pub(super) const INVALID_AUTHORIZATION: &str = "28000";
    pub(super) const INVALID_PASSWORD: &str = "28P01";
    pub(super) const INVALID_CATALOG: &str = "3D000";
    pub(super) const INVALID_SCHEMA: &str = "3F000";
    pub(super) const UNDEFINED_TABLE: &str = "42P01";
    pub(super) const INSUFFICIENT_PRIVILEGE: &str = "42501";
    pub(super) const READ_ONLY_TRANSACTION: &str = "25006";
    pub(super) const SERIALIZATION_FAILURE: &str = "40001";
    pub(super) const DEADLOCK_DETECTED: &str = "40P01";
    pub(super) const LOCK_NOT_AVAILABLE: &str = "55P03";
    pub(super) const UNIQUE_VIOLATION: &str = "23505";
    pub(super) const ADMIN_SHUTDOWN: &str = "57P01";
    pub(super) const CRASH_SHUTDOWN: &str = "57P02";
    pub(super) const CANNOT_CONNECT_NOW: &str = "57P03";
    pub(super) const TOO_MANY_CONNECTIONS: &str = "53300";
    /// The class of all that is about want of room.
    pub(super) const INSUFFICIENT_RESOURCES: &str = "53";
    /// The class of damaged files.
    pub(super) const DATA_CORRUPTED: &str = "XX";
    /// The class of broken connections.
    pub(super) const CONNECTION_EXCEPTION: &str = "08";
}

/// What an error means for the statement that met it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The statement did nothing, and nothing will come of trying it again.
    Final,
    /// The statement did nothing, and may well go through the next time.
    Retry,
    /// The connection broke: the statement may have been carried out or not.
    InDoubt,
    /// Another row was there first; a look at it tells more.
    Clash,
}

/// What an error of a statement means.
pub(super) fn verdict(error: &sqlx::Error) -> Verdict {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => {
            Verdict::InDoubt
        }
        sqlx::Error::Database(error) => match error.code().as_deref() {
            Some(code::UNIQUE_VIOLATION) => Verdict::Clash,
            // Sent to a session that is ended, possibly while its commit was under way; and to new connections, while the
            // server starts, ends or is full.
            Some(
                code::ADMIN_SHUTDOWN
                | code::CRASH_SHUTDOWN
                | code::CANNOT_CONNECT_NOW
                | code::TOO_MANY_CONNECTIONS,
            ) => Verdict::InDoubt,
            Some(code::SERIALIZATION_FAILURE | code::DEADLOCK_DETECTED) => Verdict::Retry,
            Some(code) if code.starts_with(code::CONNECTION_EXCEPTION) => Verdict::InDoubt,
            _ => Verdict::Final,
        },
        _ => Verdict::Final,
    }
}

/// Whether the connection cannot be used any more.
pub(super) fn is_broken(error: &sqlx::Error) -> bool {
    !matches!(error, sqlx::Error::Database(_)) || verdict(error) == Verdict::InDoubt
}

/// Whether the server only reads, such as one that waits to take over.
pub(super) fn is_read_only(error: &sqlx::Error) -> bool {
    let code = error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code);
    code.as_deref() == Some(code::READ_ONLY_TRANSACTION)
}

/// What went wrong, for the caller.
pub(super) fn of(error: sqlx::Error) -> StoreError {
    let code = match &error {
        sqlx::Error::PoolClosed => return StoreError::Closed,
        sqlx::Error::Tls(_) => {
            return StoreError::Tls {
                source: error.into(),
            };
        }
        sqlx::Error::PoolTimedOut
        | sqlx::Error::Io(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::WorkerCrashed => {
            return StoreError::Unavailable {
                source: error.into(),
            };
        }
        sqlx::Error::Database(error) => error.code().unwrap_or_default().into_owned(),
        _ => String::new(),
    };
    let source = error.into();
    match code.as_str() {
        code::INVALID_AUTHORIZATION | code::INVALID_PASSWORD | code::INVALID_CATALOG => {
            StoreError::Refused { source }
        }
        code::UNDEFINED_TABLE | code::INVALID_SCHEMA => StoreError::NotMigrated {
            found: 0,
            needed: NEEDED,
        },
        code::INSUFFICIENT_PRIVILEGE => StoreError::MissingRights { source },
        code::READ_ONLY_TRANSACTION => StoreError::ReadOnly { path: None, source },
        code::LOCK_NOT_AVAILABLE => StoreError::Busy { source },
        code::ADMIN_SHUTDOWN
        | code::CRASH_SHUTDOWN
        | code::CANNOT_CONNECT_NOW
        | code::TOO_MANY_CONNECTIONS => StoreError::Unavailable { source },
        code if code.starts_with(code::CONNECTION_EXCEPTION) => StoreError::Unavailable { source },
        code if code.starts_with(code::INSUFFICIENT_RESOURCES) => StoreError::Full { source },
        code if code.starts_with(code::DATA_CORRUPTED) => StoreError::Damaged { source },
        _ => StoreError::Database { source },
    }
}

/// What went wrong with the first connection.
pub(super) fn of_connecting(error: sqlx::Error) -> StoreError {
    // A server that insists on TLS has no other way to say so.
    let insists = error.as_database_error().is_some_and(|error| {
        error.code().as_deref() == Some(code::INVALID_AUTHORIZATION)
            && error.message().contains("no encryption")
    });
    if insists {
        StoreError::Tls {
            source: error.into(),
        }
    } else {
        of(error)
    }
}
