//! SQLite's result codes as errors that say what to do.

use crate::stores::StoreError;
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
}

/// What to do about a file that may only be read.
const READ_ONLY: &str = "check that this process may write to its file and to the folder of it";
/// What to do about a damaged file.
pub(super) const DAMAGED: &str =
    "stop writing, keep a copy of the file, and restore a backup or use `sqlite3 FILE .recover`";

/// What went wrong with an open database.
pub(super) fn of(error: sqlx::Error) -> StoreError {
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
            advice: READ_ONLY,
            source: error.into(),
        },
        Some(code::FULL) => StoreError::Full {
            source: error.into(),
        },
        Some(code::CORRUPT | code::NOTADB) => StoreError::Damaged {
            advice: DAMAGED,
            source: error.into(),
        },
        _ => StoreError::Database {
            source: error.into(),
        },
    }
}

/// What went wrong while a file was opened.
pub(super) fn of_opening(path: &Path, error: sqlx::Error) -> StoreError {
    match primary_code(&error) {
        Some(code::NOTADB) => StoreError::NotADatabase {
            path: path.to_owned(),
        },
        Some(code::CANTOPEN) => StoreError::CannotOpen {
            path: path.to_owned(),
            source: error.into(),
        },
        _ => of(error),
    }
}

/// What a failed commit means. SQLite rolls back for every reason but one: when the disk fails, the transaction may
/// stand in the write-ahead log and be found there by the next process.
pub(super) fn of_commit(error: sqlx::Error) -> StoreError {
    match primary_code(&error) {
        Some(code::IOERR) => StoreError::OutcomeUnknown {
            source: Some(error.into()),
        },
        _ => of(error),
    }
}

fn primary_code(error: &sqlx::Error) -> Option<i32> {
    let extended: i32 = error.as_database_error()?.code()?.parse().ok()?;
    Some(extended & 0xff)
}
