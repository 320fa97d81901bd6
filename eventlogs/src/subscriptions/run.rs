//! The task of one partition: it takes the lease, follows the feed, and tries again after failures.

use crate::projection::checkpoint::{Checkpoint, CheckpointStore};
use crate::projection::handler::{HandlerError, panic_message};
use crate::shared_error::cause;
use crate::subscriptions::follow::{End, follow};
use crate::subscriptions::job::{Culprit, Failed};
use crate::subscriptions::partition::{Failures, Partition, backoff};
use crate::subscriptions::progress::{Activity, NoteEnd};
use crate::subscriptions::telemetry;
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

/// How often an event is tried that cannot be handled.
pub(super) const ATTEMPTS: u32 = 3;
/// How often a partition asks for a lease that another process holds, at most.
const ASK_AGAIN: Duration = Duration::from_secs(1);

impl<S: CheckpointStore> Partition<S> {
    /// Runs until it is told to end.
    pub(super) async fn run(mut self) {
        let _end = NoteEnd(self.shared.clone());
        loop {
            let control = *self.control.borrow_and_update();
            if control.is_over {
                return;
            }
            if control.is_paused {
                self.shared.set(Activity::Paused, None);
                self.wait_for_control(ASK_AGAIN).await;
                continue;
            }
            match self.store.take(self.key(), self.owner, self.lease).await {
                Ok(Some(checkpoint)) => {
                    self.wished = control.wished;
                    // The destructor of a handler's future may panic, too.
                    let followed = AssertUnwindSafe(self.hold(checkpoint)).catch_unwind();
                    match followed.await {
                        Ok(end) => self.after(end, checkpoint.token).await,
                        Err(panic) => {
                            let reason =
                                format!("the task has panicked: {}", panic_message(&*panic));
                            self.pause_after(reason).await;
                        }
                    }
                }
                Ok(None) => self.wait_for_lease().await,
                Err(error) => {
                    let error = cause(&error).to_string();
                    self.pause_after(error).await;
                }
            }
        }
    }

    /// Uses the lease: first for the parked logs, then for the feed.
    async fn hold(&mut self, checkpoint: Checkpoint) -> End {
        match self.look_at_parked(checkpoint).await {
            Some(end) => end,
            None => follow(self, checkpoint).await,
        }
    }

    /// Waits until the lease may be free.
    async fn wait_for_lease(&mut self) {
        self.shared.set(Activity::Waiting, None);
        let pause = ASK_AGAIN.min(self.lease / 5);
        // Processes that wait for the same lease must not all ask at the same time.
        self.wait_for_control(pause.mul_f64(0.75 + fastrand::f64() / 2.0))
            .await;
    }

    /// Decides what follows after the partition has stopped following the feed.
    async fn after(&mut self, end: End, token: i64) {
        match end {
            End::Told => {}
            End::LeaseLost => self.lost_lease(),
            End::Feed(error) => {
                let error = cause(&error).to_string();
                self.stop(token, error).await;
            }
            End::Failed(failed, culprit) => self.failed(failed, culprit, token).await,
            End::Reader => {
                let reason = "the task that reads the feed has ended".to_owned();
                self.pause_after(reason).await;
            }
        }
    }

    /// Decides what follows after a page was not applied.
    async fn failed(&mut self, failed: Failed, culprit: Option<Box<Culprit>>, token: i64) {
        telemetry::not_applied(self.facts.name, failed.handler_error());
        let passes = failed.passes();
        let error = failed.described();
        let names_event = matches!(failed, Failed::Event(_, HandlerError::Decode(_)));
        let (place, reason) = match culprit.as_deref() {
            Some(Culprit { event, .. }) if names_event => {
                ((event.log_id, event.index), error.clone())
            }
            Some(Culprit { event, .. }) => {
                let (index, log_id, event_type) = (event.index, event.log_id, &event.event_type);
                let reason = format!("event {index} of log {log_id} (`{event_type}`): {error}");
                ((log_id, index), reason)
            }
            None => (Default::default(), error.clone()),
        };
        if passes || self.failures.again(place) < ATTEMPTS {
            return self.pause_after(reason).await;
        }
        match culprit {
            Some(culprit) => self.park(&culprit, &error, reason, token).await,
            None => self.stop(token, reason).await,
        }
    }

    /// Notes that another process has taken the lease.
    pub(super) fn lost_lease(&self) {
        let subscription = self.facts.name;
        telemetry::lease_lost(subscription);
        tracing::info!(subscription, "another process has taken the lease");
    }

    /// Stops, in all processes, until one of them is told to try again.
    pub(super) async fn stop(&mut self, token: i64, reason: String) {
        tracing::error!(reason, "the subscription has stopped");
        if let Err(error) = self.store.stop(self.key(), token, &reason).await {
            tracing::warn!(%error, "the reason for which a subscription has stopped was not stored");
            // After the next attempt it is stored. Another process would come to the same event.
            return self.pause_after(reason).await;
        }
        // The supervisor counts the others, too, when it next looks.
        telemetry::stopped(self.facts.name, 1);
        self.failures = Failures::default();
        self.shared.attempted(Some(reason));
        self.wait_for_lease().await;
    }

    pub(super) async fn pause_after(&mut self, reason: String) {
        self.failures.count = self.failures.count.saturating_add(1);
        let pause = backoff(self.failures.count);
        tracing::warn!(reason, ?pause, "a page was not applied; trying again");
        self.shared.attempted(Some(reason));
        self.shared.set(Activity::Following, None);
        self.wait_for_control(pause).await;
    }

    /// Waits until it is told something else, for at most this time.
    async fn wait_for_control(&mut self, limit: Duration) {
        drop(tokio::time::timeout(limit, self.control.changed()).await);
    }
}

impl Failed {
    /// Returns the error of the handler, if it was not the store that failed.
    pub(super) const fn handler_error(&self) -> Option<&HandlerError> {
        match self {
            Self::Event(_, error) | Self::Events(error) => Some(error),
            Self::Settle(_) | Self::Store(_) => None,
        }
    }

    /// Returns the error with its causes.
    pub(super) fn described(&self) -> String {
        match self {
            Self::Event(_, error) | Self::Events(error) => cause(error).to_string(),
            Self::Settle(error) | Self::Store(error) => cause(error).to_string(),
        }
    }
}
