//! Connections that have the same files open.

use crate::stores::error::store::StoreError;
use crate::stores::sqlite::file::{DatabaseFile, Marks, Moved};
use sqlx::sqlite::SqlitePool;
use std::fs::Permissions;

/// Connections that have the same files open.
pub(in crate::stores) struct Generation {
    /// The connections that read. For a database in memory it is the writing connection, because a second connection would have
    /// a second database.
    pub(in crate::stores) readers: SqlitePool,
    /// The files; `None` if the database is in memory.
    opened: Option<(DatabaseFile, Marks)>,
}

impl Generation {
    /// The connections of a file.
    pub(in crate::stores) const fn for_file(
        readers: SqlitePool,
        file: DatabaseFile,
        marks: Marks,
    ) -> Self {
        Self {
            readers,
            opened: Some((file, marks)),
        }
    }

    /// The connection of a database in memory.
    pub(in crate::stores) const fn in_memory(readers: SqlitePool) -> Self {
        Self {
            readers,
            opened: None,
        }
    }

    /// The names of the files, and the files as they were when they were opened; `None` if the database is in memory.
    pub(in crate::stores) fn opened(&self) -> Option<(&DatabaseFile, &Marks)> {
        let (file, marks) = self.opened.as_ref()?;
        Some((file, marks))
    }

    /// Compares the files with the files that were opened.
    pub(in crate::stores) fn compare(&self) -> Result<(), Moved> {
        match &self.opened {
            Some((file, marks)) => file.compare(marks),
            None => Ok(()),
        }
    }

    /// The error for files that are not the files that were opened.
    pub(in crate::stores) fn replaced(&self, moved: Moved) -> StoreError {
        match &self.opened {
            Some((file, _)) => file.moved(moved),
            None => StoreError::Closed,
        }
    }

    /// The permissions of the database; `None` if it is in memory.
    pub(in crate::stores) fn permissions(&self) -> Option<Permissions> {
        let (file, _) = self.opened.as_ref()?;
        Some(file.path.metadata().ok()?.permissions())
    }

    /// Returns `true` if the file was opened as a file that does not change.
    pub(in crate::stores) fn is_frozen(&self) -> bool {
        let opened = self.opened.as_ref();
        opened.is_some_and(|(_, marks)| marks.is_frozen())
    }
}
