//! Reads a feed page by page.

use crate::cursor::Cursor;
use crate::feed::ahead::{Ahead, Asked};
use crate::feed::contract::{EventFeed, Feed, PreviousPage};
use crate::feed::error::FeedError;
use crate::feed::event::FeedEvent;
use crate::feed::guard::Checked;
use crate::feed::head::FeedHead;
use crate::feed::page::{FeedPage, FeedRequest};
use crate::feed::telemetry;
use crate::feed::wanted::Wanted;
use std::sync::Arc;
use std::time::Duration;

/// From this distance on, the store leaves out the logs that are not wanted.
const FAR: u64 = 100_000;
/// How many events a store looks at per page that leaves out others.
const SPARSE_EVENTS: usize = 2_000;
/// If fewer than one of this many events belong to wanted logs, it is worth leaving out the others.
const THIN: usize = 4;
/// How long to wait before looking for new events, if there was no signal.
pub(crate) const POLL: Duration = Duration::from_millis(25);
/// How long to wait at first if there are events that are committed but not final. The pause doubles up to [`POLL`].
pub(crate) const POLL_HELD: Duration = Duration::from_millis(1);

/// A page that was read and checked, and not delivered yet.
pub(super) struct Prepared {
    page: FeedPage,
    checked: Checked,
    is_thin: bool,
}

