//! Errors of a backup.

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
        "cannot write the copy `{}`; check that its folder exists, that this process may write there, and that the disk has room",
        path.display()
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
