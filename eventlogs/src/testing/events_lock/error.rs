//! Errors of the comparison with `events.lock`.

use crate::shared_error::SharedError;
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
    /// The samples of an enum cannot be kept.
    #[error("the samples of `{of}` cannot be kept in events.lock: {source}")]
    Samples {
        /// The enum.
        of: String,
        /// The reason.
        source: SampleError,
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

/// The reason why samples cannot be kept.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum SampleError {
    /// The codec refuses an event.
    #[error(
        "a sample of `{event_type}` cannot be encoded; a store would refuse the event, too, so give another one"
    )]
    Encode {
        /// The stored name of the event.
        event_type: &'static str,
        /// The error of the codec.
        source: SharedError,
    },
    /// The samples are not the same each time, so every run of the test would add new ones.
    #[error(
        "the sample of `{event_type}` is another one in each call; write fixed values instead of new ids and the current time, and at most one entry into a `HashMap` or `HashSet`"
    )]
    Changing {
        /// The stored name of the event.
        event_type: &'static str,
    },
}
