//! The life of a file: its events, and the state that they add up to.

use crate::git::{Content, GitPath, Lines, ObjectId};
use chrono::{DateTime, Utc};
use eventlogs::ids::LogId;
use eventlogs::{Aggregate, Event, EventRecord, event_handler};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Returns the id of the life that begins at `path` with `commit`. If a path is deleted and later added again, another
/// life begins there, with a log of its own.
pub(crate) fn life_id(path: &GitPath, commit: &ObjectId) -> LogId {
    let birth = [path.as_bytes(), b"\0", commit.as_str().as_bytes()].concat();
    LogId::derived("git file life", birth)
}

/// The events of a file. The time of an event is the record's `occurred_at`.
#[derive(Debug, Clone, PartialEq, Event)]
pub(crate) enum FileEvent {
    /// The file was added.
    #[event(name = "file.added")]
    Added {
        /// The path.
        path: GitPath,
        /// The kind and hash of its content.
        content: Content,
        /// The change and its author.
        edit: Edit,
    },

    /// Its bytes changed, or the commit of a submodule.
    #[event(name = "file.modified")]
    Modified {
        /// The new content.
        content: Content,
        /// The change and its author.
        edit: Edit,
    },

    /// Its kind changed: file, executable file, link or submodule.
    #[event(name = "file.kind_changed")]
    KindChanged {
        /// The new kind and content.
        content: Content,
        /// The change and its author.
        edit: Edit,
    },

    /// It moved to another path, perhaps with other changes.
    #[event(name = "file.renamed")]
    Renamed {
        /// The new path.
        path: GitPath,
        /// The new kind and content.
        content: Content,
        /// The change and its author.
        edit: Edit,
    },

    /// It was deleted.
    #[event(name = "file.deleted")]
    Deleted {
        /// The change and its author.
        edit: Edit,
    },
}

/// The author of a change, its commit, and its size.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Edit {
    /// The author, as `Name <email>`.
    pub(crate) author: String,
    /// The commit.
    pub(crate) commit: ObjectId,
    /// The commit's number in the import, from 1. It shows how far an import came with this file.
    pub(crate) number: u64,
    /// The lines added and removed; `None` for binary files.
    pub(crate) lines: Option<Lines>,
}

impl FileEvent {
    /// Returns the change and its author, for every kind of event.
    pub(crate) fn edit(&self) -> &Edit {
        let (Self::Added { edit, .. }
        | Self::Modified { edit, .. }
        | Self::KindChanged { edit, .. }
        | Self::Renamed { edit, .. }
        | Self::Deleted { edit }) = self;
        edit
    }
}

/// The state of a file. A log of one event is read as fast as a cached aggregate, hence the rule.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, Aggregate)]
#[aggregate(event = FileEvent, cache(min_events = 2))]
pub(crate) struct FileLife {
    /// Its path, or its last path if it is deleted.
    pub(crate) path: GitPath,
    /// Its content; `None` once it is deleted.
    pub(crate) content: Option<Content>,
    /// The time at which it was added, by the author's clock.
    pub(crate) born_at: Option<DateTime<Utc>>,
    /// The lines added and removed over its whole life.
    pub(crate) lines: Lines,
    /// Every author who changed it.
    pub(crate) authors: BTreeSet<String>,
    /// The number of the last commit that changed it.
    pub(crate) last_commit: u64,
}

#[event_handler(FileEvent)]
impl FileLife {
    /// Begins the life. The record has the time, so the event need not repeat it.
    #[on(Added)]
    fn add(
        &mut self,
        path: &GitPath,
        content: &Content,
        edit: &Edit,
        #[record] record: &impl EventRecord<FileEvent>,
    ) {
        self.born_at = record.occurred_at();
        self.rename(path, content, edit);
    }

    /// Handles two events that have the same effect.
    #[on(Modified { content, edit } | KindChanged { content, edit })]
    fn change(&mut self, content: &Content, edit: &Edit) {
        self.content = Some(content.clone());
        self.count(edit);
    }

    /// Moves the life to another path.
    #[on(Renamed)]
    fn rename(&mut self, path: &GitPath, content: &Content, edit: &Edit) {
        self.path = path.clone();
        self.change(content, edit);
    }

    /// Ends the life. The path is kept for the report.
    #[on(Deleted)]
    fn delete(&mut self, edit: &Edit) {
        self.content = None;
        self.count(edit);
    }

    /// Counts a change. This is a plain method, which every handler calls in the end.
    fn count(&mut self, edit: &Edit) {
        let Lines { added, removed } = edit.lines.unwrap_or_default();
        self.lines.added = self.lines.added.saturating_add(added);
        self.lines.removed = self.lines.removed.saturating_add(removed);
        self.authors.insert(edit.author.clone());
        self.last_commit = edit.number;
    }
}
