//! What the server and the driver say, as errors that say what to do.

use crate::stores::error::store::StoreError;
use crate::stores::postgres::migrate::NEEDED;
use crate::stores::postgres::tls;
use sqlx::error::DatabaseError;
use sqlx::postgres::{PgDatabaseError, PgSeverity};
use std::error::Error;
use std::time::Duration;

/// Codes of PostgreSQL, from the appendix "Error Codes" of its documentation.
pub(super) mod code {
    pub(super) const FEATURE_NOT_SUPPORTED: &str = "0A000";
    pub(in super::super) const INVALID_AUTHORIZATION: &str = "28000";
    pub(super) const INVALID_PASSWORD: &str = "28P01";
    pub(super) const PROTOCOL_VIOLATION: &str = "08P01";
    pub(super) const UNDEFINED_STATEMENT: &str = "26000";
    pub(super) const DUPLICATE_STATEMENT: &str = "42P05";
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
    pub(super) const DATA_CORRUPTED: &str = "XX001";
    pub(super) const INDEX_CORRUPTED: &str = "XX002";
    /// The class of all that is about want of room.
    pub(super) const INSUFFICIENT_RESOURCES: &str = "53";
    /// The class of what somebody who runs the server does to it.
    pub(super) const OPERATOR_INTERVENTION: &str = "57";
    /// The class of broken connections.
    pub(super) const CONNECTION_EXCEPTION: &str = "08";
}

/// Where the server finds out that a plan is of no use any more. Messages are translated, names of functions are not.
const STALE_PLAN: &str = "RevalidateCachedQuery";

/// Why an attempt has no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// No connection could be made.
    #[error(transparent)]
    Connecting(sqlx::Error),
    /// A statement failed, or the connection that it was on.
    #[error(transparent)]
    Statement(#[from] sqlx::Error),
    /// All servers that let us in only read, and one that writes is wanted.
    #[error("of {servers} servers {read_only} let this process in, and they only read")]
    NoPrimary {
        /// How many there are.
        servers: usize,
        /// How many of them only read.
        read_only: usize,
    },
    /// The tables on this server come from another one.
    #[error("the tables come from another server")]
    Elsewhere,
    /// Nothing came from the server.
    #[error("the server has been silent for {silence:?}")]
    Silent {
        /// For how long.
        silence: Duration,
    },
    /// The time of the operation is over.
    #[error("the server has not answered in time")]
    Late,
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
}

/// What a failure means for the attempt that met it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The statement did nothing, and nothing will come of trying it again.
    Final,
    /// The statement did nothing, and may well go through the next time.
    Retry,
    /// There is no connection, or none any more: the statement may have been carried out or not.
    Ended,
    /// The statement did nothing, since this server only reads. Another one may write.
    ReadOnly,
    /// The statement did nothing, since what the connection knows of the tables is not true any more.
    Stale,
    /// Another row was there first; a look at it tells more.
    Clash,
    /// Trying again is of no use, even where the outcome of an earlier attempt is open.
    Over,
}

impl Failure {
    /// A failure to get a connection.
    pub(super) fn connecting(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::PoolClosed => Self::Closed,
            error => Self::Connecting(error),
        }
    }

    /// What it means.
    pub(super) fn verdict(&self) -> Verdict {
        match self {
            Self::Connecting(error) => of_connecting(error),
            Self::Statement(error) => of_statement(error),
            Self::NoPrimary { .. } | Self::Silent { .. } => Verdict::Ended,
            Self::Elsewhere => Verdict::Final,
            Self::Late | Self::Closed => Verdict::Over,
        }
    }

    /// Whether a statement that met it may have been carried out: the server has not said no.
    pub(super) fn leaves_open(&self) -> bool {
        match self {
            Self::Statement(sqlx::Error::Database(_)) => self.verdict() == Verdict::Ended,
            Self::Statement(sqlx::Error::Encode(_)) => false,
            _ => true,
        }
    }

    /// Whether the connection cannot be used any more.
    pub(super) fn ends_connection(&self) -> bool {
        match self {
            Self::Statement(sqlx::Error::Database(_)) => matches!(
                self.verdict(),
                Verdict::Ended | Verdict::ReadOnly | Verdict::Stale
            ),
            _ => true,
        }
    }

    /// Whether it says as much about the other connections, to the same server and made before, as about its own.
    pub(super) fn speaks_for_others(&self) -> bool {
        let verdict = self.verdict();
        match self {
            Self::Statement(_) => {
                matches!(verdict, Verdict::Ended | Verdict::ReadOnly | Verdict::Stale)
            }
            Self::Silent { .. } => true,
            // A caller's deadline may be a short one.
            Self::Connecting(_)
            | Self::NoPrimary { .. }
            | Self::Elsewhere
            | Self::Late
            | Self::Closed => false,
        }
    }

    /// The same as the source of an error.
    pub(super) fn into_source(self) -> Box<dyn Error + Send + Sync> {
        match self {
            Self::Connecting(error) | Self::Statement(error) => error.into(),
            failure => failure.into(),
        }
    }
}

