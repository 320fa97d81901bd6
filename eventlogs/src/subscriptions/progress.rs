//! What a partition's task tells the rest of this process.

use crate::cursor::Cursor;
use crate::ids::LogId;
use crate::sync::lock;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// What a partition does now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Activity {
    /// It waits for the lease: another process holds it, or the subscription has stopped.
    Waiting,
    /// It has the lease and follows the feed.
    Following,
    /// It is paused.
    Paused,
    /// Its task has ended.
    Ended,
}

/// The progress of one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Progress {
    /// What it does.
    pub(super) activity: Activity,
    /// All wanted events up to this place are settled; known only while it follows the feed.
    pub(super) cursor: Option<Cursor>,
}

/// The progress of one partition, shared between its task and those who wait for it.
#[derive(Clone)]
pub(super) struct Shared {
    /// The number of the partition.
    pub(super) partition: u16,
    progress: Arc<watch::Sender<Progress>>,
    /// How long the last page took, in microseconds.
    took: Arc<AtomicU64>,
    facts: Arc<Mutex<Facts>>,
}

/// What only a status shows.
#[derive(Debug)]
struct Facts {
    /// When the task has last got round its loop.
    turned: Instant,
    /// The error of the last attempt, until one succeeds.
    failure: Option<String>,
    /// The checkpoint, as the task has last seen it in the database; known only while it follows the feed.
    checkpoint: Option<Cursor>,
    /// The parked logs of the partition, and at which event, as of when it has last taken the lease.
    parked: HashMap<LogId, u64>,
}

/// Notes the end of a task, in whatever way it ends.
pub(super) struct NoteEnd(pub(super) Shared);

impl Drop for NoteEnd {
    fn drop(&mut self) {
        self.0.set(Activity::Ended, None);
    }
}

impl Shared {
    pub(super) fn new(partition: u16) -> Self {
        let progress = Progress {
            activity: Activity::Waiting,
            cursor: None,
        };
        Self {
            partition,
            progress: Arc::new(watch::Sender::new(progress)),
            took: Arc::default(),
            facts: Arc::new(Mutex::new(Facts {
                turned: Instant::now(),
                failure: None,
                checkpoint: None,
                parked: HashMap::new(),
            })),
        }
    }

    /// Notes what the partition does. Without a cursor it does not follow the feed.
    pub(super) fn set(&self, activity: Activity, cursor: Option<Cursor>) {
        if cursor.is_none() {
            lock(&self.facts).checkpoint = None;
        }
        self.progress.send_if_modified(|progress| {
            let new = Progress { activity, cursor };
            let changes = *progress != new;
            *progress = new;
            changes
        });
        self.turn();
    }

    /// Notes how long a page took.
    pub(super) fn page_took(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.took.store(micros, Ordering::Relaxed);
    }

    /// Returns how long the last page took.
    pub(super) fn last_page(&self) -> Duration {
        Duration::from_micros(self.took.load(Ordering::Relaxed))
    }

    /// Notes that the loop has turned.
    pub(super) fn turn(&self) {
        lock(&self.facts).turned = Instant::now();
    }

    /// Notes where the checkpoint is.
    pub(super) fn settled(&self, checkpoint: Cursor) {
        lock(&self.facts).checkpoint = Some(checkpoint);
    }

    /// Returns where the task has last seen the checkpoint, if it follows the feed.
    pub(super) fn checkpoint(&self) -> Option<Cursor> {
        lock(&self.facts).checkpoint
    }

    /// Notes which logs are parked, and at which event.
    pub(super) fn set_parked(&self, parked: HashMap<LogId, u64>) {
        lock(&self.facts).parked = parked;
    }

    /// Returns `true` if the log may be parked at this event or an earlier one.
    pub(super) fn may_be_parked(&self, log_id: LogId, index: u64) -> bool {
        let facts = lock(&self.facts);
        facts.parked.get(&log_id).is_some_and(|at| *at <= index)
    }

    /// Notes how the last attempt has ended.
    pub(super) fn attempted(&self, failure: Option<String>) {
        lock(&self.facts).failure = failure;
    }

    /// Returns the progress now.
    pub(super) fn now(&self) -> Progress {
        *self.progress.borrow()
    }

    /// Returns a receiver of the progress.
    pub(super) fn watch(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    /// Returns how long ago the loop has turned, and the error of the last attempt.
    pub(super) fn facts(&self) -> (Duration, Option<String>) {
        let facts = lock(&self.facts);
        (facts.turned.elapsed(), facts.failure.clone())
    }
}

/// What a partition's task is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Control {
    /// It is to pause.
    pub(super) is_paused: bool,
    /// Rises when a partition that has stopped is to try again.
    pub(super) resumed: u64,
    /// Rises when the database has lost a step of a checkpoint: the partitions are to begin again at their checkpoints.
    pub(super) lost: u64,
    /// Rises when there may be something to do with a parked log.
    pub(super) wished: u64,
    /// It is to end.
    pub(super) is_over: bool,
}
