//! Converting errors of the server and the driver into errors that say what to do.

use crate::stores::error::store::StoreError;
use crate::stores::postgres::failure::{Failure, Verdict, refuses_parameters};
use crate::stores::postgres::migrations::NEEDED;
use crate::stores::postgres::{codes, tls};

/// Converts a failure into the error that the caller gets.
pub(super) fn into_store_error(failure: impl Into<Failure>) -> StoreError {
    failure.into().into()
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        let verdict = failure.verdict();
        match failure {
            Failure::Connecting(error) => match tls::advice(&error) {
                Some(advice) => Self::Tls {
                    advice,
                    source: error.into(),
                },
                None if refuses_parameters(&error) => Self::Pooler {
                    advice: STARTUP,
                    source: error.into(),
                },
                None => convert_driver_error(error, verdict),
            },
            Failure::Statement(error) => convert_driver_error(error, verdict),
            Failure::NoPrimary { .. } => Self::NoPrimary {
                advice: NO_PRIMARY,
                source: failure.into(),
            },
            Failure::Silent { .. } | Failure::Late => Self::Unavailable {
                advice: UNAVAILABLE,
                source: failure.into(),
            },
            Failure::Elsewhere => Self::NotMigrated {
                found: NEEDED,
                needed: NEEDED,
            },
            Failure::Closed => Self::Closed,
        }
    }
}

fn convert_driver_error(error: sqlx::Error, verdict: Verdict) -> StoreError {
    let code = match &error {
        sqlx::Error::PoolClosed => return StoreError::Closed,
        sqlx::Error::PoolTimedOut => {
            return StoreError::Unavailable {
                advice: UNAVAILABLE,
                source: error.into(),
            };
        }
        sqlx::Error::Database(error) => error.code().unwrap_or_default().into_owned(),
        _ => String::new(),
    };
    let source = error.into();
    match code.as_str() {
        codes::INVALID_AUTHORIZATION | codes::INVALID_PASSWORD | codes::INVALID_CATALOG => {
            StoreError::AccessDenied {
                advice: ACCESS_DENIED,
                source,
            }
        }
        codes::UNDEFINED_TABLE | codes::INVALID_SCHEMA => StoreError::NotMigrated {
            found: 0,
            needed: NEEDED,
        },
        codes::DUPLICATE_STATEMENT | codes::UNDEFINED_STATEMENT => StoreError::Pooler {
            advice: SHARED_SESSIONS,
            source,
        },
        codes::INSUFFICIENT_PRIVILEGE => StoreError::InsufficientPrivilege {
            advice: INSUFFICIENT_PRIVILEGE,
            source,
        },
        codes::READ_ONLY_TRANSACTION => StoreError::ReadOnly {
            path: None,
            advice: READ_ONLY,
            source,
        },
        codes::LOCK_NOT_AVAILABLE => StoreError::Busy { source },
        codes::DATA_CORRUPTED | codes::INDEX_CORRUPTED => StoreError::Corrupt {
            advice: CORRUPT,
            source,
        },
        _ if verdict == Verdict::Ended => StoreError::Unavailable {
            advice: UNAVAILABLE,
            source,
        },
        code if code.starts_with(codes::INSUFFICIENT_RESOURCES) => {
            StoreError::StorageFull { source }
        }
        _ => StoreError::Database { source },
    }
}

/// Advice if no server answers.
const UNAVAILABLE: &str =
    "check the address of the server, that the server runs, and that it has connections left";
/// Advice if the server does not let the user in.
const ACCESS_DENIED: &str =
    "check the user, the password and the database name, and the server's `pg_hba.conf`";
/// Advice about a missing privilege.
const INSUFFICIENT_PRIVILEGE: &str =
    "grant it; the documentation of `PostgresEventStore::migrate` lists the privileges";
/// Advice if a server only reads.
const READ_ONLY: &str = "connect to the primary";
/// Advice if no server accepts writes.
const NO_PRIMARY: &str = "check that the URL names the primary, or set `target_session_attrs=any` to read from the other servers";
/// Advice about a pooler that refuses the parameters of a new session.
const STARTUP: &str = "it refuses the startup parameters of a session: set `PostgresOptions::pooler` to its pool mode, or configure it with `ignore_startup_parameters = extra_float_digits,options`";
/// Advice about a pooler that has given the session of a connection to another client.
const SHARED_SESSIONS: &str = "it gives a session to another client after each transaction: set `PostgresOptions::pooler` to `Pooler::Transaction`";
/// Advice about damaged files of a server.
const CORRUPT: &str = "stop writing, and ask the server's administrator to check the server log and to restore a backup";