/// What an error of a statement means.
pub(super) fn of_statement(error: &sqlx::Error) -> Verdict {
    let error = match error {
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => {
            return Verdict::Ended;
        }
        sqlx::Error::Database(error) => error,
        // A closed pool, or the driver's own troubles with an answer: the next one would be as the last.
        _ => return Verdict::Over,
    };
    let postgres = error.try_downcast_ref::<PgDatabaseError>();
    // Sent to a session that is ended, whatever for, possibly while its commit was under way.
    let is_fatal = postgres
        .is_some_and(|error| matches!(error.severity(), PgSeverity::Fatal | PgSeverity::Panic));
    if is_fatal {
        return Verdict::Ended;
    }
    match error.code().as_deref() {
        Some(code::UNIQUE_VIOLATION) => Verdict::Clash,
        // What stands between the server and us may call the same an error.
        Some(
            code::ADMIN_SHUTDOWN
            | code::CRASH_SHUTDOWN
            | code::CANNOT_CONNECT_NOW
            | code::TOO_MANY_CONNECTIONS,
        ) => Verdict::Ended,
        Some(code) if code.starts_with(code::CONNECTION_EXCEPTION) => Verdict::Ended,
        Some(code::SERIALIZATION_FAILURE | code::DEADLOCK_DETECTED) => Verdict::Retry,
        Some(code::READ_ONLY_TRANSACTION) => Verdict::ReadOnly,
        Some(code::FEATURE_NOT_SUPPORTED)
            if postgres.and_then(PgDatabaseError::routine) == Some(STALE_PLAN) =>
        {
            Verdict::Stale
        }
        _ => Verdict::Final,
    }
}

/// What it means that no connection could be made. There each error is fatal; some pass.
fn of_connecting(error: &sqlx::Error) -> Verdict {
    let error = match error {
        // To the driver a bad certificate is an error of the network. It stays as it is.
        sqlx::Error::Io(_) if tls::advice(error).is_some() => return Verdict::Final,
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => {
            return Verdict::Ended;
        }
        sqlx::Error::Database(error) => error,
        _ => return Verdict::Final,
    };
    if is_refusal_of_parameters(&**error) {
        return Verdict::Final;
    }
    let code = error.code().unwrap_or_default();
    let passing = [
        code::INSUFFICIENT_RESOURCES,
        code::OPERATOR_INTERVENTION,
        code::CONNECTION_EXCEPTION,
    ];
    if passing.iter().any(|class| code.starts_with(class)) {
        Verdict::Ended
    } else {
        Verdict::Final
    }
}

/// What went wrong, for the caller.
pub(super) fn of(failure: impl Into<Failure>) -> StoreError {
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
                None => of_driver(error, verdict),
            },
            Failure::Statement(error) => of_driver(error, verdict),
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

/// A pooler that does not know a startup parameter. Its other troubles have the same code.
fn is_refusal_of_parameters(error: &(dyn DatabaseError + 'static)) -> bool {
    error.code().as_deref() == Some(code::PROTOCOL_VIOLATION)
        && error.message().contains("unsupported startup parameter")
}

fn refuses_parameters(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .is_some_and(is_refusal_of_parameters)
}

fn of_driver(error: sqlx::Error, verdict: Verdict) -> StoreError {
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
        code::INVALID_AUTHORIZATION | code::INVALID_PASSWORD | code::INVALID_CATALOG => {
            StoreError::AccessDenied {
                advice: ACCESS_DENIED,
                source,
            }
        }
        code::UNDEFINED_TABLE | code::INVALID_SCHEMA => StoreError::NotMigrated {
            found: 0,
            needed: NEEDED,
        },
        code::DUPLICATE_STATEMENT | code::UNDEFINED_STATEMENT => StoreError::Pooler {
            advice: SHARED_SESSIONS,
            source,
        },
        code::INSUFFICIENT_PRIVILEGE => StoreError::InsufficientPrivilege {
            advice: INSUFFICIENT_PRIVILEGE,
            source,
        },
        code::READ_ONLY_TRANSACTION => StoreError::ReadOnly {
            path: None,
            advice: READ_ONLY,
            source,
        },
        code::LOCK_NOT_AVAILABLE => StoreError::Busy { source },
        code::DATA_CORRUPTED | code::INDEX_CORRUPTED => StoreError::Corrupt {
            advice: CORRUPT,
            source,
        },
        _ if verdict == Verdict::Ended => StoreError::Unavailable {
            advice: UNAVAILABLE,
            source,
        },
        code if code.starts_with(code::INSUFFICIENT_RESOURCES) => {
            StoreError::StorageFull { source }
        }
        _ => StoreError::Database { source },
    }
}

/// What to check if no server answers.
const UNAVAILABLE: &str =
    "check the address of the server, and whether it runs and has connections left";
/// What to check if the server does not let the user in.
const ACCESS_DENIED: &str = "check user, password and database name, and the server's pg_hba.conf";
/// What to do about a missing privilege.
const INSUFFICIENT_PRIVILEGE: &str =
    "grant it; the documentation of `PostgresEventStore::migrate` lists what is needed";
/// What to do if a server only reads.
const READ_ONLY: &str = "connect to the primary";
/// What to do if no server accepts writes.
const NO_PRIMARY: &str = "check that one of the servers in the address is the primary, or set `target_session_attrs=any` to read from the others";
/// What to do about a pooler that refuses how a session is begun.
const STARTUP: &str = "it refuses the parameters of a new session: say in `PostgresOptions::pooler` how it hands out its sessions, or have it ignore them with `ignore_startup_parameters = extra_float_digits,options`";
/// What to do about a pooler that has given the session of a connection to somebody else.
const SHARED_SESSIONS: &str = "it gives a session to others after each transaction: set `PostgresOptions::pooler` to `Pooler::Transaction`";
/// What to do about damaged files of a server.
const CORRUPT: &str =
    "stop writing, and have the server's administrator look at its log and restore a backup";
