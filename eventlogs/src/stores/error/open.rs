//! Errors of opening a store.

use crate::stores::error::store::{DriverError, StoreError};
use std::path::{Path, PathBuf};

/// A store cannot be opened.
///
/// Errors that an open store can return, too, are in [`Store`](OpenError::Store).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The text does not name a file.
    #[error("`{}` is not the path of a database file; {advice}", path.display())]
    InvalidPath {
        /// The text.
        path: PathBuf,
        /// What to write instead.
        advice: &'static str,
    },
    /// The text is not the address of a database server.
    #[error("the database's URL is not valid; {advice}")]
    InvalidUrl {
        /// What to write instead.
        advice: &'static str,
        /// What is wrong with it. It does not repeat the URL, which may hold a password.
        source: DriverError,
    },
    /// The name cannot be that of a schema.
    #[error("`{schema}` cannot be the name of a schema; {advice}")]
    InvalidSchema {
        /// The name.
        schema: String,
        /// Which names are possible.
        advice: &'static str,
    },
    /// The file cannot be opened or created.
    #[error(
        "cannot open `{}`; check that its folder{} exists and that this process may write there{advice}",
        path.display(), folder(path)
    )]
    CannotOpen {
        /// The file.
        path: PathBuf,
        /// What else may help.
        advice: &'static str,
        /// What the database said.
        source: DriverError,
    },
    /// The file is something else.
    #[error("`{}` is not a {expected} database; give another path, or move that file away", path.display())]
    NotADatabase {
        /// The file.
        path: PathBuf,
        /// The product whose database it should be.
        expected: &'static str,
    },
    /// What can happen to an open store, too: the server cannot be reached, the tables are newer than this code, and so on.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The folder of a file, with a space and backticks.
fn folder(path: &Path) -> String {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => format!(" `{}`", folder.display()),
        _ => String::new(),
    }
}
