//! Which paths name a database file.

use crate::stores::error::open::OpenError;
use std::path::{Path, PathBuf};

/// The absolute path of a database file: found once, so that it does not change when the process goes into another folder.
///
/// SQLite would take some of the refused names for databases that have no file. Each connection would get one of its own.
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
            "for a database in memory, use `SqliteEventStore::in_memory()`; a file of that name is opened with `./` in front",
        );
    }
    if is_url(&name) {
        return invalid(
            "give the path alone, without `sqlite:` or `file:` and without parameters; a file of that name is opened with `./` in front",
        );
    }
    absolute(path).map_err(|source| OpenError::CannotOpen {
        path: path.to_owned(),
        advice: "",
        source,
    })
}

/// The same path from the root on, if SQLite can be told of it.
pub(super) fn absolute(path: &Path) -> Result<PathBuf, Box<dyn std::error::Error + Send + Sync>> {
    let path = std::path::absolute(path)?;
    match path.to_str() {
        None => Err("SQLite takes paths in UTF-8 only, and this one is not".into()),
        Some(text) if text.contains('\0') => Err("a path cannot contain a zero byte".into()),
        Some(_) => Ok(path),
    }
}

/// Whether a name looks like the address of a database, as other libraries take it.
fn is_url(name: &str) -> bool {
    name.starts_with("file:") || name.starts_with("sqlite:")
}
