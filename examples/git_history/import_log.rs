//! The bookmark: a log that tells how far the history was imported, and which lives began.
//!
//! The history goes into the database in portions. Around the events of each portion stand a
//! [`Begun`](ImportEvent::Begun) and a [`Finished`](ImportEvent::Finished), so the next run knows which
//! commits are done for certain and which may be done in part.

use crate::git::ObjectId;
use eventlogs::ids::LogId;
use eventlogs::{Aggregate, Event, event_handler};
use serde::{Deserialize, Serialize};

/// How many lives one [`ImportEvent::Born`] may name, so that a payload stays well below the store's
/// limit even when a first commit holds half a million files.
const LIVES_PER_EVENT: usize = 10_000;

/// The log's identity. It is the same in every database, because a database holds one history: in two
/// repositories that share commits, the same life could go on in two ways.
pub(crate) fn import_id() -> LogId {
    LogId::derived("git history import", "")
}

/// What can happen to an import. MessagePack writes an id in 18 bytes where JSON takes 39.
#[derive(Debug, Clone, PartialEq, Event)]
#[event(codec = "msgpack")]
pub(crate) enum ImportEvent {
    /// From now on there may be events of the commits through this one.
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
        /// How many commits that were.
        commits: u64,
    },
}

impl ImportEvent {
    /// What ends a portion of so many commits.
    pub(crate) fn finish(commits: u64, born: &[LogId]) -> Vec<Self> {
        let born = born.chunks(LIVES_PER_EVENT).map(|lives| Self::Born {
            lives: lives.to_vec(),
        });
        born.chain([Self::Finished { commits }]).collect()
    }
}

/// How far the import is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, Aggregate)]
#[aggregate(event = ImportEvent)]
pub(crate) struct Import {
    /// The last commit of the last portion that was begun.
    pub(crate) begun: Option<ObjectId>,
    /// The last commit of the last portion that was finished.
    pub(crate) finished: Option<ObjectId>,
    /// How many commits are finished.
    pub(crate) commits: u64,
    /// Every life that began in them.
    pub(crate) lives: Vec<LogId>,
}

#[event_handler(ImportEvent)]
impl Import {
    /// A portion begins.
    #[on(Begun)]
    fn begin(&mut self, through: &ObjectId) {
        self.begun = Some(through.clone());
    }

    /// Lives join those that are known.
    #[on(Born)]
    fn bear(&mut self, lives: &[LogId]) {
        self.lives.extend_from_slice(lives);
    }

    /// The portion that was begun is done.
    #[on(Finished)]
    fn finish(&mut self, commits: u64) {
        self.finished.clone_from(&self.begun);
        self.commits += commits;
    }
}
