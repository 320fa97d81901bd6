//! Notices that the feed has come to another server, and whether that one has what was delivered.

use crate::cursor::Cursor;
use crate::feed::contract::{EventFeed, Feed};
use crate::feed::error::FeedError;
use crate::feed::head::FeedHead;
use crate::feed::page::FeedRequest;

impl<S: EventFeed> Feed<S> {
    /// Takes a head that was looked up. If the server has changed, the events that were delivered last must still exist.
    ///
    /// A standby may not have them yet. Until it has them, the feed has no pages.
    pub(crate) async fn enter(&mut self, head: FeedHead) -> Result<(), FeedError> {
        if let Some(known) = self.head
            && known.history != head.history
        {
            tracing::info!(from = ?known.history, to = ?head.history, "the feed continues on a server that was started anew");
            self.has_moved = true;
        }
        if self.has_moved {
            self.has_moved = !self.has_previous(head).await?;
        }
        self.head = Some(head);
        Ok(())
    }

    /// Looks for the events of the last page. Returns `false` if that cannot be said yet.
    async fn has_previous(&self, head: FeedHead) -> Result<bool, FeedError> {
        let Some(previous) = &self.previous else {
            return Ok(true);
        };
        let mut after = previous.after;
        let mut delivered = previous.events.iter().copied();
        let mut next = delivered.next();
        while let Some(expected) = next {
            let request = FeedRequest::new(after, head, self.page_size, &self.wanted);
            let page = self.store.read_feed(request).await?;
            for event in &page.events {
                if next == Some(event.cursor) {
                    next = delivered.next();
                } else if next.is_some_and(|next| next.place() < event.cursor.place()) {
                    break;
                }
            }
            let has_passed = page.cursor.place() >= expected.place();
            if page.cursor == after && page.more {
                return Ok(false);
            }
            if next == Some(expected) && (has_passed || page.cursor == after) {
                return may_come(head, expected);
            }
            after = page.cursor;
        }
        Ok(true)
    }
}

/// Decides about an event that a server does not have. Returns `false` if it may still get it.
fn may_come(head: FeedHead, missing: Cursor) -> Result<bool, FeedError> {
    if head.is_standby && missing.place() >= head.fence.place() {
        return Ok(false);
    }
    Err(FeedError::FeedRewound { cursor: missing })
}
