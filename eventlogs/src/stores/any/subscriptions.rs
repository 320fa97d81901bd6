//! Subscriptions on a store that is chosen at run time: projections whose handlers write elsewhere.

use crate::ids::LogId;
use crate::projection::checkpoint::{
    Checkpoint, CheckpointStore, PartitionKey, PartitionState, ProjectionStore,
    ProjectionTransaction, RegisterError, Registration, Step,
};
use crate::projection::database::Elsewhere;
use crate::projection::parked::{ParkedLog, ParkedWish};
use crate::stores::any::{AnyEventStore, on_each};
use crate::stores::error::store::StoreError;
use std::time::Duration;
use uuid::Uuid;

impl CheckpointStore for AnyEventStore {
    async fn register(&self, registration: Registration<'_>) -> Result<(), RegisterError> {
        on_each!(self, store => store.register(registration).await)
    }

    async fn take(
        &self,
        key: PartitionKey<'_>,
        owner: Uuid,
        lease: Duration,
    ) -> Result<Option<Checkpoint>, StoreError> {
        on_each!(self, store => store.take(key, owner, lease).await)
    }

    async fn renew(&self, owner: Uuid, lease: Duration) -> Result<(), StoreError> {
        on_each!(self, store => store.renew(owner, lease).await)
    }

    async fn release(&self, owner: Uuid) -> Result<(), StoreError> {
        on_each!(self, store => store.release(owner).await)
    }

    async fn stop(
        &self,
        key: PartitionKey<'_>,
        token: i64,
        reason: &str,
    ) -> Result<(), StoreError> {
        on_each!(self, store => store.stop(key, token, reason).await)
    }

    async fn set_paused(&self, name: &str, is_paused: bool) -> Result<bool, StoreError> {
        on_each!(self, store => store.set_paused(name, is_paused).await)
    }

    async fn partitions(&self, name: Option<&str>) -> Result<Vec<PartitionState>, StoreError> {
        on_each!(self, store => store.partitions(name).await)
    }

    async fn parked(&self, name: &str) -> Result<Vec<ParkedLog>, StoreError> {
        on_each!(self, store => store.parked(name).await)
    }

    async fn wish(&self, name: &str, log_id: LogId, wish: &ParkedWish) -> Result<bool, StoreError> {
        on_each!(self, store => store.wish(name, log_id, wish).await)
    }
}

/// The place of a transaction for handlers that write elsewhere.
#[derive(Debug)]
pub struct NoTransaction<'a> {
    /// The store of the checkpoint.
    store: &'a AnyEventStore,
    /// How long the lease lasts.
    lease: Duration,
    /// The limit of time of a handler.
    handler_timeout: Duration,
    /// What the handlers get.
    nothing: (),
}

impl ProjectionStore<Elsewhere> for AnyEventStore {
    type Transaction<'a> = NoTransaction<'a>;

    async fn begin(
        &self,
        _: &str,
        lease: Duration,
        handler_timeout: Duration,
    ) -> Result<NoTransaction<'_>, StoreError> {
        Ok(NoTransaction {
            store: self,
            lease,
            handler_timeout,
            nothing: (),
        })
    }
}

impl ProjectionTransaction<Elsewhere> for NoTransaction<'_> {
    fn connection(&mut self) -> &mut () {
        &mut self.nothing
    }

    async fn settle(self, step: &Step<'_>) -> Result<bool, StoreError> {
        let (name, lease, timeout) = (step.key.name, self.lease, self.handler_timeout);
        on_each!(self.store, store => {
            let transaction = ProjectionStore::<Elsewhere>::begin(store, name, lease, timeout);
            transaction.await?.settle(step).await
        })
    }

    async fn roll_back(self) {}
}
