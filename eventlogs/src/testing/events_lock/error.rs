//! Errors of the comparison with `events.lock`.

use std::io;
use std::path::PathBuf;

/// Why `events.lock` does not agree with the code.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EventsLockError {
    /// The file could not be read or written.
    #[error("cannot open, read or write {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is not one that was written by this crate.
    #[error("{}, line {line}: {problem}; restore the file from version control", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// A schema that was written by hand does not fit on the lines of the file.
    #[error(
        "`{text}` cannot be written into events.lock; names have no spaces, and fields no line breaks"
    )]
    Unfit {
        /// What does not fit.
        text: String,
    },
    /// The file lacks something, and this is not the place to add it.
    #[error("{} is missing or not up to date; run the tests where `CI` is not set, and commit it", path.display())]
    OutOfDate {
        /// The file.
        path: PathBuf,
    },
    /// The code does not read all that was stored.
    #[error("this code does not read everything that {} remembers\n\n{report}", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
        /// What has changed, and what to do about it.
        report: String,
    },
}