impl Prepared {
    /// Returns the events.
    pub(super) fn events(&self) -> impl Iterator<Item = &FeedEvent> {
        self.page.events.iter()
    }
}

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
        Self {
            wanted: Arc::new(wanted),
            ..self
        }
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
    /// - [`Skipped`](FeedError::Skipped) if an event is missing from its log, or comes after a later one.
    /// - [`Store`](FeedError::Store) if the database failed.
    pub async fn next_page(&mut self) -> Result<Option<FeedPage>, FeedError> {
        let next = self.prepare().await?;
        Ok(next.map(|next| self.accept(next)))
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
        let mut backoff = POLL_HELD;
        loop {
            let head = self.look().await?;
            if head.has_events_after(self.cursor) && !self.has_moved {
                return Ok(());
            }
            self.check_ahead(head).await?;
            let pause = if head.is_held() {
                // A commit of this process seldom ends the hold, and there may be thousands of them.
                tokio::time::sleep(POLL_HELD).await;
                backoff = POLL.min(backoff * 2);
                backoff.saturating_sub(POLL_HELD)
            } else {
                backoff = POLL_HELD;
                POLL
            };
            // Whichever comes first; a signal that was missed only costs the pause.
            let _ = tokio::time::timeout(pause, commits.next()).await;
        }
    }

    /// Reads the next page up to a head that was looked up before.
    pub(crate) async fn page_before(
        &mut self,
        head: FeedHead,
    ) -> Result<Option<FeedPage>, FeedError> {
        let next = self.prepare_before(head).await?;
        Ok(next.map(|next| self.accept(next)))
    }

    /// Reads and checks the next page. It counts as delivered when it is [accepted](Feed::accept).
    pub(super) async fn prepare(&mut self) -> Result<Option<Prepared>, FeedError> {
        if let Some(head) = self.head
            && head.has_events_after(self.cursor)
            && let Some(next) = self.prepare_before(head).await?
        {
            return Ok(Some(next));
        }
        // The feed goes further by now, or another server has it.
        let head = self.look().await?;
        self.prepare_before(head).await
    }

    async fn prepare_before(&mut self, head: FeedHead) -> Result<Option<Prepared>, FeedError> {
        if self.has_moved {
            return Ok(None);
        }
        if !head.has_events_after(self.cursor) {
            self.check_ahead(head).await?;
            return Ok(None);
        }
        let (mut page, mut is_thin) = self.read(head).await?;
        let mut checked = Checked::default();
        if !self.is_dense(&mut checked, &page) {
            // The page may have been read while the fence was wrong. A new fence proves that nothing was only late.
            let head = self.look().await?;
            if self.has_moved {
                return Ok(None);
            }
            (page, is_thin) = self.read(head).await?;
            checked = Checked::default();
            if !self.is_dense(&mut checked, &page) {
                checked = Checked::default();
                page = self.repaired(&mut checked, page).await?;
            }
        }
        if page.cursor == self.cursor {
            return Ok(None);
        }
        Ok(Some(Prepared {
            page,
            checked,
            is_thin,
        }))
    }

    /// Moves the cursor behind a page, which is delivered now.
    pub(super) fn accept(&mut self, next: Prepared) -> FeedPage {
        let Prepared {
            page,
            checked,
            is_thin,
        } = next;
        self.guard.remember(checked);
        self.is_thin = is_thin;
        // Events that were taken from their logs have the places of others.
        let own = page.events.iter().map(|event| (event, event.cursor));
        let own = own.filter(|(event, cursor)| cursor.event_id() == Some(event.event_id));
        self.previous = Some(PreviousPage {
            after: self.cursor,
            events: own.map(|(_, cursor)| cursor).collect(),
        });
        self.cursor = page.cursor;
        self.read_ahead();
        telemetry::delivered(self.store.feed_name(), page.events.len());
        page
    }

    /// Looks up the end of the feed.
    async fn look(&mut self) -> Result<FeedHead, FeedError> {
        let head = self.store.head().await?;
        self.enter(head).await?;
        Ok(head)
    }

    /// Reads the page after the cursor. Also returns whether most of its events belong to logs that are not wanted.
    async fn read(&mut self, head: FeedHead) -> Result<(FeedPage, bool), FeedError> {
        let asked = Asked::for_request(&self.request(head));
        let limit = asked.limit;
        let mut page = match self.ahead.as_mut().filter(|ahead| ahead.is(asked)) {
            Some(ahead) => {
                let page = ahead.page().await;
                self.ahead = None;
                match page {
                    Some(page) => page?,
                    None => self.store.read_feed(asked.request(&self.wanted)).await?,
                }
            }
            None => self.store.read_feed(asked.request(&self.wanted)).await?,
        };
        let watched = page.events.iter().filter(|event| self.watches(event));
        let mut is_thin = watched.count() < limit / THIN;
        if page.events.len() > self.page_size {
            is_thin = false;
            page.events.truncate(self.page_size);
            page.cursor = page.events.last().map_or(self.cursor, |last| last.cursor);
            page.more = true;
        }
        Ok((page, is_thin))
    }

    /// Starts to read the page after the cursor, if it is known that there is one.
    fn read_ahead(&mut self) {
        self.ahead = self
            .head
            .filter(|head| head.has_events_after(self.cursor))
            .and_then(|head| {
                let asked = Asked::for_request(&self.request(head));
                let (store, wanted) = (self.store.clone(), Arc::clone(&self.wanted));
                let read = async move { store.read_feed(asked.request(&wanted)).await };
                Ahead::start(asked, read)
            });
    }

    /// Returns the request for the page after the cursor.
    fn request(&self, head: FeedHead) -> FeedRequest<'_> {
        let is_far = head.distance(self.cursor) > FAR;
        let sparse = is_far && self.is_thin && self.wanted.leaves_out_logs();
        let limit = if sparse {
            self.page_size.max(SPARSE_EVENTS)
        } else {
            self.page_size
        };
        FeedRequest {
            sparse,
            ..FeedRequest::new(self.cursor, head, limit, &self.wanted)
        }
    }

    /// Notices a cursor behind the end of everything, or at the place of another event: its event does not exist.
    async fn check_ahead(&mut self, head: FeedHead) -> Result<(), FeedError> {
        let Some(expected) = self.cursor.event_id() else {
            return Ok(());
        };
        let (place, cursor) = (self.cursor.place(), self.cursor);
        let at_cursor = head.readable.filter(|last| last.place() == place);
        let found = at_cursor.and_then(|last| last.event_id());
        if found.is_some_and(|found| found != expected) {
            return Err(FeedError::FeedRewound { cursor });
        }
        if head.last.is_none_or(|last| last.place() < place) {
            // A standby may not have the event yet.
            self.read(head).await?;
        }
        Ok(())
    }
}
