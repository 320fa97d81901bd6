//! Errors of opening a store.

use crate::shared_error::SharedError;
use crate::stores::error::store::StoreError;
use std::path::{Path, PathBuf};

/// A store cannot be opened.
///
/// [`Store`](OpenError::Store) holds the errors that an open store can return as well.
///
/// [`kind`](OpenError::kind) says what to do next, and the guide has [a page about it](crate::guide::errors).
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The string does not name a file.
    #[error("`{}` is not the path of a database file; {advice}", path.display())]
    InvalidPath {
        /// The string.
        path: PathBuf,
        /// Advice on what to write instead.
        advice: &'static str,
    },
    /// The string is not the URL of a database server.
    #[error("the database URL is not valid: {}; {advice}", source.cause())]
    InvalidUrl {
        /// Advice on what to write instead.
        advice: &'static str,
        /// Why the URL is not valid. It does not repeat the URL, which may hold a password.
        source: SharedError,
    },
    /// The name is not a valid name for a schema.
    #[error("`{schema}` is not a valid schema name; {advice}")]
    InvalidSchema {
        /// The name.
        schema: String,
        /// Advice on which names are valid.
        advice: &'static str,
    },
    /// The file cannot be opened or created.
    #[error(
        "cannot open `{}`: {}; check that its folder{} exists and that this process may write there{advice}",
        path.display(), source.cause(), folder(path)
    )]
    CannotOpen {
        /// The file.
        path: PathBuf,
        /// Further advice, which continues the sentence; may be empty.
        advice: &'static str,
        /// The error of the database.
        source: SharedError,
    },
    /// The file is not a database of this product.
    #[error("`{}` is not a {expected} database; give another path, or move the file away", path.display())]
    NotADatabase {
        /// The file.
        path: PathBuf,
        /// The database product that the file should belong to.
        expected: &'static str,
    },
    /// An error that an open store can return as well: the server cannot be reached, the tables are newer than this code, and
    /// so on.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Returns the folder of a file in backticks, after a space; nothing if the path has no folder.
fn folder(path: &Path) -> String {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => format!(" `{}`", folder.display()),
        _ => String::new(),
    }
}
