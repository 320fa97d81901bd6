//! Reads a feed page by page.

use crate::cursor::Cursor;
use crate::feed::contract::{
    EventFeed, Feed, FeedHead, FeedHold, FeedPage, FeedRequest, PreviousPage,
};
use crate::feed::error::FeedError;
use crate::feed::event::FeedEvent;
use crate::feed::guard::{Checked, Guard, Verdict};
use crate::feed::wanted::Wanted;
use crate::stores::error::store::StoreError;
use std::time::Duration;

/// From this distance on, the store leaves out the logs that are not wanted.
const FAR: u64 = 100_000;
/// How many events a store looks at per page that leaves out others.
const SPARSE_EVENTS: usize = 2_000;
/// How long to wait before looking for new events, if there was no signal.
pub(crate) const POLL: Duration = Duration::from_millis(25);
/// How long to wait if there are events that are committed but not final.
pub(crate) const POLL_HELD: Duration = Duration::from_millis(1);

impl<S: EventFeed> Feed<S> {
    /// Limits a page to this many events; 500 by default. A page of large events ends after 4 MiB.
    #[must_use]
    pub fn with_page_size(self, events: usize) -> Self {
        Self {
            page_size: events.max(1),
            ..self
        }
    }

    /// Reads only the payloads of the events that are wanted.
    pub(crate) fn with_wanted(self, wanted: Wanted) -> Self {
        Self { wanted, ..self }
    }

    /// Returns the end of the last page: the place to continue.
    #[must_use]
    pub const fn cursor(&self) -> Cursor {
        self.cursor
    }

    /// Reads the next page. Returns `None` if the feed has no more events now; a later call may return some.
    ///
    /// A page may be empty: then the store has looked at events that are not wanted, and the cursor has moved. It takes one
    /// round trip, and one more per page that was not full, to look up the end of the feed.
    ///
    /// If the future is dropped, the next call reads the same page.
    ///
    /// # Errors
    /// - [`FeedRewound`](FeedError::FeedRewound) if events that were delivered do not exist any more.
    /// - [`Skipped`](FeedError::Skipped) if an event is missing from its log.
    /// - [`Store`](FeedError::Store) if the database failed.
    pub async fn next_page(&mut self) -> Result<Option<FeedPage>, FeedError> {
        let head = match self.head {
            Some(head) if head.has_events_after(self.cursor) => head,
            _ => self.look().await?,
        };
        self.page_before(head).await
    }

    /// Waits until there may be events after the cursor.
    ///
    /// It returns early rather than late: after a commit of this process immediately, after one of another process within 25 ms.
    ///
    /// # Errors
    /// - [`FeedRewound`](FeedError::FeedRewound) if events that were delivered do not exist any more.
    /// - [`Store`](FeedError::Store) if the database failed.
    pub async fn wait(&mut self) -> Result<(), FeedError> {
        let mut commits = self.store.commits();
        loop {
            let head = self.look().await?;
            if head.has_events_after(self.cursor) {
                return Ok(());
            }
            let pause = if head.is_held() { POLL_HELD } else { POLL };
            // Whichever comes first; a signal that was missed only costs the pause.
            let _ = tokio::time::timeout(pause, commits.next()).await;
        }
    }

    /// Reads the next page up to a head that was looked up before.
    pub(crate) async fn page_before(
        &mut self,
        head: FeedHead,
    ) -> Result<Option<FeedPage>, FeedError> {
        if !head.has_events_after(self.cursor) {
            // A cursor that is ahead of everything names an event that does not exist.
            if head.is_behind(self.cursor) {
                self.read(head).await?;
            }
            return Ok(None);
        }
        let mut page = self.read(head).await?;
        if page.cursor == self.cursor {
            return Ok(None);
        }
        let mut checked = Checked::default();
        if !self.is_dense(&mut checked, &page) {
            // The page may have been read while the fence was wrong. A new fence proves that nothing was only late.
            let head = self.look().await?;
            page = self.read(head).await?;
            checked = Checked::default();
            if !self.is_dense(&mut checked, &page) {
                checked = Checked::default();
                page = self.repaired(&mut checked, page).await?;
            }
        }
        self.guard.remember(checked);
        self.previous = Some(PreviousPage {
            after: self.cursor,
            events: page.events.iter().map(|event| event.cursor).collect(),
        });
        self.cursor = page.cursor;
        #[cfg(feature = "metrics")]
        metrics::counter!("eventlogs_feed_events_total").increment(page.events.len() as u64);
        Ok(Some(page))
    }

    /// Returns to the place before a page that could not be used. What was seen since is forgotten.
    pub(super) fn go_back(&mut self, cursor: Cursor) {
        self.cursor = cursor;
        self.guard = Guard::new(cursor == Cursor::START);
    }

    /// Looks up the end of the feed.
    async fn look(&mut self) -> Result<FeedHead, FeedError> {
        let head = self.store.head().await?;
        self.enter(head).await?;
        Ok(head)
    }

