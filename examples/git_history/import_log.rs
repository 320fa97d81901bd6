//! The bookmark: a log of how far the history was imported, and of which lives began.
//!
//! The history goes into the database in portions. [`Begun`](ImportEvent::Begun) is recorded before the events of a portion,
//! and [`Finished`](ImportEvent::Finished) after them. So the next run knows which commits are certainly complete and which
//! may be complete in part.

use crate::git::ObjectId;
use eventlogs::ids::LogId;
use eventlogs::{Aggregate, Event, event_handler};
use serde::{Deserialize, Serialize};

/// The greatest number of lives in one [`ImportEvent::Born`], so that a payload stays well below the store's limit even when
/// the first commit has half a million files.
const LIVES_PER_EVENT: usize = 10_000;

/// Returns the log's id. It is the same in every database, because a database holds one history: in two repositories that
/// share commits, the same life could continue in two ways.
pub(crate) fn import_id() -> LogId {
    LogId::derived("git history import", "")
}

/// The events of an import. MessagePack writes an id in 18 bytes, JSON in 39.
#[derive(Debug, Clone, PartialEq, Event)]
#[event(codec = "msgpack")]
pub(crate) enum ImportEvent {
    /// From now on there may be events of the commits up to this one.
    #[event(name = "import.begun")]
    Begun {
        /// The last commit of the portion.
        through: ObjectId,
    },

    /// These lives began.
    #[event(name = "import.born")]
    Born {
        /// Their logs.
        lives: Vec<LogId>,
    },

    /// All events of the commits that were begun are stored.
    #[event(name = "import.finished")]
    Finished {
        /// The number of those commits.
        commits: u64,
    },
}

impl ImportEvent {
    /// Returns the events that end a portion of this many commits.
    pub(crate) fn finish(commits: u64, born: &[LogId]) -> Vec<Self> {
        let born = born.chunks(LIVES_PER_EVENT).map(|lives| Self::Born {
            lives: lives.to_vec(),
        });
        born.chain([Self::Finished { commits }]).collect()
    }
}

/// The progress of the import.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, Aggregate)]
#[aggregate(event = ImportEvent)]
pub(crate) struct Import {
    /// The last commit of the last portion that was begun.
    pub(crate) begun: Option<ObjectId>,
    /// The last commit of the last portion that was finished.
    pub(crate) finished: Option<ObjectId>,
    /// The number of finished commits.
    pub(crate) commits: u64,
    /// Every life that began in them.
    pub(crate) lives: Vec<LogId>,
}

#[event_handler(ImportEvent)]
impl Import {
    /// Begins a portion.
    #[on(Begun)]
    fn begin(&mut self, through: &ObjectId) {
        self.begun = Some(through.clone());
    }

    /// Adds lives to the known ones.
    #[on(Born)]
    fn bear(&mut self, lives: &[LogId]) {
        self.lives.extend_from_slice(lives);
    }

    /// Finishes the portion that was begun.
    #[on(Finished)]
    fn finish(&mut self, commits: u64) {
        self.finished.clone_from(&self.begun);
        self.commits += commits;
    }
}
