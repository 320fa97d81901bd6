//! The checkpoints and leases of a fake, in memory. Handlers can only write elsewhere.

use crate::event::Event;
use crate::ids::LogId;
use crate::projection::checkpoint::{
    Checkpoint, CheckpointStore, PartitionKey, PartitionState, ProjectionStore,
    ProjectionTransaction, RegisterError, Registration, Step, refuse_partitions, refuse_stale,
};
use crate::projection::database::Elsewhere;
use crate::projection::known::KnownEvents;
use crate::projection::parked::{ParkedLog, ParkedWish};
use crate::stores::error::store::StoreError;
use crate::stores::fake::FakeEventStore;
use crate::stores::fake::subscriptions::{Partition, Subscription, find};
use crate::sync::lock;
use chrono::Utc;
use std::time::{Duration, Instant};
use uuid::Uuid;

impl<E: Event + Clone> CheckpointStore for FakeEventStore<E> {
    async fn register(&self, registration: Registration<'_>) -> Result<(), RegisterError> {
        let mut subscriptions = lock(&self.subscriptions);
        let name = registration.name;
        let wanted = usize::from(registration.partitions);
        let new = || Subscription {
            fingerprint: registration.fingerprint,
            is_stale: false,
            events: KnownEvents::of(registration.sources),
            is_paused: false,
            partitions: vec![Partition::new(registration.start); wanted],
            parked: Vec::new(),
        };
        let known = subscriptions.entry(name.to_owned()).or_insert_with(new);
        let is_stale = known.is_stale || known.fingerprint != registration.fingerprint;
        if is_stale && registration.refuses_stale {
            return Err(refuse_stale(name));
        }
        let cursors: Vec<_> = known
            .partitions
            .iter()
            .map(|partition| partition.cursor)
            .collect();
        let stored = known.partitions.len();
        let at = cursors.first().copied();
        if stored != wanted {
            if cursors.iter().any(|cursor| Some(*cursor) != at) {
                let stored = u16::try_from(stored).unwrap_or(u16::MAX);
                return Err(refuse_partitions(name, stored, registration.partitions));
            }
            let tokens = known.partitions.iter().map(|partition| partition.token);
            let new = Partition {
                // A process with the old number must not hold a token of a new partition.
                token: tokens.max().unwrap_or_default() + 1,
                ..Partition::new(at.unwrap_or_default())
            };
            known.partitions = vec![new; wanted];
        }
        known.fingerprint = registration.fingerprint;
        known.is_stale = is_stale;
        known.events = known.events.after(&cursors, registration.sources);
        for partition in &mut known.partitions {
            partition.stopped = None;
        }
        Ok(())
    }

    async fn take(
        &self,
        key: PartitionKey<'_>,
        owner: Uuid,
        lease: Duration,
    ) -> Result<Option<Checkpoint>, StoreError> {
        let mut subscriptions = lock(&self.subscriptions);
        let rests = |subscription: &Subscription| {
            subscription.is_paused || subscription.partitions.len() != usize::from(key.partitions)
        };
        if subscriptions.get(key.name).is_none_or(rests) {
            return Ok(None);
        }
        let Some(partition) = find(&mut subscriptions, key) else {
            return Ok(None);
        };
        if partition.stopped.is_some() || partition.holder().is_some_and(|holder| holder != owner) {
            return Ok(None);
        }
        if partition.owner != Some(owner) {
            partition.owner = Some(owner);
            partition.token += 1;
        }
        partition.lease_until = Instant::now() + lease;
        Ok(Some(Checkpoint {
            cursor: partition.cursor,
            token: partition.token,
        }))
    }

    async fn renew(&self, owner: Uuid, lease: Duration) -> Result<(), StoreError> {
        self.for_each(owner, |partition| {
            partition.lease_until = Instant::now() + lease;
        });
        Ok(())
    }

    async fn release(&self, owner: Uuid) -> Result<(), StoreError> {
        self.for_each(owner, Partition::give_up);
        Ok(())
    }

    async fn stop(
        &self,
        key: PartitionKey<'_>,
        token: i64,
        reason: &str,
    ) -> Result<(), StoreError> {
        let mut subscriptions = lock(&self.subscriptions);
        let partition = find(&mut subscriptions, key);
        if let Some(partition) = partition.filter(|partition| partition.token == token) {
            partition.stopped = Some(reason.to_owned());
            partition.give_up();
        }
        Ok(())
    }

