//! What the history of a repository is made of: commits and their changes.

use super::{Content, GitPath, ObjectId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// One commit and what it changed against its first parent.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Commit {
    /// The commit's hash.
    pub(crate) id: ObjectId,
    /// The author, as `Name <email>`.
    pub(crate) author: String,
    /// When the author made the change; `None` if the commit holds a time that is none.
    pub(crate) authored_at: Option<DateTime<Utc>>,
    /// The changes; none for an empty commit.
    pub(crate) changes: Vec<Change>,
}

/// What a commit did at one path.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Change {
    /// The path, after the change.
    pub(crate) path: GitPath,
    /// What happened there.
    pub(crate) action: Action,
    /// How many lines changed; `None` for binary files.
    pub(crate) lines: Option<Lines>,
}

/// What happened at a path.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Action {
    /// Something stands where nothing stood.
    Added(Content),
    /// Something else stands there: other bytes, another type, another mode.
    Changed(Content),
    /// What stood at another path, perhaps edited on the way.
    Renamed {
        /// The other path.
        from: GitPath,
        /// What stands at the new path.
        content: Content,
    },
    /// Nothing stands there any more.
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
