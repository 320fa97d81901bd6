//! One task per process looks where the feed ends, for all subscriptions.

use crate::feed::contract::EventFeed;
use crate::feed::head::FeedHead;
use crate::feed::pages::{POLL, POLL_HELD};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// After this time without a new event, the end is looked up less often.
const QUIET: Duration = Duration::from_secs(2);
/// How often the end is looked up then, if this process commits nothing.
const POLL_QUIET: Duration = Duration::from_millis(150);
/// The longest pause of a task that has work all the time.
const LONGEST_PACE: Duration = Duration::from_millis(10);
/// The pause after an error.
const AFTER_ERROR: Duration = Duration::from_millis(250);

/// Returns how long to wait after work that took this long, so that more can arrive and is done together. What arrives after
/// the pause does not wait.
pub(super) fn pace(took: Duration) -> Duration {
    (took * 2).min(LONGEST_PACE)
}

/// The end of the feed, as the task has last seen it.
#[derive(Clone)]
pub(super) struct Heads(watch::Receiver<Option<FeedHead>>);

impl Heads {
    /// Starts the task. It ends when the handle is aborted.
    pub(super) fn start<S: EventFeed>(store: S) -> (Self, JoinHandle<()>) {
        let (sender, receiver) = watch::channel(None);
        let task = tokio::spawn(look(store, sender));
        (Self(receiver), task)
    }

    /// Waits for a head that `is_enough`. Returns `None` if the task has ended.
    pub(super) async fn wait(
        &mut self,
        mut is_enough: impl FnMut(&FeedHead) -> bool,
    ) -> Option<FeedHead> {
        let enough = |head: &Option<FeedHead>| head.as_ref().is_some_and(&mut is_enough);
        let head = self.0.wait_for(enough).await.ok()?;
        *head
    }
}

async fn look<S: EventFeed>(store: S, heads: watch::Sender<Option<FeedHead>>) {
    let mut commits = store.commits();
    let mut changed = Instant::now();
    // A transaction that holds the end back ends soon, or runs for long.
    let mut patience = POLL_HELD;
    loop {
        let begun = Instant::now();
        let pause = match store.head().await {
            Ok(head) => {
                let is_new = heads.send_if_modified(|known| {
                    // The fence moves with every transaction of the server. Only events concern the readers.
                    let events = |head: &FeedHead| (head.last, head.readable, head.history);
                    let last = known.replace(head);
                    last.as_ref().map(events) != Some(events(&head))
                });
                if is_new {
                    changed = Instant::now();
                    // While this process commits all the time, most of the commits need no look of their own.
                    tokio::time::sleep(pace(begun.elapsed())).await;
                }
                patience = if head.is_held() {
                    POLL.min(patience * 2)
                } else {
                    POLL_HELD
                };
                if head.is_held() {
                    patience
                } else if changed.elapsed() < QUIET {
                    POLL
                } else {
                    POLL_QUIET
                }
            }
            Err(error) => {
                tracing::warn!(%error, "the end of the feed cannot be looked up; trying again");
                AFTER_ERROR
            }
        };
        // Whichever comes first; a signal that was missed only costs the pause.
        let _ = tokio::time::timeout(pause, commits.next()).await;
    }
}
