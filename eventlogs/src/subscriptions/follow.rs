//! A partition follows the feed, while it has the lease.

use crate::cursor::Cursor;
use crate::feed::contract::EventFeed;
use crate::feed::error::FeedError;
use crate::feed::event::FeedEvent;
use crate::feed::page::FeedPage;
use crate::feed::wanted::Wanted;
use crate::projection::checkpoint::{Checkpoint, CheckpointStore, Step};
use crate::subscriptions::head::{Heads, pace};
use crate::subscriptions::job::{Applied, Failed, Work, has_work};
use crate::subscriptions::partition::{Partition, backoff};
use crate::subscriptions::progress::{Activity, Shared};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// How long a checkpoint may stay behind events that are not wanted.
const IDLE: Duration = Duration::from_millis(250);
/// The pause after a head that promised more than there was.
const NOTHING_YET: Duration = Duration::from_millis(1);

/// Why a partition does not follow the feed any more.
pub(super) enum End {
    /// It was told to pause or to end.
    Told,
    /// Another process has taken the lease.
    LeaseLost,
    /// A page was not applied.
    Failed(Failed, Option<FeedEvent>),
    /// The feed cannot go on.
    Feed(FeedError),
}

/// Follows the feed from a checkpoint.
pub(super) async fn follow<S: CheckpointStore>(
    partition: &mut Partition<S>,
    checkpoint: Checkpoint,
) -> End {
    let mut pages = Pages::start(partition, checkpoint.cursor);
    let mut place = Follower {
        checkpoint,
        seen: checkpoint.cursor,
        moved: Instant::now(),
    };
    partition.shared.set(Activity::Following, Some(place.seen));
    loop {
        let idle = place.seen != place.checkpoint.cursor;
        let until_settled = IDLE.saturating_sub(place.moved.elapsed());
        tokio::select! {
            biased;
            _ = partition.control.changed() => {
                let control = *partition.control.borrow_and_update();
                if control.is_over || control.is_paused {
                    return place.settle_idle(partition).await.unwrap_or(End::Told);
                }
            }
            () = tokio::time::sleep(until_settled), if idle => {
                if let Some(end) = place.settle_idle(partition).await {
                    return end;
                }
            }
            page = pages.next() => match page {
                Some(Ok(page)) => {
                    if let Some(end) = place.take(partition, &page).await {
                        return end;
                    }
                }
                Some(Err(error)) => return End::Feed(error),
                None => return End::Told,
            }
        }
    }
}

/// The place of a partition in the feed.
struct Follower {
    /// The checkpoint, as this process knows it.
    checkpoint: Checkpoint,
    /// The end of the last page. There is no wanted event between the checkpoint and this place.
    seen: Cursor,
    /// When the checkpoint has moved.
    moved: Instant,
}

impl Follower {
    /// Takes a page. Returns the end, if it comes to one.
    async fn take<S: CheckpointStore>(
        &mut self,
        partition: &mut Partition<S>,
        page: &FeedPage,
    ) -> Option<End> {
        partition.shared.turn();
        if has_work(page) {
            let end = self.apply(partition, page).await;
            if end.is_some() {
                return end;
            }
        }
        self.seen = page.cursor;
        partition.shared.set(Activity::Following, Some(self.seen));
        None
    }

    /// Applies the events of a page, in one transaction or in several.
    async fn apply<S: CheckpointStore>(
        &mut self,
        partition: &mut Partition<S>,
        page: &FeedPage,
    ) -> Option<End> {
        let mut work = Work {
            events: &page.events,
            step: self.step(partition, page.cursor),
            handler_timeout: partition.options.handler_timeout,
        };
        while !work.events.is_empty() {
            let begun = Instant::now();
            let applied = partition.job.apply(&partition.store, work).await;
            measure(partition.facts.name, begun.elapsed());
            partition.shared.page_took(begun.elapsed());
            let settled = match applied {
                Ok(Applied::Settled(events)) => events,
                Ok(Applied::LeaseLost) => return Some(End::LeaseLost),
                Err(Failed::Event(failing, error)) => {
                    // What came before the event is applied alone, so that the checkpoint shows where it stands.
                    let Some(before) = work.end_before(failing) else {
                        let event = work.events.get(failing).cloned();
                        return Some(End::Failed(Failed::Event(failing, error), event));
                    };
                    match partition
                        .job
                        .apply(&partition.store, work.first(before))
                        .await
                    {
                        Ok(Applied::Settled(events)) => events,
                        Ok(Applied::LeaseLost) => return Some(End::LeaseLost),
                        Err(failed) => return Some(End::Failed(failed, None)),
                    }
                }
                Err(failed) => return Some(End::Failed(failed, None)),
            };
            partition.succeeded();
            work = work.rest(settled);
            self.checkpoint.cursor = work.step.from;
            self.moved = Instant::now();
            partition
                .shared
                .set(Activity::Following, Some(work.step.from));
        }
        None
    }

