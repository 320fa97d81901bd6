//! The subscriptions of a fake, with their checkpoints and leases.

use crate::cursor::Cursor;
use crate::projection::checkpoint::PartitionKey;
use crate::projection::known::KnownEvents;
use crate::projection::parked::{ParkedChange, ParkedLog, ParkedWish};
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
    /// The events that the code knows.
    pub(super) events: KnownEvents,
    pub(super) is_paused: bool,
    pub(super) partitions: Vec<Partition>,
    pub(super) parked: Vec<ParkedLog>,
}

impl Subscription {
    /// Changes a parked log. Returns `false` if it is not parked where the change says.
    pub(super) fn change(&mut self, name: &str, change: &ParkedChange<'_>) -> bool {
        if let ParkedChange::Park {
            log_id,
            event,
            attempts,
        } = *change
        {
            self.parked.push(ParkedLog {
                name: name.to_owned(),
                log_id,
                event_index: event.index,
                event_type: event.event_type.to_owned(),
                error: event.error.to_owned(),
                attempts,
                parked_at: Utc::now(),
                wish: None,
            });
            return true;
        }
        let place = change.place();
        let mut parked = self.parked.iter();
        let number = parked.position(|log| (log.log_id, log.event_index) == place);
        let Some((number, log)) = number.and_then(|n| Some((n, self.parked.get_mut(n)?))) else {
            return false;
        };
        match *change {
            ParkedChange::Park { .. } => {}
            ParkedChange::Advance { to, .. } => {
                log.event_index = to;
                log.wish = Some(ParkedWish::Retry);
            }
            ParkedChange::Skip { .. } => {
                log.event_index += 1;
                log.wish = Some(ParkedWish::Retry);
            }
            ParkedChange::Fail { event, .. } => {
                log.event_index = event.index;
                event.event_type.clone_into(&mut log.event_type);
                event.error.clone_into(&mut log.error);
                log.attempts += 1;
                log.wish = None;
            }
            ParkedChange::Free { .. } => {
                self.parked.remove(number);
            }
        }
        true
    }
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
