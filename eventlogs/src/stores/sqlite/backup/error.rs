//! Errors of a backup.

use crate::error_kind::ErrorKind;
use crate::shared_error::SharedError;
use crate::stores::error::store::StoreError;
use std::path::PathBuf;

/// A copy was not made. No file of its name was written.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// A copy would overwrite a file.
    #[error("`{}` exists, and a copy overwrites nothing; give another path", path.display())]
    FileExists {
        /// The file.
        path: PathBuf,
    },
    /// The copy cannot be written.
    #[error(
        "cannot write the copy `{}`: {}; check that its folder exists, that this process may write there, and that the disk has room",
        path.display(), source.cause()
    )]
    CannotWrite {
        /// The file.
        path: PathBuf,
        /// The error of the system or the database.
        source: SharedError,
    },
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl BackupError {
    /// Returns what to do after this error.
    ///
    /// - [`Conflict`](ErrorKind::Conflict): [`FileExists`](BackupError::FileExists).
    /// - [`Internal`](ErrorKind::Internal): [`CannotWrite`](BackupError::CannotWrite).
    /// - [`Store`](BackupError::Store): [the kind](StoreError::kind) of the store's error.
    ///
    /// ```
    /// use eventlogs::{BackupError, ErrorKind};
    ///
    /// let error = BackupError::FileExists { path: "payments.copy.db".into() };
    /// assert_eq!(error.kind(), ErrorKind::Conflict);
    /// ```
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::FileExists { .. } => ErrorKind::Conflict,
            Self::CannotWrite { .. } => ErrorKind::Internal,
            Self::Store(error) => error.kind(),
        }
    }

    /// Returns `true` if the same copy may be made later although nobody changes anything: after some errors of the store.
    ///
    /// ```
    /// use eventlogs::{BackupError, stores::StoreError};
    ///
    /// let locked = StoreError::Busy { source: "database is locked".into() };
    /// assert!(BackupError::Store(locked).is_retryable());
    /// ```
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::FileExists { .. } | Self::CannotWrite { .. } => false,
            Self::Store(error) => error.is_retryable(),
        }
    }
}
