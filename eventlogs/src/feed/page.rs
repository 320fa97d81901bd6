//! A page of a feed, and the request for one.

use crate::cursor::{Cursor, Place};
use crate::feed::error::FeedError;
use crate::feed::event::FeedEvent;
use crate::feed::head::FeedHead;
use crate::feed::wanted::Wanted;
use crate::ids::EventId;

/// A request for a page of a feed.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct FeedRequest<'a> {
    /// The page begins after this cursor.
    pub after: Cursor,
    /// The page ends before the fence of this head.
    pub head: FeedHead,
    /// The greatest number of events that the store looks at.
    pub limit: usize,
    /// The events whose payloads are needed.
    pub wanted: &'a Wanted,
    /// `true` if the store may leave out the events of logs that are not wanted. The last event that it has looked at is
    /// returned in any case.
    pub sparse: bool,
}

impl<'a> FeedRequest<'a> {
    /// Makes a request for a page after a cursor, with all events.
    #[must_use]
    pub const fn new(after: Cursor, head: FeedHead, limit: usize, wanted: &'a Wanted) -> Self {
        Self {
            after,
            head,
            limit,
            wanted,
            sparse: false,
        }
    }

    /// Returns the place before which the page ends.
    ///
    /// The transaction of a cursor that a feed has returned is final, even if the head is older than the cursor.
    #[must_use]
    pub fn end(&self) -> Cursor {
        let after = self.after.place();
        let behind = Place {
            tx: after.tx.saturating_add(1),
            position: 0,
            ..after
        };
        let fence = self.head.fence.place();
        Cursor::new(
            match self.after.event_id() {
                Some(_) => fence.max(behind),
                None => fence,
            },
            None,
        )
    }

    /// Checks the event that a store has found at the place of the cursor, and returns `false` if nothing can be read yet.
    ///
    /// # Errors
    /// [`FeedRewound`](FeedError::FeedRewound) if it is not the event of the cursor.
    pub fn check_anchor(&self, found: Option<EventId>) -> Result<bool, FeedError> {
        let Some(expected) = self.after.event_id() else {
            return Ok(true);
        };
        if found == Some(expected) {
            return Ok(true);
        }
        // A server that follows another one may not have the event yet.
        if found.is_none() && self.head.is_standby && self.after.place() >= self.head.fence.place()
        {
            return Ok(false);
        }
        Err(FeedError::FeedRewound { cursor: self.after })
    }
}

/// A page of a feed.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct FeedPage {
    /// The events, in the order of the feed. Those that are not wanted are left out, or have no payload.
    pub events: Vec<FeedEvent>,
    /// The page reaches to this cursor.
    pub cursor: Cursor,
    /// `true` if the next page can be read immediately. A page with `more` that does not go further than the cursor was asked of
    /// another server than the one whose head was looked up: look again.
    pub more: bool,
}

impl FeedPage {
    /// Makes a page.
    #[must_use]
    pub const fn new(events: Vec<FeedEvent>, cursor: Cursor, more: bool) -> Self {
        Self {
            events,
            cursor,
            more,
        }
    }
}
