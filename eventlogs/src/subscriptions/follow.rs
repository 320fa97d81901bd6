//! A partition follows the feed, while it has the lease.

use crate::cursor::Cursor;
use crate::feed::contract::EventFeed;
use crate::feed::error::FeedError;
use crate::feed::page::FeedPage;
use crate::feed::wanted::Wanted;
use crate::projection::checkpoint::{Checkpoint, CheckpointStore, Step};
use crate::subscriptions::head::{Heads, pace};
use crate::subscriptions::job::{Applied, Culprit, Failed, Work, has_work};
use crate::subscriptions::partition::{Partition, backoff};
use crate::subscriptions::progress::{Activity, Shared};
use crate::subscriptions::telemetry;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// How long a checkpoint may stay behind events that are not wanted.
const IDLE: Duration = Duration::from_millis(250);
/// How often the loop turns while there is nothing to do, at least.
const TURN: Duration = Duration::from_secs(1);
/// The pause after a head that promised more than there was.
const NOTHING_YET: Duration = Duration::from_millis(1);

/// Why a partition does not follow the feed any more.
pub(super) enum End {
    /// It was told to pause, to end, or to begin again, or there is something to do with a parked log.
    Told,
    /// Another process has taken the lease.
    LeaseLost,
    /// A page was not applied.
    Failed(Failed, Option<Box<Culprit>>),
    /// The feed cannot go on.
    Feed(FeedError),
    /// The task that reads the feed has ended.
    Reader,
}

/// Follows the feed from a checkpoint.
pub(super) async fn follow<S: CheckpointStore>(
    partition: &mut Partition<S>,
    checkpoint: Checkpoint,
) -> End {
    let turn = TURN.min(partition.lease / 3);
    let mut pages = Pages::start(partition, checkpoint.cursor);
    let mut place = Follower {
        checkpoint,
        seen: checkpoint.cursor,
        moved: Instant::now(),
        lost: partition.control.borrow().lost,
    };
    partition.shared.settled(checkpoint.cursor);
    partition.shared.set(Activity::Following, Some(place.seen));
    loop {
        let idle = place.seen != place.checkpoint.cursor;
        let until_settled = IDLE.saturating_sub(place.moved.elapsed());
        tokio::select! {
            biased;
            _ = partition.control.changed() => {
                partition.control.mark_unchanged();
                if place.is_told(partition) {
                    return place.settle_idle(partition).await.unwrap_or(End::Told);
                }
            }
            () = tokio::time::sleep(until_settled), if idle => {
                if let Some(end) = place.settle_idle(partition).await {
                    return end;
                }
            }
            page = pages.next() => match page {
                Some(Ok(mut page)) => {
                    partition.pass_over_parked(&mut page.events);
                    if let Some(end) = place.take(partition, &page).await {
                        return end;
                    }
                }
                Some(Err(error)) => return End::Feed(error),
                None => return End::Reader,
            },
            () = tokio::time::sleep(turn) => partition.shared.turn(),
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
    /// How often the database had lost a step before.
    lost: u64,
}

impl Follower {
    /// Returns `true` if the partition is to do something else.
    fn is_told<S>(&self, partition: &Partition<S>) -> bool {
        let control = *partition.control.borrow();
        control.is_over
            || control.is_paused
            || control.lost != self.lost
            || control.wished != partition.wished
    }

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
            of_parked: None,
        };
        // After a failure, a transaction takes only the events that may succeed.
        let mut most = usize::MAX;
        let mut failure = None;
        while !work.events.is_empty() {
            let part = work.first(most.min(work.events.len()));
            let begun = Instant::now();
            let applied = partition.job.apply(&partition.store, part).await;
            telemetry::page_took(partition.facts.name, begun.elapsed());
            partition.shared.page_took(begun.elapsed());
            let settled = match applied {
                Ok(Applied::Settled(events)) => events,
                Ok(Applied::LeaseLost) => return Some(End::LeaseLost),
                Err(failed) => {
                    let culprit = failed.culprit(&part);
                    let Some(fewer) = failed.good_part(&part) else {
                        return Some(End::Failed(failed, culprit));
                    };
                    most = fewer;
                    failure = matches!(failed, Failed::Event(..)).then_some((failed, culprit));
                    continue;
                }
            };
            work = work.rest(settled);
            self.moved_to(partition, work.step.from);
            partition
                .shared
                .set(Activity::Following, Some(work.step.from));
            if self.is_told(partition) {
                return Some(End::Told);
            }
            match failure.take_if(|_| settled >= most) {
                // What comes before the event was applied alone, so that the checkpoint shows where it stands.
                Some((failed, culprit)) => {
                    let from = work.step.from;
                    let culprit = culprit.map(|culprit| Box::new(Culprit { from, ..*culprit }));
                    return Some(End::Failed(failed, culprit));
                }
                None if failure.is_some() => most -= settled,
                None => most = usize::MAX,
            }
        }
        None
    }

    /// Notes that the checkpoint has moved.
    fn moved_to<S: CheckpointStore>(&mut self, partition: &mut Partition<S>, cursor: Cursor) {
        partition.succeeded(cursor);
        self.checkpoint.cursor = cursor;
        self.moved = Instant::now();
    }

    /// Moves the checkpoint over events that are not wanted. Returns the end, if it comes to one.
    async fn settle_idle<S: CheckpointStore>(
        &mut self,
        partition: &mut Partition<S>,
    ) -> Option<End> {
        if self.seen == self.checkpoint.cursor || partition.control.borrow().lost != self.lost {
            return None;
        }
        let work = Work {
            events: &[],
            step: self.step(partition, self.seen),
            handler_timeout: partition.options.handler_timeout,
            of_parked: None,
        };
        match partition.job.apply(&partition.store, work).await {
            Ok(Applied::Settled(_)) => {
                self.moved_to(partition, self.seen);
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
            parked: None,
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
