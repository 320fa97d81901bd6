//! Why an attempt has no answer, and what follows for the next attempt.

use crate::shared_error::SharedError;
use crate::stores::error::store::StoreError;
use crate::stores::postgres::{codes, tls};
use sqlx::error::DatabaseError;
use sqlx::postgres::{PgDatabaseError, PgSeverity};
use std::time::Duration;

/// The server's function that finds a stale plan. Messages are translated, names of functions are not.
const STALE_PLAN: &str = "RevalidateCachedQuery";

/// The reason why an attempt has no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// No connection could be made.
    #[error(transparent)]
    Connecting(sqlx::Error),
    /// A statement failed, or its connection.
    #[error(transparent)]
    Statement(#[from] sqlx::Error),
    /// All servers that let the store in only read, and one that accepts writes is required.
    #[error("{read_only} of {servers} servers let this process in, and they only read")]
    NoPrimary {
        /// How many servers there are.
        servers: usize,
        /// How many of them only read.
        read_only: usize,
    },
    /// The tables on this server come from another server.
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

/// The end of an attempt that has no answer.
pub(super) enum AttemptError<E = StoreError> {
    /// A server, a connection or the driver is the cause: another attempt may get an answer.
    Failed(Failure),
    /// The error is the answer: every other attempt would get the same error.
    Final(E),
}

impl<E> From<Failure> for AttemptError<E> {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl<E> From<sqlx::Error> for AttemptError<E> {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(Failure::Statement(error))
    }
}

/// The meaning of a failure for the attempt that met it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The statement did nothing, and another attempt would not change that.
    Final,
    /// The statement did nothing, and may succeed the next time.
    Retry,
    /// There is no connection, or none any more: the statement is in doubt.
    Ended,
    /// The statement did nothing, because this server only reads. Another server may accept writes.
    ReadOnly,
    /// The statement did nothing, because the connection's prepared statement no longer fits the tables.
    Stale,
    /// Another row was there first; a query finds out more.
    Clash,
    /// Another attempt is of no use, even while an earlier one is in doubt.
    Over,
}

impl Failure {
    /// Makes the failure of getting a connection.
    pub(super) fn connecting(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::PoolClosed => Self::Closed,
            error => Self::Connecting(error),
        }
    }

    /// Returns the meaning of this failure.
    pub(super) fn verdict(&self) -> Verdict {
        match self {
            Self::Connecting(error) => classify_connecting(error),
            Self::Statement(error) => classify_statement(error),
            Self::NoPrimary { .. } | Self::Silent { .. } => Verdict::Ended,
            Self::Elsewhere => Verdict::Final,
            Self::Late | Self::Closed => Verdict::Over,
        }
    }

    /// Returns `true` if the failed statement may have been carried out: the server has not refused it.
    pub(super) fn leaves_open(&self) -> bool {
        match self {
            Self::Statement(sqlx::Error::Database(_)) => self.verdict() == Verdict::Ended,
            Self::Statement(sqlx::Error::Encode(_)) => false,
            _ => true,
        }
    }

    /// Returns `true` if the connection cannot be used any more.
    pub(super) fn ends_connection(&self) -> bool {
        match self {
            Self::Statement(sqlx::Error::Database(_)) => matches!(
                self.verdict(),
                Verdict::Ended | Verdict::ReadOnly | Verdict::Stale
            ),
            _ => true,
        }
    }

    /// Returns `true` if the failure holds as well for the other connections that were made earlier to the same server.
    pub(super) fn speaks_for_others(&self) -> bool {
        let verdict = self.verdict();
        match self {
            Self::Statement(_) => {
                matches!(verdict, Verdict::Ended | Verdict::ReadOnly | Verdict::Stale)
            }
            Self::Silent { .. } => true,
            // The deadline that passed may be a caller's short one.
            Self::Connecting(_)
            | Self::NoPrimary { .. }
            | Self::Elsewhere
            | Self::Late
            | Self::Closed => false,
        }
    }

    /// Converts the failure into the source of an error.
    pub(super) fn into_source(self) -> SharedError {
        match self {
            Self::Connecting(error) | Self::Statement(error) => error.into(),
            failure => failure.into(),
        }
    }
}

/// Returns the meaning of a statement's error.
pub(super) fn classify_statement(error: &sqlx::Error) -> Verdict {
    let error = match error {
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => {
            return Verdict::Ended;
        }
        sqlx::Error::Database(error) => error,
        // A closed pool, or an answer that the driver cannot read: the next attempt would end in the same way.
        _ => return Verdict::Over,
    };
    let postgres = error.try_downcast_ref::<PgDatabaseError>();
    // The server ends the session, for any reason, and possibly during its commit.
    let is_fatal = postgres
        .is_some_and(|error| matches!(error.severity(), PgSeverity::Fatal | PgSeverity::Panic));
    if is_fatal {
        return Verdict::Ended;
    }
    match error.code().as_deref() {
        Some(codes::UNIQUE_VIOLATION) => Verdict::Clash,
        // A pooler may report as an error what the server reports as fatal.
        Some(
            codes::ADMIN_SHUTDOWN
            | codes::CRASH_SHUTDOWN
            | codes::CANNOT_CONNECT_NOW
            | codes::TOO_MANY_CONNECTIONS,
        ) => Verdict::Ended,
        Some(code) if code.starts_with(codes::CONNECTION_EXCEPTION) => Verdict::Ended,
        Some(codes::SERIALIZATION_FAILURE | codes::DEADLOCK_DETECTED) => Verdict::Retry,
        Some(codes::READ_ONLY_TRANSACTION) => Verdict::ReadOnly,
        Some(codes::FEATURE_NOT_SUPPORTED)
            if postgres.and_then(PgDatabaseError::routine) == Some(STALE_PLAN) =>
        {
            Verdict::Stale
        }
        _ => Verdict::Final,
    }
}

/// Returns the meaning of a failure to connect. The server calls each of these errors fatal, but some of them pass.
fn classify_connecting(error: &sqlx::Error) -> Verdict {
    let error = match error {
        // The driver reports a bad certificate as an error of the network, but the certificate stays bad.
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
        codes::INSUFFICIENT_RESOURCES,
        codes::OPERATOR_INTERVENTION,
        codes::CONNECTION_EXCEPTION,
    ];
    if passing.iter().any(|class| code.starts_with(class)) {
        Verdict::Ended
    } else {
        Verdict::Final
    }
}

/// Returns `true` if a pooler refuses a startup parameter. Its other errors have the same code.
fn is_refusal_of_parameters(error: &(dyn DatabaseError + 'static)) -> bool {
    error.code().as_deref() == Some(codes::PROTOCOL_VIOLATION)
        && error.message().contains("unsupported startup parameter")
}

pub(super) fn refuses_parameters(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .is_some_and(is_refusal_of_parameters)
}