    /// Moves the checkpoint over events that are not wanted. Returns the end, if it comes to one.
    async fn settle_idle<S: CheckpointStore>(
        &mut self,
        partition: &mut Partition<S>,
    ) -> Option<End> {
        if self.seen == self.checkpoint.cursor {
            return None;
        }
        let work = Work {
            events: &[],
            step: self.step(partition, self.seen),
            handler_timeout: partition.options.handler_timeout,
        };
        match partition.job.apply(&partition.store, work).await {
            Ok(Applied::Settled(_)) => {
                partition.succeeded();
                self.checkpoint.cursor = self.seen;
                self.moved = Instant::now();
                None
            }
            Ok(Applied::LeaseLost) => Some(End::LeaseLost),
            Err(failed) => Some(End::Failed(failed, None)),
        }
    }

    fn step<'a, S: CheckpointStore>(&self, partition: &Partition<S>, to: Cursor) -> Step<'a> {
        Step {
            key: partition.key(),
            token: self.checkpoint.token,
            from: self.checkpoint.cursor,
            to,
            handled: 0,
            lease: partition.lease,
        }
    }
}

/// Reads the feed in a task of its own, one page ahead.
struct Pages {
    pages: mpsc::Receiver<Result<FeedPage, FeedError>>,
    reader: JoinHandle<()>,
}

impl Pages {
    fn start<S: CheckpointStore>(partition: &Partition<S>, cursor: Cursor) -> Self {
        let options = &partition.options;
        let wanted = Wanted::of(partition.facts.sources);
        let reader = Reader {
            store: partition.store.clone(),
            cursor,
            wanted: wanted.in_partition(partition.shared.partition, options.partitions),
            page_size: options.page_size,
            heads: partition.heads.clone(),
            shared: partition.shared.clone(),
        };
        let (sender, pages) = mpsc::channel(1);
        Self {
            pages,
            reader: tokio::spawn(reader.read(sender)),
        }
    }

    async fn next(&mut self) -> Option<Result<FeedPage, FeedError>> {
        self.pages.recv().await
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

/// Reads the feed.
struct Reader<S> {
    store: S,
    cursor: Cursor,
    wanted: Wanted,
    page_size: usize,
    heads: Heads,
    shared: Shared,
}

impl<S: EventFeed> Reader<S> {
    async fn read(mut self, pages: mpsc::Sender<Result<FeedPage, FeedError>>) {
        let feed = self.store.feed(self.cursor);
        let mut feed = feed.with_wanted(self.wanted).with_page_size(self.page_size);
        let mut failures = 0;
        loop {
            let at = feed.cursor();
            let is_due = |head: &crate::feed::head::FeedHead| {
                head.has_events_after(at) || head.is_behind(at)
            };
            let Some(head) = self.heads.wait(is_due).await else {
                return;
            };
            let entered = feed.enter(head).await;
            let page = match entered {
                Ok(()) => feed.page_before(head).await,
                Err(error) => Err(error),
            };
            match page {
                Ok(Some(page)) => {
                    failures = 0;
                    let is_last = !page.more;
                    if pages.send(Ok(page)).await.is_err() {
                        return;
                    }
                    if is_last {
                        tokio::time::sleep(pace(self.shared.last_page())).await;
                    }
                }
                Ok(None) => tokio::time::sleep(NOTHING_YET).await,
                Err(FeedError::Store(error)) => {
                    self.shared.attempted(Some(error.to_string()));
                    failures += 1;
                    tokio::time::sleep(backoff(failures)).await;
                }
                Err(error) => {
                    // If nobody receives it any more, nobody needs it.
                    let _ = pages.send(Err(error)).await;
                    return;
                }
            }
        }
    }
}

/// Measures how long a page took.
fn measure(name: &'static str, took: Duration) {
    #[cfg(feature = "metrics")]
    metrics::histogram!("eventlogs_page_seconds", "subscription" => name).record(took);
    #[cfg(not(feature = "metrics"))]
    let _ = (name, took);
}
