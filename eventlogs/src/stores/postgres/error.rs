//! Errors of the server and the driver, as errors that say what to do.

use crate::stores::error::store::StoreError;
use crate::stores::postgres::failure::{Failure, Verdict, refuses_parameters};
use crate::stores::postgres::migrations::NEEDED;
use crate::stores::postgres::{codes, tls};

/// The error for the caller.
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
                source: failure.into(),
            },
            Failure::Silent { .. } | Failure::Late => Self::Unavailable {
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
                source: error.into(),
            };
        }
        sqlx::Error::Database(error) => error.code().unwrap_or_default().into_owned(),
        _ => String::new(),
    };
    let source = error.into();
    match code.as_str() {
        codes::INVALID_AUTHORIZATION | codes::INVALID_PASSWORD | codes::INVALID_CATALOG => {
            StoreError::AccessDenied { source }
        }
        codes::UNDEFINED_TABLE | codes::INVALID_SCHEMA => StoreError::NotMigrated {
            found: 0,
            needed: NEEDED,
        },
        codes::DUPLICATE_STATEMENT | codes::UNDEFINED_STATEMENT => StoreError::Pooler {
            advice: SHARED_SESSIONS,
            source,
        },
        codes::INSUFFICIENT_PRIVILEGE => StoreError::InsufficientPrivilege { source },
        codes::READ_ONLY_TRANSACTION => StoreError::ReadOnly { path: None, source },
        codes::LOCK_NOT_AVAILABLE => StoreError::Busy { source },
        codes::DATA_CORRUPTED | codes::INDEX_CORRUPTED => StoreError::Corrupt {
            advice: CORRUPT,
            source,
        },
        _ if verdict == Verdict::Ended => StoreError::Unavailable { source },
        code if code.starts_with(codes::INSUFFICIENT_RESOURCES) => {
            StoreError::StorageFull { source }
        }
        _ => StoreError::Database { source },
    }
}

/// What to do about a pooler that refuses how a session is begun.
const STARTUP: &str = "it refuses the parameters of a new session: say in `PostgresOptions::pooler` how it hands out its sessions, or have it ignore them with `ignore_startup_parameters = extra_float_digits,options`";
/// What to do about a pooler that has given the session of a connection to somebody else.
const SHARED_SESSIONS: &str = "it gives a session to others after each transaction: set `PostgresOptions::pooler` to `Pooler::Transaction`";
/// What to do about damaged files of a server.
const CORRUPT: &str =
    "stop writing, and have the server's administrator look at its log and restore a backup";

/// Whether an error may be the fault of one write of a batch, such as a lock that it waits for. Where it is about the server,
/// the writes would fail alone, too, each after its own time.
pub(super) const fn may_concern_one_write(error: &StoreError) -> bool {
    !matches!(
        error,
        StoreError::OutcomeUnknown { .. }
            | StoreError::Unavailable { .. }
            | StoreError::NoPrimary { .. }
            | StoreError::ReadOnly { .. }
            | StoreError::AccessDenied { .. }
            | StoreError::Tls { .. }
            | StoreError::Closed
    )
}

/// The same error for another caller. A source cannot be copied, so its text is.
pub(super) fn for_another_caller(error: &StoreError) -> StoreError {
    let text =
        || std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
    match error {
        StoreError::OutcomeUnknown { .. } => StoreError::OutcomeUnknown {
            source: Some(text().into()),
        },
        StoreError::Unavailable { .. } => StoreError::Unavailable {
            source: text().into(),
        },
        StoreError::Closed => StoreError::Closed,
        StoreError::NoPrimary { .. } => StoreError::NoPrimary {
            source: text().into(),
        },
        StoreError::Pooler { advice, .. } => StoreError::Pooler {
            advice,
            source: text().into(),
        },
        StoreError::UnstorableName { name, .. } => StoreError::UnstorableName {
            name: name.clone(),
            source: text().into(),
        },
        StoreError::Corrupt { advice, .. } => StoreError::Corrupt {
            advice,
            source: text().into(),
        },
        StoreError::Tls { advice, .. } => StoreError::Tls {
            advice,
            source: text().into(),
        },
        StoreError::ReadOnly { .. } => StoreError::ReadOnly {
            path: None,
            source: text().into(),
        },
        StoreError::InsufficientPrivilege { .. } => StoreError::InsufficientPrivilege {
            source: text().into(),
        },
        StoreError::StorageFull { .. } => StoreError::StorageFull {
            source: text().into(),
        },
        StoreError::Busy { .. } => StoreError::Busy {
            source: text().into(),
        },
        StoreError::AccessDenied { .. } => StoreError::AccessDenied {
            source: text().into(),
        },
        StoreError::NotMigrated { found, needed } => StoreError::NotMigrated {
            found: *found,
            needed: *needed,
        },
        _ => StoreError::Database {
            source: text().into(),
        },
    }
}
