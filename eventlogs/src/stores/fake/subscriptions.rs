//! The subscriptions of a fake, with their checkpoints and leases.

use crate::cursor::Cursor;
use crate::projection::checkpoint::PartitionKey;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use std::time::Instant;
use uuid::Uuid;

/// All subscriptions of a fake, by their names.
pub(super) type Subscriptions = BTreeMap<String, Subscription>;

/// A subscription.
pub(super) struct Subscription {
    pub(super) fingerprint: u64,
    /// Whether other code was registered before.
    pub(super) is_stale: bool,
    pub(super) is_paused: bool,
    pub(super) partitions: Vec<Partition>,
}

/// A partition.
#[derive(Clone)]
pub(super) struct Partition {
    pub(super) cursor: Cursor,
    pub(super) settled: u64,
    pub(super) moved_at: DateTime<Utc>,
    pub(super) owner: Option<Uuid>,
    pub(super) token: i64,
    pub(super) lease_until: Instant,
    pub(super) stopped: Option<String>,
}

impl Partition {
    pub(super) fn new(cursor: Cursor) -> Self {
        Self {
            cursor,
            settled: 0,
            moved_at: Utc::now(),
            owner: None,
            token: 0,
            lease_until: Instant::now(),
            stopped: None,
        }
    }

    /// Returns the process that holds the lease.
    pub(super) fn holder(&self) -> Option<Uuid> {
        self.owner.filter(|_| self.lease_until > Instant::now())
    }

    pub(super) fn give_up(&mut self) {
        self.owner = None;
    }
}

/// Returns a partition.
pub(super) fn find<'a>(
    subscriptions: &'a mut Subscriptions,
    key: PartitionKey<'_>,
) -> Option<&'a mut Partition> {
    let partitions = &mut subscriptions.get_mut(key.name)?.partitions;
    partitions.get_mut(usize::from(key.partition))
}
