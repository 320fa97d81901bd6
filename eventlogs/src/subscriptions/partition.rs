//! One partition of a subscription in this process.

use crate::cursor::Cursor;
use crate::ids::LogId;
use crate::projection::checkpoint::{CheckpointStore, PartitionKey};
use crate::projection::parked::ParkedLog;
use crate::subscriptions::head::Heads;
use crate::subscriptions::job::{Job, JobFacts};
use crate::subscriptions::options::SubscriptionOptions;
use crate::subscriptions::progress::{Control, Shared};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use uuid::Uuid;

/// The first and the longest pause after a failure.
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// A partition in this process.
pub(super) struct Partition<S> {
    pub(super) store: S,
    pub(super) job: Arc<dyn Job<S>>,
    pub(super) facts: JobFacts,
    pub(super) options: SubscriptionOptions,
    pub(super) owner: Uuid,
    pub(super) lease: Duration,
    pub(super) heads: Heads,
    pub(super) control: watch::Receiver<Control>,
    pub(super) shared: Shared,
    pub(super) failures: Failures,
    /// The parked logs, as of when it has last taken the lease. Nobody else changes them meanwhile.
    pub(super) parked: Vec<ParkedLog>,
    /// Up to which [wish](Control::wished) the parked logs were looked at.
    pub(super) wished: u64,
}

/// The failures since the last success.
#[derive(Debug, Default)]
pub(super) struct Failures {
    /// How many there were.
    pub(super) count: u32,
    /// The event that was not handled, and how often.
    event: Option<((LogId, u64), u32)>,
}

impl<S: CheckpointStore> Partition<S> {
    /// Returns its name and number.
    pub(super) fn key<'a>(&self) -> PartitionKey<'a> {
        PartitionKey {
            name: self.facts.name,
            partition: self.shared.partition,
            partitions: self.options.partitions,
        }
    }

    /// Notes that the checkpoint has moved.
    pub(super) fn succeeded(&mut self, checkpoint: Cursor) {
        self.failures = Failures::default();
        // It may also be a failure of the reader.
        self.shared.attempted(None);
        self.shared.settled(checkpoint);
    }
}

impl Failures {
    /// Counts a failure of an event, and returns how many there were of it in sequence.
    pub(super) fn again(&mut self, event: (LogId, u64)) -> u32 {
        let count = match self.event {
            Some((known, count)) if known == event => count + 1,
            _ => 1,
        };
        self.event = Some((event, count));
        count
    }
}

/// Returns the pause after some failures in sequence: random, so that processes do not come back at the same time.
pub(super) fn backoff(failures: u32) -> Duration {
    let longest = SHORTEST_PAUSE.saturating_mul(1 << failures.min(10));
    longest
        .min(LONGEST_PAUSE)
        .mul_f64(0.5 + fastrand::f64() / 2.0)
}
