//! Builds a page of the feed from the rows of a database.

use crate::feed::contract::PAGE_BYTES;
use crate::feed::error::FeedError;
use crate::feed::event::FeedEvent;
use crate::feed::page::{FeedPage, FeedRequest};
use crate::ids::{EventId, LogId};
use std::sync::Arc;

/// The stored names of a page. Events of one name share it.
#[derive(Default)]
pub(in crate::stores) struct EventNames(Vec<Arc<str>>);

impl EventNames {
    /// Returns the shared form of a name. A page has few names, so a linear search is fast enough.
    pub(in crate::stores) fn shared(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.0.iter().find(|known| ***known == *name) {
            return Arc::clone(known);
        }
        let new = Arc::<str>::from(name);
        self.0.push(Arc::clone(&new));
        new
    }
}

/// Builds a page from the rows of one statement, which begin with the event of the cursor, if it exists.
pub(in crate::stores) struct FeedPageBuilder {
    /// The greatest number of rows.
    limit: usize,
    /// The events so far.
    events: Vec<FeedEvent>,
    /// The events that came without their contents, although they are wanted.
    left_out: Vec<(LogId, u64)>,
    /// The id of the event at the cursor.
    anchor: Option<EventId>,
    /// The size of the contents, in bytes.
    bytes: usize,
    /// `true` if the page has ended before the rows.
    is_full: bool,
}

impl FeedPageBuilder {
    pub(in crate::stores) const fn new(limit: usize) -> Self {
        Self {
            limit,
            events: Vec::new(),
            left_out: Vec::new(),
            anchor: None,
            bytes: 0,
            is_full: false,
        }
    }

    /// Takes the next row. `left_out` is the size of contents that are wanted and did not come with it.
    pub(in crate::stores) fn take(
        &mut self,
        event: FeedEvent,
        left_out: Option<usize>,
        request: &FeedRequest<'_>,
    ) {
        if event.cursor.place() <= request.after.place() {
            self.anchor = Some(event.event_id);
            return;
        }
        if self.is_full || self.events.len() >= self.limit || self.bytes >= PAGE_BYTES {
            self.is_full = true;
            return;
        }
        self.bytes += left_out.unwrap_or_else(|| event.bytes());
        if left_out.is_some() {
            self.left_out.push((event.log_id, event.index));
        }
        self.events.push(event);
    }

    /// Returns `true` if no further row can belong to the page.
    #[cfg(feature = "sqlite")]
    pub(in crate::stores) const fn is_full(&self) -> bool {
        self.is_full
    }

    /// Returns the page, and the events whose contents are still missing.
    ///
    /// # Errors
    /// [`FeedRewound`](FeedError::FeedRewound) if the event of the cursor does not exist.
    pub(in crate::stores) fn finish(
        self,
        request: &FeedRequest<'_>,
    ) -> Result<(FeedPage, Vec<(LogId, u64)>), FeedError> {
        if !request.check_anchor(self.anchor)? {
            return Ok((FeedPage::new(Vec::new(), request.after, false), Vec::new()));
        }
        let more = self.is_full || self.events.len() >= self.limit || request.sparse;
        let cursor = self.events.last().map_or(request.after, |last| last.cursor);
        Ok((FeedPage::new(self.events, cursor, more), self.left_out))
    }
}
