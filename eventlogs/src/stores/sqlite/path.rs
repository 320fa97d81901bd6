//! Checks the path of a database file.

use crate::shared_error::SharedError;
use crate::stores::error::open::OpenError;
use std::path::{Path, PathBuf};

/// The absolute path of a database file. It is resolved once, so that it does not change when the process changes its current
/// folder.
///
/// SQLite would treat some of the refused names as databases that have no file, and each connection would get its own database.
pub(super) fn resolve(path: &Path) -> Result<PathBuf, OpenError> {
    let invalid = |advice| {
        Err(OpenError::InvalidPath {
            path: path.to_owned(),
            advice,
        })
    };
    let name = path.to_string_lossy();
    if name.is_empty() {
        return invalid(
            "give the path of a file (an unset variable is empty), or use `SqliteEventStore::in_memory()`",
        );
    }
    if name == ":memory:" || (is_url(&name) && name.contains("memory")) {
        return invalid(
            "for a database in memory, use `SqliteEventStore::in_memory()`; to open a file of that name, write `./` before it",
        );
    }
    if is_url(&name) {
        return invalid(
            "give the path alone, without `sqlite:` or `file:` and without parameters; to open a file of that name, write `./` before it",
        );
    }
    absolute(path).map_err(|source| OpenError::CannotOpen {
        path: path.to_owned(),
        advice: "",
        source,
    })
}

/// The path as an absolute path, if SQLite accepts it.
pub(super) fn absolute(path: &Path) -> Result<PathBuf, SharedError> {
    let path = std::path::absolute(path)?;
    match path.to_str() {
        None => Err("SQLite accepts only paths in UTF-8, and this one is not".into()),
        Some(text) if text.contains('\0') => Err("a path cannot contain a zero byte".into()),
        Some(_) => Ok(path),
    }
}

/// Returns `true` if a name looks like the URL of a database, which other libraries accept.
fn is_url(name: &str) -> bool {
    name.starts_with("file:") || name.starts_with("sqlite:")
}
