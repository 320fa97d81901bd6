//! The events that one transaction of a projection applies.

use crate::cursor::Cursor;
use crate::feed::event::FeedEvent;
use crate::projection::handler::HandlerError;
use crate::projection::table::RowKeyStatements;
use std::time::{Duration, Instant};

/// The events that one transaction of a projection applies: a page of the feed, or the first events of it.
///
/// Events that the projection does not want are among them, without payload.
#[derive(Debug, Clone, Copy)]
pub struct EventPage<'a> {
    /// The events.
    events: &'a [FeedEvent],
    /// The cursor before the first event.
    from: Cursor,
    /// The cursor after the last event.
    to: Cursor,
    /// How long a handler may take per event.
    handler_timeout: Duration,
    /// When the transaction must end, if it can.
    end: Option<Instant>,
    /// The statements on the keys that are remembered from page to page.
    row_keys: Option<&'a RowKeyStatements>,
}

impl<'a> EventPage<'a> {
    /// Makes a page of these events, without a limit of time: for tests of projections.
    ///
    /// Rows whose keys are [as before](crate::projection::RememberedKeys::as_before) need the earlier event in the same page:
    /// no page after it knows the key. [`projected_by`](crate::testing::projected_by) tests them.
    #[must_use]
    pub fn new(events: &'a [FeedEvent]) -> Self {
        let to = events.last().map_or(Cursor::START, |event| event.cursor);
        Self::between(Cursor::START, events, to)
    }

    /// Makes the page of the events between two cursors.
    pub(crate) const fn between(from: Cursor, events: &'a [FeedEvent], to: Cursor) -> Self {
        Self {
            events,
            from,
            to,
            handler_timeout: Duration::MAX,
            end: None,
            row_keys: None,
        }
    }

    /// Limits the time per event, and that of the transaction.
    pub(crate) fn within(self, handler_timeout: Duration, turn: Duration) -> Self {
        Self {
            handler_timeout,
            end: Instant::now().checked_add(turn),
            ..self
        }
    }

    /// Lets keys be remembered from page to page.
    pub(crate) const fn remembering(self, row_keys: Option<&'a RowKeyStatements>) -> Self {
        Self { row_keys, ..self }
    }

    /// Returns the statements on the keys that are remembered from page to page.
    pub(crate) const fn row_keys(&self) -> Option<&'a RowKeyStatements> {
        self.row_keys
    }

    /// Returns the events, those without payload included.
    #[must_use]
    pub const fn events(&self) -> &'a [FeedEvent] {
        self.events
    }

    /// Returns how long a handler may take per event.
    #[must_use]
    pub const fn handler_timeout(&self) -> Duration {
        self.handler_timeout
    }

    /// Returns `true` if the time of the transaction is over, and the checkpoint may be after this number of events.
    #[must_use]
    pub fn must_end_after(&self, events: usize) -> bool {
        self.end.is_some_and(|end| end <= Instant::now()) && self.may_end_after(events)
    }

    /// Returns `true` if the checkpoint may be after this number of events.
    ///
    /// An event that was taken from its log has the cursor of the event before it. From that cursor on it would come again.
    pub(crate) fn may_end_after(&self, events: usize) -> bool {
        let before = events.checked_sub(1);
        before.is_some_and(|before| self.cursor_after(events) != self.cursor_after(before))
    }

    /// Returns the cursor after this number of events.
    pub(crate) fn cursor_after(&self, events: usize) -> Cursor {
        if events >= self.events.len() {
            return self.to;
        }
        let last = events.checked_sub(1).and_then(|last| self.events.get(last));
        last.map_or(self.from, |last| last.cursor)
    }
}

/// A page was not applied.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum PageError {
    /// The event with this number in the page was not applied.
    #[error("event {0} of the page was not applied: {1}")]
    OneEvent(usize, #[source] HandlerError),
    /// Events were not applied, and it is not known which of them is the reason. They are applied again in smaller parts.
    #[error("the events of the page were not applied: {0}")]
    SomeEvent(#[source] HandlerError),
}