    /// Takes a head that was looked up. If the server has changed, the events that were delivered last must still exist.
    pub(crate) async fn enter(&mut self, head: FeedHead) -> Result<(), FeedError> {
        if let Some(known) = self.head
            && known.history != head.history
        {
            tracing::info!(from = ?known.history, to = ?head.history, "the feed continues on another server");
            self.check_previous(head).await?;
        }
        self.head = Some(head);
        Ok(())
    }

    /// Reads the last page again, and compares it.
    async fn check_previous(&self, head: FeedHead) -> Result<(), FeedError> {
        let Some(previous) = &self.previous else {
            return Ok(());
        };
        let request = FeedRequest {
            sparse: false,
            ..FeedRequest::new(previous.after, head, usize::MAX, &self.wanted)
        };
        let mut after = previous.after;
        let mut delivered = previous
            .events
            .iter()
            .filter(|event| event.event_id().is_some());
        let mut next = delivered.next();
        while next.is_some() {
            let limit = self.page_size;
            let page = self
                .store
                .read_feed(FeedRequest {
                    after,
                    limit,
                    ..request
                })
                .await?;
            if page.cursor == after {
                break;
            }
            for event in &page.events {
                if next == Some(&event.cursor) {
                    next = delivered.next();
                }
            }
            after = page.cursor;
        }
        match next {
            Some(gone) => Err(FeedError::FeedRewound { cursor: *gone }),
            None => Ok(()),
        }
    }

    async fn read(&self, head: FeedHead) -> Result<FeedPage, FeedError> {
        let is_far = head.distance(self.cursor) > FAR;
        self.store
            .read_feed(FeedRequest {
                sparse: is_far,
                limit: if is_far {
                    self.page_size.max(SPARSE_EVENTS)
                } else {
                    self.page_size
                },
                ..FeedRequest::new(self.cursor, head, self.page_size, &self.wanted)
            })
            .await
    }

    /// Returns `true` if each event of the page comes next in its log.
    fn is_dense(&self, checked: &mut Checked, page: &FeedPage) -> bool {
        let mut watched = page.events.iter().filter(|event| self.watches(event));
        watched.all(|event| self.guard.check(checked, event) == Verdict::Next)
    }

    /// Only the logs that are wanted are watched: of the others, a store may leave out events.
    fn watches(&self, event: &FeedEvent) -> bool {
        self.wanted.includes_log(event.log_id, event.kind)
    }

    /// Puts missing events before those that follow them in their logs.
    async fn repaired(
        &mut self,
        checked: &mut Checked,
        page: FeedPage,
    ) -> Result<FeedPage, FeedError> {
        let mut events: Vec<FeedEvent> = Vec::with_capacity(page.events.len());
        for event in page.events {
            let (log_id, index) = (event.log_id, event.index);
            if !self.watches(&event) {
                events.push(event);
                continue;
            }
            match self.guard.check(checked, &event) {
                Verdict::Next => events.push(event),
                Verdict::Early => {}
                Verdict::Late => return Err(FeedError::Skipped { log_id, index }),
                Verdict::Gap(missing) => {
                    let found = self.missing(&event, missing.clone()).await?;
                    // A reader that continues from one of them must come to the event that follows it again.
                    let before = events.last().map_or(self.cursor, |event| event.cursor);
                    events.extend(found.into_iter().map(|found| FeedEvent {
                        cursor: before,
                        ..found
                    }));
                    self.guard.filled(checked, log_id, missing);
                    self.guard.check(checked, &event);
                    events.push(event);
                }
            }
        }
        Ok(FeedPage { events, ..page })
    }

    /// Reads the events that are missing before an event from their log.
    async fn missing(
        &self,
        event: &FeedEvent,
        missing: std::ops::Range<u64>,
    ) -> Result<Vec<FeedEvent>, FeedError> {
        let (log_id, index) = (event.log_id, event.index);
        tracing::warn!(
            %log_id,
            index,
            missing = ?missing,
            "the feed came to an event before others of its log, which are read from the log now; \
             check which program writes to the table of events by itself"
        );
        let found = self
            .store
            .read_gap(log_id, missing.clone(), &self.wanted)
            .await?;
        if !found.iter().map(|event| event.index).eq(missing) {
            return Err(FeedError::Skipped { log_id, index });
        }
        #[cfg(feature = "metrics")]
        metrics::counter!("eventlogs_feed_repairs_total").increment(found.len() as u64);
        Ok(found)
    }
}

impl<S: EventFeed> Feed<S> {
    /// Looks which transaction holds the end of the feed back, if one does.
    ///
    /// # Errors
    /// The database failed: each variant of [`StoreError`] describes its cause.
    pub async fn hold(&self) -> Result<Option<FeedHold>, StoreError> {
        self.store.feed_hold().await
    }
}
