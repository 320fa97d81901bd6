//! One task per process looks where the feed ends, for all subscriptions.

use crate::feed::contract::EventFeed;
use crate::feed::head::FeedHead;
use crate::feed::pages::{POLL, POLL_HELD};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// The pause after an error.
const AFTER_ERROR: Duration = Duration::from_millis(250);

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
    loop {
        let pause = match store.head().await {
            Ok(head) => {
                heads.send_if_modified(|known| {
                    let changes = *known != Some(head);
                    *known = Some(head);
                    changes
                });
                if head.is_held() { POLL_HELD } else { POLL }
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
