//! What a database says.

use crate::ids::LogId;
use std::path::{Path, PathBuf};

/// What a driver said, kept as the source of an error.
pub(crate) type DriverError = Box<dyn std::error::Error + Send + Sync>;

/// The database cannot be used as asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The file at the path is not the one that was opened: that one was deleted, moved or replaced. Or its write-ahead log was
    /// removed, and the store could not open it anew. Nothing was written. A write that was under way when it happened gets
    /// [`OutcomeUnknown`](StoreError::OutcomeUnknown) with this error as its source: it may be found in the file that was
    /// opened.
    #[error(
        "`{}` is no longer the file that was opened; put that one back, or close the store and open it again",
        path.display()
    )]
    FileReplaced {
        /// The file.
        path: PathBuf,
        /// What was found.
        source: DriverError,
    },
    /// A table of one of our names has other columns.
    #[error("there is a table `{table}` already, which holds something else; {advice}")]
    UnrelatedTable {
        /// The table.
        table: &'static str,
        /// Where to keep the events instead.
        advice: &'static str,
    },
    /// Two enums that share no event have the same kind, so the store could not keep their logs apart.
    #[error(
        "`{one}` and `{other}` both have the log type `{log_type}`; give one of them another: `#[event(log_type = \"…\")]`"
    )]
    LogTypeTwice {
        /// The kind.
        log_type: &'static str,
        /// The enum that this process used first.
        one: &'static str,
        /// The enum of this call.
        other: &'static str,
    },
    /// The tables are missing, or older than this code; or they come from another server, by a dump or an upgrade, whose order
    /// of events goes on only after [`migrate`](crate::PostgresEventStore::migrate).
    #[error("{}", not_migrated(*found, *needed))]
    NotMigrated {
        /// The version found; 0 where there are no tables. It is the one that is needed where the tables come from another
        /// server.
        found: i64,
        /// The version that this code works with.
        needed: i64,
    },
    /// A newer version of this crate was here.
    #[error(
        "the database has schema version {found}, this code knows up to {supported}; use a newer version of eventlogs"
    )]
    NewerSchema {
        /// The version found.
        found: i64,
        /// The newest version that this code works with.
        supported: i64,
    },
    /// The server does not answer, or the file cannot be opened again.
    #[error("the database cannot be reached; {advice}")]
    Unavailable {
        /// What to check.
        advice: &'static str,
        /// What the driver said.
        source: DriverError,
    },
    /// The server does not let this user in.
    #[error("the database server denied access; {advice}")]
    AccessDenied {
        /// What to check.
        advice: &'static str,
        /// What the server said.
        source: DriverError,
    },
    /// No connection with TLS can be made: one side wants what the other does not have, or does not accept the other's
    /// certificate.
    #[error("no connection with TLS can be made: {advice}")]
    Tls {
        /// What is wrong, and what to do about it.
        advice: &'static str,
        /// What the driver or the server said.
        source: DriverError,
    },
    /// The user lacks a privilege.
    #[error("the database user lacks a privilege; {advice}")]
    InsufficientPrivilege {
        /// What to do.
        advice: &'static str,
        /// What the server said, with the name of the object.
        source: DriverError,
    },
    /// There is no room left. Nothing was written; the same append works once there is room.
    #[error("the database is full; free disk space or raise its size limit, then try again")]
    StorageFull {
        /// What the database said.
        source: DriverError,
    },
    /// None of the servers is one that the store may use: those that let it in only read, and one that writes is wanted.
    #[error("none of the servers accepts writes; {advice}")]
    NoPrimary {
        /// What to check.
        advice: &'static str,
        /// How many servers there are, and how many of them only read.
        source: DriverError,
    },
    /// The database may only be read. Nothing was written.
    #[error("{} is read-only for this process; {advice}", read_only(path.as_deref()))]
    ReadOnly {
        /// The file or the folder that this process may not write to; nothing where the database is a server.
        path: Option<PathBuf>,
        /// What to do.
        advice: &'static str,
        /// What the database said.
        source: DriverError,
    },
    /// What stands between the store and its server, such as PgBouncer, gets in the way.
    #[error(
        "something in front of the database server, such as PgBouncer, gets in the way; {advice}, and see the documentation of `Pooler`"
    )]
    Pooler {
        /// What to do.
        advice: &'static str,
        /// What it said.
        source: DriverError,
    },
    /// The database's encoding has no such letters. Nothing was written.
    #[error(
        "the encoding of the database cannot hold the name `{name}`; store the event or the aggregate under another one, or use a database whose encoding is UTF8"
    )]
    UnstorableName {
        /// The stored name of an event, or the name of an aggregate.
        name: String,
        /// What the database said.
        source: DriverError,
    },
    /// Somebody else kept the database locked for longer than the timeout. Nothing was written.
    #[error(
        "the database stayed locked by somebody else; try again, and keep other programs' transactions short"
    )]
    Busy {
        /// What the database said.
        source: DriverError,
    },
    /// The database's own structure is broken.
    #[error("the database is damaged; {advice}")]
    Corrupt {
        /// What to do about it.
        advice: &'static str,
        /// What the database said.
        source: DriverError,
    },
    /// The writes in front of this one took longer than the store's timeout, which was nearer than the caller's deadline.
    /// Nothing was written.
    #[error(
        "the store has more to write than it can; try again later, and look at how long the database takes to commit"
    )]
    Overloaded,
    /// The caller's deadline has passed before anything was written, in the call or before it.
    #[error("the deadline has passed before anything was written; try again with a later one")]
    DeadlineExceeded,
    /// The caller's transaction began to write before the last event of the log was recorded. In it, the new event would come
    /// first for whoever reads all logs in the order of transactions.
    #[error(
        "the transaction is older than the last event of log {log_id}; roll it back and run it again, with the append as its first write"
    )]
    TransactionTooOld {
        /// The log.
        log_id: LogId,
    },
    /// The caller's transaction cannot be serialised with others, or was chosen to end a deadlock. It must be rolled back.
    #[error("the transaction ran into another one; roll it back and run it again")]
    TransactionFailed {
        /// What the database said.
        source: DriverError,
    },
    /// The store was closed, or the runtime that it was opened on has ended. Nothing was written.
    #[error("the store is closed; open it again, on a runtime that outlives its users")]
    Closed,
    /// The write was under way when its answer was lost: it may be stored or not. Retried with an idempotency key, or
    /// after a new `reduce`, it cannot happen twice.
    #[error(
        "the outcome of the write is unknown; retry with the same idempotency key, or reduce the log and look"
    )]
    OutcomeUnknown {
        /// What broke the connection, if it said anything.
        source: Option<DriverError>,
    },
    /// Anything else that the database said.
    #[error("the database failed: {source}")]
    Database {
        /// What the database said.
        source: DriverError,
    },
}

fn read_only(path: Option<&Path>) -> String {
    path.map_or_else(
        || "the database server".to_owned(),
        |path| format!("`{}`", path.display()),
    )
}

/// What [`StoreError::NotMigrated`] says.
fn not_migrated(found: i64, needed: i64) -> String {
    if found == needed {
        return "the tables come from another server, by a dump or an upgrade; call `migrate()` on the store once, as their \
                owner, so that the order of their events goes on here"
            .to_owned();
    }
    format!(
        "the database has schema version {found}, this code needs {needed}; call `migrate()` on the store"
    )
}
