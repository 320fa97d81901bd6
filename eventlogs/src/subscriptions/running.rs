//! The handle on running subscriptions.

use crate::projection::checkpoint::CheckpointStore;
use crate::subscriptions::error::SubscriptionError;
use crate::subscriptions::progress::{Activity, Progress};
use crate::subscriptions::supervisor::Known;
use std::fmt;
use std::sync::Arc;
use tokio::sync::watch;

/// The subscriptions that run in this process. [`Subscriptions::start`](crate::subscriptions::Subscriptions::start) returns it.
///
/// A clone is another handle on the same subscriptions. If the last handle is dropped, they end after their current pages, as
/// with [`shutdown`](RunningSubscriptions::shutdown).
#[derive(Clone)]
pub struct RunningSubscriptions<S> {
    pub(super) store: S,
    pub(super) known: Arc<Vec<Known>>,
    /// Ends the supervisor: by the value `true`, or with the last handle.
    stop: Arc<watch::Sender<bool>>,
    /// Closed when the supervisor has ended.
    ended: watch::Receiver<()>,
}

impl<S: CheckpointStore> RunningSubscriptions<S> {
    pub(super) fn new(
        store: S,
        known: Arc<Vec<Known>>,
        stop: watch::Sender<bool>,
        ended: watch::Receiver<()>,
    ) -> Self {
        Self {
            store,
            known,
            stop: Arc::new(stop),
            ended,
        }
    }

    /// Pauses a subscription. It stays paused, in all processes, until [`resume`](RunningSubscriptions::resume) is called, also
    /// over restarts.
    ///
    /// When the call returns, no handler of it runs in this process any more. Other processes notice it within a third of the
    /// lease.
    ///
    /// # Errors
    /// - [`NotFound`](SubscriptionError::NotFound) if there is no subscription of this name.
    /// - [`Store`](SubscriptionError::Store) if the database failed.
    pub async fn pause(&self, name: &str) -> Result<(), SubscriptionError> {
        self.set_paused(name, true).await?;
        let Some(known) = self.known(name) else {
            return Ok(());
        };
        known
            .control
            .send_modify(|control| control.is_paused = true);
        for partition in &known.partitions {
            let mut progress = partition.watch();
            let rests = |progress: &Progress| {
                matches!(progress.activity, Activity::Paused | Activity::Ended)
            };
            // The sender is this handle's, too.
            let _ = progress.wait_for(rests).await;
        }
        Ok(())
    }

    /// Lets a subscription run that is paused, or that has stopped because of an error.
    ///
    /// # Errors
    /// - [`NotFound`](SubscriptionError::NotFound) if there is no subscription of this name.
    /// - [`Store`](SubscriptionError::Store) if the database failed.
    pub async fn resume(&self, name: &str) -> Result<(), SubscriptionError> {
        self.set_paused(name, false).await?;
        if let Some(known) = self.known(name) {
            known.control.send_modify(|control| {
                control.is_paused = false;
                control.resumed += 1;
            });
        }
        Ok(())
    }

    async fn set_paused(&self, name: &str, is_paused: bool) -> Result<(), SubscriptionError> {
        if self.store.set_paused(name, is_paused).await? {
            Ok(())
        } else {
            Err(SubscriptionError::NotFound {
                name: name.to_owned(),
            })
        }
    }

    /// Returns a subscription of this process.
    pub(super) fn known(&self, name: &str) -> Option<&Known> {
        self.known.iter().find(|known| known.name == name)
    }

    /// Ends all subscriptions of this process: waits for their current pages, and releases the leases, so that other processes
    /// take over immediately.
    ///
    /// If the future is dropped, they end all the same.
    pub async fn shutdown(&self) {
        self.stop.send_replace(true);
        // Nothing is sent: the wait ends when the sender is gone, also with the runtime.
        let _ = self.ended.clone().changed().await;
    }
}

impl<S> fmt::Debug for RunningSubscriptions<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.known.iter().map(|known| known.name);
        formatter
            .debug_struct("RunningSubscriptions")
            .field("names", &names.collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}
