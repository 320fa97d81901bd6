//! The task of one partition: it takes the lease, follows the feed, and tries again after failures.

use crate::feed::event::FeedEvent;
use crate::projection::checkpoint::CheckpointStore;
use crate::projection::handler::{HandlerError, described, panic_message};
use crate::subscriptions::follow::{End, follow};
use crate::subscriptions::job::Failed;
use crate::subscriptions::partition::{Failures, Partition, backoff};
use crate::subscriptions::progress::{Activity, NoteEnd};
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

/// How often an event is tried that cannot be handled.
const ATTEMPTS: u32 = 3;
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
                    // The destructor of a handler's future may panic, too.
                    let followed = AssertUnwindSafe(follow(&mut self, checkpoint)).catch_unwind();
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
                Err(error) => self.pause_after(described(&error)).await,
            }
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
            End::LeaseLost => {
                #[cfg(feature = "metrics")]
                metrics::counter!("eventlogs_leases_lost_total", "subscription" => self.facts.name)
                    .increment(1);
                tracing::info!("another process has taken the lease");
            }
            End::Feed(error) => self.stop(token, described(&error)).await,
            End::Failed(failed, event) => self.failed(failed, event, token).await,
            End::Reader => {
                let reason = "the task that reads the feed has ended".to_owned();
                self.pause_after(reason).await;
            }
        }
    }

    /// Decides what follows after a page was not applied.
    async fn failed(&mut self, failed: Failed, event: Option<FeedEvent>, token: i64) {
        let passes = failed.passes();
        let reason = match &failed {
            Failed::Event(_, error) | Failed::Events(error) => described(error),
            Failed::Settle(error) | Failed::Store(error) => described(error),
        };
        let names_event = matches!(failed, Failed::Event(_, HandlerError::Decode(_)));
        let (place, reason) = match event {
            Some(event) if names_event => ((event.log_id, event.index), reason),
            Some(event) => {
                let FeedEvent {
                    index,
                    log_id,
                    event_type,
                    ..
                } = event;
                let reason = format!("event {index} of log {log_id} (`{event_type}`): {reason}");
                ((log_id, index), reason)
            }
            None => (Default::default(), reason),
        };
        if !passes && self.failures.again(place) >= ATTEMPTS {
            return self.stop(token, reason).await;
        }
        self.pause_after(reason).await;
    }

    /// Stops, in all processes, until one of them is told to try again.
    async fn stop(&mut self, token: i64, reason: String) {
        tracing::error!(reason, "the subscription has stopped");
        if let Err(error) = self.store.stop(self.key(), token, &reason).await {
            tracing::warn!(%error, "the reason for which a subscription has stopped was not stored");
            // After the next attempt it is stored. Another process would come to the same event.
            return self.pause_after(reason).await;
        }
        self.failures = Failures::default();
        self.shared.attempted(Some(reason));
        self.wait_for_lease().await;
    }

    async fn pause_after(&mut self, reason: String) {
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
