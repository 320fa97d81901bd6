//! Converts SQLite's result codes into errors that say what to do.

use crate::shared_error::SharedError;
use crate::stores::error::open::OpenError;
use crate::stores::error::store::StoreError;
use crate::stores::sqlite::file;
use std::path::Path;

/// SQLite's primary result codes, from its documentation of result codes.
mod code {
    pub(super) const BUSY: i32 = 5;
    pub(super) const LOCKED: i32 = 6;
    pub(super) const READONLY: i32 = 8;
    pub(super) const IOERR: i32 = 10;
    pub(super) const CORRUPT: i32 = 11;
    pub(super) const FULL: i32 = 13;
    pub(super) const CANTOPEN: i32 = 14;
    pub(super) const NOTADB: i32 = 26;
    /// An extended one: the folder may not be written to.
    pub(super) const READONLY_DIRECTORY: i32 = 1544;
}

/// Advice about a damaged file.
pub(super) const CORRUPT: &str =
    "stop writing, keep a copy of the file, and restore a backup or use `sqlite3 FILE .recover`";

/// Advice about a file or a folder that may only be read.
pub(super) const READ_ONLY: &str =
    "allow this process to write to it, or open the store with `SqliteEventStore::open_read_only`";

/// Converts an error of an open database.
pub(super) fn into_store_error(error: sqlx::Error) -> StoreError {
    match error {
        sqlx::Error::PoolClosed => return StoreError::Closed,
        sqlx::Error::PoolTimedOut => {
            return StoreError::Busy {
                source: error.into(),
            };
        }
        _ => {}
    }
    match primary_code(&error) {
        Some(code::BUSY | code::LOCKED) => StoreError::Busy {
            source: error.into(),
        },
        Some(code::READONLY) => StoreError::ReadOnly {
            path: None,
            advice: READ_ONLY,
            source: error.into(),
        },
        Some(code::FULL) => StoreError::StorageFull {
            source: error.into(),
        },
        Some(code::CORRUPT | code::NOTADB) => StoreError::Corrupt {
            advice: CORRUPT,
            source: error.into(),
        },
        _ => StoreError::Database {
            source: error.into(),
        },
    }
}

/// Returns `true` if another connection has locked the file.
pub(super) fn is_locked(error: &sqlx::Error) -> bool {
    matches!(primary_code(error), Some(code::BUSY | code::LOCKED))
}

/// Converts an error of opening a file.
pub(super) fn into_open_error(path: &Path, error: sqlx::Error) -> OpenError {
    match primary_code(&error) {
        Some(code::NOTADB) => OpenError::NotADatabase {
            path: path.to_owned(),
            expected: "SQLite",
        },
        // SQLite can open a folder for reading, but not read it.
        Some(code::CANTOPEN | code::IOERR) if path.is_dir() => OpenError::InvalidPath {
            path: path.to_owned(),
            advice: "it is a folder; give the path of a file in it",
        },
        Some(code::CANTOPEN) => OpenError::CannotOpen {
            path: path.to_owned(),
            advice: ", or open it with `SqliteEventStore::open_read_only`",
            source: error.into(),
        },
        // It may be the log that cannot be created, which SQLite does not report.
        Some(code::READONLY) if !file::can_write(file::folder(path)) => StoreError::ReadOnly {
            path: Some(file::folder(path).to_owned()),
            advice: READ_ONLY,
            source: error.into(),
        }
        .into(),
        Some(code::READONLY) => read_only(path, error.into()).into(),
        _ => into_store_error(error).into(),
    }
}

/// Converts the error of an open store that has to open its file again, and cannot.
pub(super) fn into_reopening_error(error: OpenError) -> StoreError {
    match error {
        OpenError::Store(error) => error,
        error => StoreError::Unavailable {
            advice: "check that the file and its folder are still there, and that this process may use them",
            source: error.into(),
        },
    }
}

/// The error of a database that may only be read: either its file or its folder.
pub(super) fn read_only(path: &Path, source: SharedError) -> StoreError {
    let is_folder = source
        .downcast_ref::<sqlx::Error>()
        .is_some_and(|error| extended_code(error) == Some(code::READONLY_DIRECTORY));
    let path = if is_folder { file::folder(path) } else { path };
    StoreError::ReadOnly {
        path: Some(path.to_owned()),
        advice: READ_ONLY,
        source,
    }
}

/// Returns `true` if a database could not be read because its log or the log's index cannot be created.
pub(super) fn cannot_make_log(error: &sqlx::Error) -> bool {
    matches!(primary_code(error), Some(code::CANTOPEN | code::READONLY))
}

/// Returns `true` if a write was committed into files that are no longer at the path.
pub(super) fn is_committed_elsewhere(error: &StoreError) -> bool {
    let StoreError::OutcomeUnknown {
        source: Some(source),
    } = error
    else {
        return false;
    };
    let source = source.downcast_ref();
    matches!(source, Some(StoreError::FileReplaced { .. }))
}

/// Converts the error of a failed commit. SQLite rolls back after every failure but one: when the disk fails, the transaction
/// may be in the write-ahead log, and the next process may find it there.
pub(super) fn into_commit_error(error: sqlx::Error) -> StoreError {
    match primary_code(&error) {
        Some(code::IOERR) => StoreError::OutcomeUnknown {
            source: Some(error.into()),
        },
        _ => into_store_error(error),
    }
}

fn primary_code(error: &sqlx::Error) -> Option<i32> {
    extended_code(error).map(|extended| extended & 0xff)
}

fn extended_code(error: &sqlx::Error) -> Option<i32> {
    error.as_database_error()?.code()?.parse().ok()
}
