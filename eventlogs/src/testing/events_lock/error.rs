//! Errors of the comparison with `events.lock`.

use std::io;
use std::path::PathBuf;

/// Error of the comparison with `events.lock`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EventsLockError {
    /// The file could not be read or written.
    #[error(
        "cannot open, read or write {}: {source}; check that its folder exists and that this process may use the file",
        path.display()
    )]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The file has a line that this crate did not write.
    #[error("{}, line {line}: {problem}; restore the file from version control", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The problem with the line.
        problem: String,
    },
    /// A schema written by hand does not fit on the lines of the file.
    #[error(
        "`{text}` cannot be written into events.lock; use names without spaces and fields without line breaks"
    )]
    Unfit {
        /// The name or field that does not fit.
        text: String,
    },
    /// The file is missing or lacks something, and may not be written because `CI` is set.
    #[error("{} is missing or not up to date; run the tests without `CI` set, and commit the file", path.display())]
    OutOfDate {
        /// The file.
        path: PathBuf,
    },
    /// The code does not read everything that was stored.
    #[error("this code does not read everything that {} records\n\n{report}", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
        /// The changes, and what to do about each.
        report: String,
    },
}
