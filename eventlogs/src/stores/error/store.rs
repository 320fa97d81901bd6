//! The errors of a database.

use crate::ids::LogId;
use crate::shared_error::SharedError;
use std::path::{Path, PathBuf};

/// The database cannot do what the store needs.
///
/// [`kind`](StoreError::kind) says what to do next, and the guide has [a page about it](crate::guide::errors).
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The file at the path is not the one that the store opened: that file was deleted, moved or replaced. Or its write-ahead
    /// log was removed, and the store could not open the file again.
    ///
    /// Nothing was written. A write that was in progress when this happened gets
    /// [`OutcomeUnknown`](StoreError::OutcomeUnknown) with this error as its source: the file that the store opened may contain
    /// the write.
    #[error(
        "`{}` is no longer the file that the store opened: {}; put that file back, or close the store and open it again",
        path.display(), source.cause()
    )]
    FileReplaced {
        /// The file.
        path: PathBuf,
        /// How the file has changed.
        source: SharedError,
    },
    /// A table with a name that the store needs exists already, and has other columns.
    #[error("another table named `{table}` exists already; {advice}")]
    UnrelatedTable {
        /// The name of the table.
        table: &'static str,
        /// Where to keep the events instead.
        advice: &'static str,
    },
    /// Two enums that share no event have the same kind, so the store could not distinguish their logs.
    #[error(
        "`{one}` and `{other}` both have the kind `{log_type}`; give one of them another kind with `#[event(log_type = \"…\")]`"
    )]
    LogTypeTwice {
        /// The kind.
        log_type: &'static str,
        /// The enum that this process used first.
        one: &'static str,
        /// The enum of this call.
        other: &'static str,
    },
    /// The tables are missing, or older than this code. Or they come from another server, by a dump or an upgrade. The order of
    /// their events continues only after [`migrate`](crate::PostgresEventStore::migrate).
    #[error("{}", not_migrated(*found, *needed))]
    NotMigrated {
        /// The version found; 0 if there are no tables. If the tables come from another server, it equals `needed`.
        found: i64,
        /// The version that this code needs.
        needed: i64,
    },
    /// A newer version of this crate has migrated the tables.
    #[error(
        "the database has schema version {found}, but this code supports at most {supported}; use a newer version of eventlogs"
    )]
    NewerSchema {
        /// The version found.
        found: i64,
        /// The newest version that this code supports.
        supported: i64,
    },
    /// The server does not answer, or the file cannot be opened again.
    #[error("the database cannot be reached: {}; {advice}", source.cause())]
    Unavailable {
        /// Advice on what to check.
        advice: &'static str,
        /// The error of the driver.
        source: SharedError,
    },
    /// The server does not let this user log in.
    #[error("the database server denied access: {}; {advice}", source.cause())]
    AccessDenied {
        /// Advice on what to check.
        advice: &'static str,
        /// The error of the server.
        source: SharedError,
    },
    /// No TLS connection can be made: one side requires what the other does not offer, or rejects the other's certificate.
    #[error("no TLS connection can be made: {}; {advice}", source.cause())]
    Tls {
        /// The cause, and advice on what to do.
        advice: &'static str,
        /// The error of the driver or the server.
        source: SharedError,
    },
    /// The user lacks a privilege.
    #[error("the database user lacks a privilege: {}; {advice}", source.cause())]
    InsufficientPrivilege {
        /// Advice on what to do.
        advice: &'static str,
        /// The error of the server, with the name of the object.
        source: SharedError,
    },
    /// There is no storage space left. Nothing was written. The same append succeeds when there is space again.
    #[error(
        "the database is full: {}; free disk space or raise its size limit, then try again",
        source.cause()
    )]
    StorageFull {
        /// The error of the database.
        source: SharedError,
    },
    /// The store needs a server that accepts writes. The servers that it can connect to are read-only.
    #[error("none of the servers accepts writes: {}; {advice}", source.cause())]
    NoPrimary {
        /// Advice on what to check.
        advice: &'static str,
        /// How many servers there are, and how many of them are read-only.
        source: SharedError,
    },
    /// The database is read-only for this process. Nothing was written.
    #[error(
        "{} is read-only for this process: {}; {advice}",
        read_only(path.as_deref()), source.cause()
    )]
    ReadOnly {
        /// The file or the folder that this process may not write to; `None` if the database is a server.
        path: Option<PathBuf>,
        /// Advice on what to do.
        advice: &'static str,
        /// The error of the database.
        source: SharedError,
    },
    /// A connection pooler between the store and its server, such as PgBouncer, does not support what the store does.
    #[error(
        "the configuration of the store does not suit the connection pooler, such as PgBouncer: {}; {advice}, and see the documentation of `Pooler`",
        source.cause()
    )]
    Pooler {
        /// The cause, and advice on what to do.
        advice: &'static str,
        /// The error of the pooler or the server.
        source: SharedError,
    },
    /// The database's encoding lacks a character of the name. Nothing was written.
    #[error(
        "the encoding of the database cannot represent the name `{name}`: {}; store the event or the aggregate under another name, or use a database with the encoding UTF8",
        source.cause()
    )]
    UnstorableName {
        /// The stored name of an event, or the name of an aggregate.
        name: String,
        /// The error of the database.
        source: SharedError,
    },
    /// Another connection kept the database locked for longer than the timeout. Nothing was written.
    #[error(
        "the database stayed locked for longer than the timeout: {}; try again, and keep the transactions of other programs short",
        source.cause()
    )]
    Busy {
        /// The error of the database.
        source: SharedError,
    },
    /// The database's own structure is damaged.
    #[error("the database is damaged: {}; {advice}", source.cause())]
    Corrupt {
        /// Advice on what to do.
        advice: &'static str,
        /// The error of the database.
        source: SharedError,
    },
    /// The writes queued before this one took longer than the store's timeout, which ended before the caller's deadline; or as
    /// many [reads wait](crate::stores::Limits::max_waiting_reads) as may. Nothing was written.
    #[error(
        "the store has more writes or reads waiting than it can finish before its timeout; try again later, and check how long the database takes to commit and to answer"
    )]
    Overloaded,
    /// The caller's deadline passed before anything was written: during the call, or before it.
    #[error("the deadline passed before anything was written; try again with a later deadline")]
    DeadlineExceeded,
    /// The caller's transaction began to write before the last event of the log was recorded. A reader of all logs in the
    /// order of transactions would get the new event before that last event.
    #[error(
        "the transaction began to write before the last event of log {log_id} was recorded; roll it back and run it again, with the append as its first write"
    )]
    TransactionTooOld {
        /// The log.
        log_id: LogId,
    },
    /// The caller's transaction cannot be serialised with others, or the database chose it to end a deadlock. It must be rolled
    /// back.
    #[error(
        "the transaction conflicts with another one: {}; roll it back and run it again",
        source.cause()
    )]
    TransactionFailed {
        /// The error of the database.
        source: SharedError,
    },
    /// The caller's transaction cannot be used: it was open for too long, an operation in it has failed or was given up
    /// half-way, or it belongs to another store. Nothing of it was stored, or will be.
    #[error("the transaction cannot be used: {reason}")]
    TransactionUnusable {
        /// Why, and what to do.
        reason: &'static str,
    },
    /// The store was closed, or the runtime that it was opened on has ended. Nothing was written.
    #[error(
        "the store is closed; open it again, on a runtime that runs for as long as the store is used"
    )]
    Closed,
    /// The write is in doubt: it was in flight when its answer was lost, and may be stored or not. A retry with the same
    /// idempotency key, or after a new `reduce`, cannot write it twice.
    #[error(
        "the outcome of the write is unknown{}; retry with the same idempotency key, or reduce the log to check it",
        because(source.as_ref())
    )]
    OutcomeUnknown {
        /// The error that broke the connection, if there was one.
        source: Option<SharedError>,
    },
    /// Any other error of the database.
    #[error("the database failed: {}; check the database and its log", source.cause())]
    Database {
        /// The error of the database.
        source: SharedError,
    },
}

