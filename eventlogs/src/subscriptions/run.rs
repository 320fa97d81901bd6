//! The task of one partition: it takes the lease, follows the feed, and tries again after failures.

use crate::feed::event::FeedEvent;
use crate::projection::checkpoint::CheckpointStore;
use crate::subscriptions::follow::{End, follow};
use crate::subscriptions::job::Failed;
use crate::subscriptions::partition::{Failures, Partition, backoff};
use crate::subscriptions::progress::{Activity, Control};
use std::error::Error;
use std::time::Duration;

/// How often an event is tried that cannot be handled.
const ATTEMPTS: u32 = 3;
/// How often a partition asks for a lease that another process holds, at most.
const ASK_AGAIN: Duration = Duration::from_secs(1);

impl<S: CheckpointStore> Partition<S> {
    /// Runs until it is told to end.
    pub(super) async fn run(mut self) {
        loop {
            let control = *self.control.borrow_and_update();
            if control.is_over {
                return;
            }
            if control.is_paused {
                self.shared.set(Activity::Paused, None);
                self.wait_for_control(None).await;
                continue;
            }
            match self.store.take(self.key(), self.owner, self.lease).await {
                Ok(Some(checkpoint)) => {
                    let end = follow(&mut self, checkpoint).await;
                    self.after(end, checkpoint.token).await;
                }
                Ok(None) => {
                    self.shared.set(Activity::Waiting, None);
                    let pause = ASK_AGAIN.min(self.lease / 5);
                    // Processes that wait for the same lease must not all ask at the same time.
                    self.wait_for_control(Some(pause.mul_f64(0.75 + fastrand::f64() / 2.0)))
                        .await;
                }
                Err(error) => self.pause_after(described(&error)).await,
            }
        }
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
        }
    }

    /// Decides what follows after a page was not applied.
    async fn failed(&mut self, failed: Failed, event: Option<FeedEvent>, token: i64) {
        let passes = failed.passes();
        let (place, reason) = match (failed, &event) {
            (Failed::Event(_, error), Some(event)) => {
                let reason = format!(
                    "event {} of log {} (`{}`): {}",
                    event.index,
                    event.log_id,
                    event.event_type,
                    described(&error)
                );
                ((event.log_id, event.index), reason)
            }
            (Failed::Event(_, error), None) => (Default::default(), described(&error)),
            (Failed::Store(error), _) => (Default::default(), described(&error)),
        };
        if !passes && self.failures.again(place) >= ATTEMPTS {
            return self.stop(token, reason).await;
        }
        self.pause_after(reason).await;
    }

    /// Stops until it is told to try again.
    async fn stop(&mut self, token: i64, reason: String) {
        tracing::error!(reason, "the subscription has stopped");
        if let Err(error) = self.store.stop(self.key(), token, &reason).await {
            // It stops all the same; another process would come to the same event.
            tracing::warn!(%error, "the reason for which a subscription has stopped was not stored");
        }
        self.failures = Failures::default();
        self.shared.attempted(Some(reason.clone()));
        self.shared.set(Activity::Stopped(reason), None);
        let resumed = self.control.borrow().resumed;
        let again = |control: &Control| control.is_over || control.resumed != resumed;
        // The handle is gone with its sender: the partition ends then, too.
        let _ = self.control.wait_for(again).await;
    }

    async fn pause_after(&mut self, reason: String) {
        self.failures.count = self.failures.count.saturating_add(1);
        let pause = backoff(self.failures.count);
        tracing::warn!(reason, ?pause, "a page was not applied; trying again");
        self.shared.attempted(Some(reason));
        self.shared.set(Activity::Following, None);
        self.wait_for_control(Some(pause)).await;
    }

    /// Waits until it is told something else, for at most this time.
    async fn wait_for_control(&mut self, limit: Option<Duration>) {
        let changed = self.control.changed();
        match limit {
            Some(limit) => drop(tokio::time::timeout(limit, changed).await),
            None => drop(changed.await),
        }
    }
}

/// Returns an error with its causes.
fn described(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        // Some errors repeat their cause in their own message.
        if !text.ends_with(&next) {
            text = format!("{text}: {next}");
        }
        cause = error.source();
    }
    text
}