    async fn set_paused(&self, name: &str, is_paused: bool) -> Result<bool, StoreError> {
        let mut subscriptions = lock(&self.subscriptions);
        let Some(known) = subscriptions.get_mut(name) else {
            return Ok(false);
        };
        known.is_paused = is_paused;
        if !is_paused {
            for partition in &mut known.partitions {
                partition.stopped = None;
            }
        }
        Ok(true)
    }

    async fn partitions(&self, name: Option<&str>) -> Result<Vec<PartitionState>, StoreError> {
        let subscriptions = lock(&self.subscriptions);
        let wanted = |known: &&String| name.is_none_or(|name| name == known.as_str());
        let mut states = Vec::new();
        for name in subscriptions.keys().filter(wanted) {
            let Some(known) = subscriptions.get(name) else {
                continue;
            };
            let partitions = u16::try_from(known.partitions.len()).unwrap_or(u16::MAX);
            for (number, partition) in (0..).zip(&known.partitions) {
                states.push(PartitionState {
                    name: name.clone(),
                    partition: number,
                    partitions,
                    fingerprint: known.fingerprint,
                    is_stale: known.is_stale,
                    missed: known.events.clone().into_missed(),
                    is_paused: known.is_paused,
                    stopped: partition.stopped.clone(),
                    cursor: partition.cursor,
                    settled: partition.settled,
                    moved_at: partition.moved_at,
                    owner: partition.holder(),
                    parked: known.parked.len() as u64,
                    wishes: known.parked.iter().filter(|log| log.wish.is_some()).count() as u64,
                    oldest_unsettled: self.recorded_after(partition.cursor)?,
                    now: Utc::now(),
                });
            }
        }
        Ok(states)
    }

    async fn parked(&self, name: &str) -> Result<Vec<ParkedLog>, StoreError> {
        let subscriptions = lock(&self.subscriptions);
        let known = subscriptions.get(name);
        Ok(known.map_or_else(Vec::new, |known| known.parked.clone()))
    }

    async fn wish(&self, name: &str, log_id: LogId, wish: &ParkedWish) -> Result<bool, StoreError> {
        let mut subscriptions = lock(&self.subscriptions);
        let known = subscriptions.get_mut(name);
        let mut parked = known.into_iter().flat_map(|known| &mut known.parked);
        let Some(parked) = parked.find(|log| log.log_id == log_id) else {
            return Ok(false);
        };
        parked.wish = Some(wish.clone());
        Ok(true)
    }
}

impl<E: Event + Clone> FakeEventStore<E> {
    fn for_each(&self, owner: Uuid, change: impl Fn(&mut Partition)) {
        let mut subscriptions = lock(&self.subscriptions);
        let partitions = subscriptions
            .values_mut()
            .flat_map(|subscription| &mut subscription.partitions);
        partitions
            .filter(|partition| partition.owner == Some(owner))
            .for_each(change);
    }
}

/// The place of a transaction: the handlers write elsewhere.
#[derive(Debug)]
pub struct NoTransaction<'a, E> {
    /// The store of the checkpoint.
    store: &'a FakeEventStore<E>,
    /// What the handlers get.
    nothing: (),
}

impl<E: Event + Clone> ProjectionStore<Elsewhere> for FakeEventStore<E> {
    type Transaction<'a> = NoTransaction<'a, E>;

    async fn begin(
        &self,
        _: &str,
        _: Duration,
        _: Duration,
    ) -> Result<NoTransaction<'_, E>, StoreError> {
        Ok(NoTransaction {
            store: self,
            nothing: (),
        })
    }
}

impl<E: Event + Clone> ProjectionTransaction<Elsewhere> for NoTransaction<'_, E> {
    fn connection(&mut self) -> &mut () {
        &mut self.nothing
    }

    async fn settle(self, step: &Step<'_>) -> Result<bool, StoreError> {
        let mut subscriptions = lock(&self.store.subscriptions);
        let partition = find(&mut subscriptions, step.key);
        let is_own = |partition: &&mut Partition| {
            partition.token == step.token && partition.cursor.place() == step.from.place()
        };
        if !partition.is_some_and(|partition| is_own(&partition)) {
            return Ok(false);
        }
        let known = subscriptions.get_mut(step.key.name);
        if let (Some(known), Some(change)) = (known, &step.parked)
            && !known.change(step.key.name, change)
        {
            return Ok(false);
        }
        let Some(partition) = find(&mut subscriptions, step.key) else {
            return Ok(false);
        };
        partition.cursor = step.to;
        partition.settled += step.handled;
        partition.moved_at = Utc::now();
        partition.lease_until = Instant::now() + step.lease;
        Ok(true)
    }

    async fn roll_back(self) {}
}
