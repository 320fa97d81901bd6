//! The parked logs of a subscription, for people.

use crate::ids::LogId;
use crate::log_state::LogPosition;
use crate::projection::checkpoint::CheckpointStore;
use crate::projection::parked::{ParkedLog, ParkedWish};
use crate::subscriptions::error::{SubscriptionError, WaitError};
use crate::subscriptions::running::RunningSubscriptions;

impl<S: CheckpointStore> RunningSubscriptions<S> {
    /// Returns the parked logs of a subscription, in the order in which they were parked.
    ///
    /// An event that cannot be applied parks its log: the event and the later events of the log are passed over, and all other
    /// logs go on. They are still in the log, so that [`retry`](RunningSubscriptions::retry) and
    /// [`skip`](RunningSubscriptions::skip) can apply them.
    ///
    /// # Errors
    /// - [`NotFound`](SubscriptionError::NotFound) if there is no subscription of this name.
    /// - [`Store`](SubscriptionError::Store) if the database failed.
    pub async fn parked(&self, name: &str) -> Result<Vec<ParkedLog>, SubscriptionError> {
        let parked = self.store.parked(name).await?;
        if parked.is_empty() {
            self.check_exists(name).await?;
        }
        Ok(parked)
    }

    /// Applies the events of a parked log, from the one that was not applied, after its cause was corrected.
    ///
    /// The call returns when the wish is stored. The process that has the lease fulfils it: at once if it is this one, else
    /// within a third of the lease; after `resume`, if the subscription is paused or has stopped. If an event fails again, the log
    /// stays parked, with one more attempt. [`wait_for`](RunningSubscriptions::wait_for) returns `Parked` until the log goes on.
    ///
    /// # Errors
    /// - [`NotFound`](SubscriptionError::NotFound) if there is no subscription of this name.
    /// - [`NotParked`](SubscriptionError::NotParked) if the log is not parked.
    /// - [`Store`](SubscriptionError::Store) if the database failed.
    pub async fn retry(&self, name: &str, log_id: LogId) -> Result<(), SubscriptionError> {
        self.wish(name, log_id, ParkedWish::Retry).await
    }

    /// Leaves out the event at which a log is parked, for ever, and applies the events after it.
    ///
    /// The table `skipped_events` keeps the event, its error, and `by`: who has decided it. The wish is fulfilled as that of
    /// [`retry`](RunningSubscriptions::retry).
    ///
    /// # Errors
    /// - [`NotFound`](SubscriptionError::NotFound) if there is no subscription of this name.
    /// - [`NotParked`](SubscriptionError::NotParked) if the log is not parked.
    /// - [`Store`](SubscriptionError::Store) if the database failed.
    pub async fn skip(&self, name: &str, log_id: LogId, by: &str) -> Result<(), SubscriptionError> {
        let by = by.to_owned();
        self.wish(name, log_id, ParkedWish::Skip { by }).await
    }

    async fn wish(
        &self,
        name: &str,
        log_id: LogId,
        wish: ParkedWish,
    ) -> Result<(), SubscriptionError> {
        if !self.store.wish(name, log_id, &wish).await? {
            self.check_exists(name).await?;
            return Err(SubscriptionError::NotParked {
                name: name.to_owned(),
                log_id,
            });
        }
        if let Some(known) = self.known(name) {
            known.control.send_modify(|control| control.wished += 1);
        }
        Ok(())
    }

    async fn check_exists(&self, name: &str) -> Result<(), SubscriptionError> {
        if self.store.partitions(Some(name)).await?.is_empty() {
            return Err(SubscriptionError::NotFound {
                name: name.to_owned(),
            });
        }
        Ok(())
    }

    /// Returns an error if a log is parked at an event or before it.
    pub(super) async fn check_parked(
        &self,
        name: &str,
        position: LogPosition,
    ) -> Result<(), WaitError> {
        let mut parked = self.store.parked(name).await?.into_iter();
        let holds = |log: &ParkedLog| {
            log.log_id == position.log_id() && log.event_index <= position.index()
        };
        match parked.find(holds) {
            Some(log) => Err(WaitError::Parked {
                name: log.name,
                index: log.event_index,
                reason: log.error,
            }),
            None => Ok(()),
        }
    }
}
