//! What subscriptions do, for people and for probes.

use crate::cursor::Cursor;
use crate::feed::head::FeedHold;
use crate::projection::checkpoint::{CheckpointStore, PartitionState};
use crate::stores::error::store::StoreError;
use crate::subscriptions::progress::Activity;
use crate::subscriptions::running::RunningSubscriptions;
use crate::subscriptions::supervisor::Known;
use chrono::{DateTime, Utc};
use std::time::Duration;
use uuid::Uuid;

/// The status of a subscription, in all processes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SubscriptionStatus {
    /// Its name.
    pub name: String,
    /// Its state.
    pub state: SubscriptionState,
    /// How many of its logs are [parked](RunningSubscriptions::parked).
    pub parked: u64,
    /// Its partitions.
    pub partitions: Vec<PartitionStatus>,
    /// The age of the oldest event that is not settled, by the clock of the database; `None` if all events are settled. Events
    /// that a running transaction holds back count.
    pub lag: Option<Duration>,
    /// `true` if code with another [fingerprint](crate::Projection::fingerprint) was started before, in whatever process: rows
    /// may have been written by other code than today's. It stays so until the tables are
    /// [built anew](crate::guide::read_models#changing-a-projection).
    pub is_stale: bool,
    /// The stored names of the events that the code wants, and that [older code](Self::is_stale) has passed over, because it
    /// ignored them or did not follow their enum: the read model may lack them. Events of these names that come from now on are
    /// applied. It stays so until the tables are [built anew](crate::guide::read_models#changing-a-projection), or the code
    /// ignores the events again.
    pub missed: Vec<String>,
    /// The transaction that holds the end of the feed back, if events wait for it.
    pub held_by: Option<FeedHold>,
}

/// The state of a subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SubscriptionState {
    /// All partitions run somewhere.
    Running,
    /// A partition waits for a process.
    Waiting,
    /// It is paused.
    Paused,
    /// A partition has stopped because of an error.
    Stopped {
        /// Why.
        reason: String,
    },
}

/// The status of a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PartitionStatus {
    /// Its number.
    pub partition: u16,
    /// Its checkpoint.
    pub cursor: Cursor,
    /// How many events were handled.
    pub settled: u64,
    /// When the checkpoint has moved last, by the clock of the database.
    pub moved_at: DateTime<Utc>,
    /// The process that holds the lease, if one does.
    pub owner: Option<Uuid>,
    /// How long ago its task in this process has got round its loop; `None` if this process does not run it.
    pub idle: Option<Duration>,
    /// The error of the last attempt of this process, until one succeeds.
    pub failure: Option<String>,
}

impl<S: CheckpointStore> RunningSubscriptions<S> {
    /// Returns the status of all subscriptions of the store, those of other processes included.
    ///
    /// It takes one round trip, and two more while a transaction holds the feed back.
    ///
    /// # Errors
    /// The database failed: each variant of [`StoreError`] describes its cause.
    pub async fn status(&self) -> Result<Vec<SubscriptionStatus>, StoreError> {
        let states = self.store.partitions(None).await?;
        let held_by = if states.iter().any(|state| state.oldest_unsettled.is_some()) {
            self.store.feed_hold().await?
        } else {
            None
        };
        let mut all: Vec<SubscriptionStatus> = Vec::new();
        for states in states.chunk_by(|one, other| one.name == other.name) {
            let Some(first) = states.first() else {
                continue;
            };
            let lag = states.iter().filter_map(lag).max();
            all.push(SubscriptionStatus {
                name: first.name.clone(),
                state: state(states),
                parked: first.parked,
                partitions: self.partitions_of(states),
                lag,
                is_stale: first.is_stale,
                missed: first.missed.clone(),
                held_by: held_by.clone().filter(|_| lag.is_some()),
            });
        }
        Ok(all)
    }

    fn partitions_of(&self, states: &[PartitionState]) -> Vec<PartitionStatus> {
        let partition = |state: &PartitionState| {
            let known = self.known(&state.name);
            let (idle, failure) = local(known, state);
            PartitionStatus {
                partition: state.partition,
                cursor: state.cursor,
                settled: state.settled,
                moved_at: state.moved_at,
                owner: state.owner,
                idle,
                failure,
            }
        };
        states.iter().map(partition).collect()
    }
}

/// Returns how long the task of this process has not turned, if it runs the partition, and its last failure.
fn local(known: Option<&Known>, state: &PartitionState) -> (Option<Duration>, Option<String>) {
    let number = usize::from(state.partition);
    let Some(shared) = known.and_then(|known| known.partitions.get(number)) else {
        return (None, None);
    };
    let (idle, failure) = shared.facts();
    let is_here = matches!(
        shared.now().activity,
        Activity::Following | Activity::Paused
    );
    (is_here.then_some(idle), failure)
}

fn lag(state: &PartitionState) -> Option<Duration> {
    let oldest = state.oldest_unsettled?;
    Some((state.now - oldest).to_std().unwrap_or_default())
}

fn state(states: &[PartitionState]) -> SubscriptionState {
    let stopped = states.iter().find_map(|state| state.stopped.clone());
    if let Some(reason) = stopped {
        return SubscriptionState::Stopped { reason };
    }
    if states.iter().any(|state| state.is_paused) {
        return SubscriptionState::Paused;
    }
    if states.iter().all(|state| state.owner.is_some()) {
        SubscriptionState::Running
    } else {
        SubscriptionState::Waiting
    }
}
