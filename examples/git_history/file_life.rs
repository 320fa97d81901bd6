//! The life of a file: the events it is made of, and what they add up to.

use crate::git::{Content, GitPath, Lines, ObjectId};
use chrono::{DateTime, Utc};
use eventlogs::ids::LogId;
use eventlogs::{Aggregate, Event, EventRecord, event_handler};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The identity of the life that begins at `path` with `commit`. A path that is deleted and later
/// made again starts another life there, with a log of its own.
pub(crate) fn life_id(path: &GitPath, commit: &ObjectId) -> LogId {
    let birth = [path.as_bytes(), b"\0", commit.as_str().as_bytes()].concat();
    LogId::derived("git file life", birth)
}

/// What can happen to a file. When it happened is the record's `occurred_at`.
#[derive(Debug, Clone, PartialEq, Event)]
pub(crate) enum FileEvent {
    /// It came into being.
    #[event(name = "file.added")]
    Added {
        /// Where.
        path: GitPath,
        /// What it holds.
        content: Content,
        /// Who did it.
        edit: Edit,
    },

    /// Its bytes changed, or the commit that a submodule stands at.
    #[event(name = "file.modified")]
    Modified {
        /// What it holds now.
        content: Content,
        /// Who did it.
        edit: Edit,
    },

    /// It became executable or no longer is, or turned into a link, a submodule, a plain file.
    #[event(name = "file.kind_changed")]
    KindChanged {
        /// What it is and holds now.
        content: Content,
        /// Who did it.
        edit: Edit,
    },

    /// It moved to another path, perhaps with changes on the way.
    #[event(name = "file.renamed")]
    Renamed {
        /// Where it is now.
        path: GitPath,
        /// What it is and holds now.
        content: Content,
        /// Who did it.
        edit: Edit,
    },

    /// It is gone.
    #[event(name = "file.deleted")]
    Deleted {
        /// Who did it.
        edit: Edit,
    },
}

/// Who did it, in which commit, and how much of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Edit {
    /// The author, as `Name <email>`.
    pub(crate) author: String,
    /// The commit.
    pub(crate) commit: ObjectId,
    /// The commit's number in the import, from 1. It tells how far an import came with this file.
    pub(crate) number: u64,
    /// The lines added and removed; `None` for binary files.
    pub(crate) lines: Option<Lines>,
}

impl FileEvent {
    /// Who did it, whatever was done.
    pub(crate) fn edit(&self) -> &Edit {
        let (Self::Added { edit, .. }
        | Self::Modified { edit, .. }
        | Self::KindChanged { edit, .. }
        | Self::Renamed { edit, .. }
        | Self::Deleted { edit }) = self;
        edit
    }
}

/// A file, as its log tells it. A life of one event is read as fast as a cached one, hence the rule.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, Aggregate)]
#[aggregate(event = FileEvent, cache(min_events = 2))]
pub(crate) struct FileLife {
    /// Where it is, or was last.
    pub(crate) path: GitPath,
    /// What it holds; `None` once it is deleted.
    pub(crate) content: Option<Content>,
    /// When it came into being, by the author's clock.
    pub(crate) born_at: Option<DateTime<Utc>>,
    /// The lines added and removed in its whole life.
    pub(crate) lines: Lines,
    /// Everybody who ever changed it.
    pub(crate) authors: BTreeSet<String>,
    /// The number of the last commit that changed it.
    pub(crate) last_commit: u64,
}

#[event_handler(FileEvent)]
impl FileLife {
    /// Its life begins. The record tells when; the event does not have to.
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

    /// Two events for which the same is to do.
    #[on(Modified { content, edit } | KindChanged { content, edit })]
    fn change(&mut self, content: &Content, edit: &Edit) {
        self.content = Some(content.clone());
        self.count(edit);
    }

    /// It goes on at another path.
    #[on(Renamed)]
    fn rename(&mut self, path: &GitPath, content: &Content, edit: &Edit) {
        self.path = path.clone();
        self.change(content, edit);
    }

    /// Its life is over. The path stays known, for the report.
    #[on(Deleted)]
    fn delete(&mut self, edit: &Edit) {
        self.content = None;
        self.count(edit);
    }

    /// No handler but a plain method, which all of them end in.
    fn count(&mut self, edit: &Edit) {
        let Lines { added, removed } = edit.lines.unwrap_or_default();
        self.lines.added = self.lines.added.saturating_add(added);
        self.lines.removed = self.lines.removed.saturating_add(removed);
        self.authors.insert(edit.author.clone());
        self.last_commit = edit.number;
    }
}