/// Names the database in the message of [`StoreError::ReadOnly`].
fn read_only(path: Option<&Path>) -> String {
    path.map_or_else(
        || "the database server".to_owned(),
        |path| format!("`{}`", path.display()),
    )
}

/// Returns a part of the message of [`StoreError::OutcomeUnknown`].
fn because(source: Option<&SharedError>) -> String {
    source.map_or_else(String::new, |source| format!(": {}", source.cause()))
}

/// Returns the message of [`StoreError::NotMigrated`].
fn not_migrated(found: i64, needed: i64) -> String {
    if found == needed {
        return "the tables come from another server, by a dump or an upgrade; call `migrate()` on the store once, as the owner \
                of the tables, so that the order of their events continues on this server"
            .to_owned();
    }
    format!(
        "the database has schema version {found}, but this code needs {needed}; call `migrate()` on the store"
    )
}

#[cfg(test)]
mod tests {
    use crate::stores::error::store::StoreError;
    use std::error::Error;
    use std::io;

    #[test]
    fn a_clone_for_another_caller_is_the_same_error_with_the_same_source() {
        let error = StoreError::ReadOnly {
            path: Some("/srv/payments.db".into()),
            advice: "grant it",
            source: io::Error::other("attempt to write a readonly database").into(),
        };
        let copy = error.clone();
        assert!(matches!(copy, StoreError::ReadOnly { .. }));
        assert_eq!(copy.to_string(), error.to_string());
        let cause = |error: &StoreError| {
            let cause = error.source()?.downcast_ref::<io::Error>()?;
            Some(std::ptr::from_ref(cause))
        };
        assert!(cause(&error).is_some());
        assert_eq!(cause(&copy), cause(&error));
    }
}
