//! Commits and their changes, of which a history consists.

use super::{Content, GitPath, ObjectId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// One commit and its changes against its first parent.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Commit {
    /// The commit's hash.
    pub(crate) id: ObjectId,
    /// The author, as `Name <email>`.
    pub(crate) author: String,
    /// The time at which the author made the change; `None` if the commit has no valid time.
    pub(crate) authored_at: Option<DateTime<Utc>>,
    /// The changes; none for an empty commit.
    pub(crate) changes: Vec<Change>,
}

/// The change of a commit at one path.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Change {
    /// The path, after the change.
    pub(crate) path: GitPath,
    /// The kind of change.
    pub(crate) action: Action,
    /// The number of changed lines; `None` for binary files.
    pub(crate) lines: Option<Lines>,
}

/// The kind of change at a path.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Action {
    /// The path is new.
    Added(Content),
    /// The content is another one: other bytes, another type, another mode.
    Changed(Content),
    /// The content moved here from another path, perhaps with edits.
    Renamed {
        /// The other path.
        from: GitPath,
        /// The content at the new path.
        content: Content,
    },
    /// The path is gone.
    Deleted,
}

/// Lines added and removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Lines {
    /// Lines added.
    pub(crate) added: u64,
    /// Lines removed.
    pub(crate) removed: u64,
}
