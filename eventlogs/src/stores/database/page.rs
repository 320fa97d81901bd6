//! Pages of a log as databases read them.

use crate::event::Event;
use crate::ids::{EventId, LogId};
use crate::log_state::LogPosition;
use crate::stores::database::refusal::FoundKind;
use crate::stores::encoding::decoded::{StoredEvent, signed};
use crate::stores::error::ReadError;
use crate::stores::page::{Page, ReadRequest, ReadStart};

/// A page ends early after this many bytes of payload and metadata, so that large events cannot fill the memory.
pub(in crate::stores) const PAGE_BYTES: usize = 4 * 1024 * 1024;

/// A row of the answer to a read, as far as it decides what belongs to the page.
pub(in crate::stores) trait PageRow {
    /// What goes wrong where a column cannot be read.
    type Error;

    /// The index of the event.
    fn index(&self) -> Result<i64, Self::Error>;

    /// The id of the event.
    fn event_id(&self) -> Result<EventId, Self::Error>;

    /// The number of the log's kind.
    fn kind(&self) -> Result<i32, Self::Error>;

    /// How many bytes of payload and metadata the event has.
    fn bytes(&self) -> Result<usize, Self::Error>;
}

/// Builds a page from the rows of one statement, and remembers the first reason why there is no page.
///
/// The statement returns the rows of one log in the order of their indices, from [`first_index`](PageBuilder::first_index) on,
/// and as many as [`rows`](PageBuilder::rows) says. If the page starts after a state, the first row is the event of that state,
/// the *anchor*: it must still be there, and does not belong to the page. Its payload and metadata are not needed.
pub(in crate::stores) struct PageBuilder<E> {
    /// The log.
    log_id: LogId,
    /// The first index that is read.
    first_index: i64,
    /// The largest number of events in the page.
    limit: usize,
    /// The state after which the page starts, until its event was found.
    anchor: Option<LogPosition>,
    /// The events that were decoded so far.
    page: Page<E>,
    /// How many events belong to the page, decoded or not.
    events: usize,
    /// How many bytes of payload and metadata they have.
    bytes: usize,
    /// The number of the log's kind, if it is not the kind of these events.
    other_kind: Option<i32>,
    /// Why there is no page.
    failed: Option<ReadError>,
}

impl<E: Event> PageBuilder<E> {
    /// A page without events so far.
    pub(in crate::stores) fn new(request: ReadRequest) -> Self {
        let (first_index, anchor) = match request.start {
            ReadStart::Index(index) => (index, None),
            ReadStart::After(state) => (state.index(), Some(state)),
        };
        Self {
            log_id: request.log_id,
            first_index: signed(first_index),
            limit: request.limit,
            anchor,
            page: Page {
                records: Vec::new(),
                more: false,
            },
            events: 0,
            bytes: 0,
            other_kind: None,
            failed: None,
        }
    }

    /// The first index to read.
    pub(in crate::stores) const fn first_index(&self) -> i64 {
        self.first_index
    }

    /// The index of the anchor, if there is one.
    pub(in crate::stores) fn anchor_index(&self) -> Option<i64> {
        self.anchor.map(|state| signed(state.index()))
    }

    /// How many rows to read: those of the page, the anchor, and one more, which tells whether the log goes on.
    pub(in crate::stores) const fn rows(&self) -> usize {
        let extra = if self.anchor.is_some() { 2 } else { 1 };
        self.limit.saturating_add(extra)
    }

    /// Whether no further row can belong to the page.
    pub(in crate::stores) const fn is_complete(&self) -> bool {
        self.has_failed() || self.page.more
    }

    /// Whether there is no page.
    pub(in crate::stores) const fn has_failed(&self) -> bool {
        self.failed.is_some() || self.other_kind.is_some()
    }

    /// The number of the log's kind, if it is not the kind of these events.
    pub(in crate::stores) const fn other_kind(&self) -> Option<i32> {
        self.other_kind
    }

    /// Looks at the next row, and returns whether its event belongs to the page.
    pub(in crate::stores) fn admits<R: PageRow>(&mut self, row: &R) -> Result<bool, R::Error> {
        if self.is_complete() {
            return Ok(false);
        }
        if let Some(state) = self.anchor {
            if is_event_of(row, state)? {
                self.anchor = None;
            } else {
                self.failed = Some(self.history_changed(state));
            }
            return Ok(false);
        }
        // All events of a log are of one kind, so the first one tells.
        if self.events == 0 {
            let kind = row.kind()?;
            if !E::LOG_TYPE.accepts(kind) {
                self.other_kind = Some(kind);
                return Ok(false);
            }
        }
        if self.events >= self.limit || self.bytes >= PAGE_BYTES {
            self.page.more = true;
            return Ok(false);
        }
        self.events += 1;
        self.bytes += row.bytes()?;
        Ok(true)
    }

    /// Decodes an event that was admitted, after all events before it.
    pub(in crate::stores) fn push(&mut self, event: StoredEvent<'_>) {
        if self.has_failed() {
            return;
        }
        match event.decode() {
            Ok(record) => self.page.records.push(record),
            Err(error) => self.failed = Some(error),
        }
    }

    /// The page, or the first reason why there is none. The name of the log's kind is needed after
    /// [`other_kind`](PageBuilder::other_kind) only.
    pub(in crate::stores) fn finish(self, kind_name: Option<&str>) -> Result<Page<E>, ReadError> {
        if let Some(number) = self.other_kind {
            let found = FoundKind {
                number,
                name: kind_name,
            };
            return Err(ReadError::WrongKind {
                log_id: self.log_id,
                found: found.name(),
                expected: E::LOG_TYPE.name(),
            });
        }
        if let Some(state) = self.anchor {
            return Err(self.history_changed(state));
        }
        self.failed.map_or(Ok(self.page), Err)
    }

    const fn history_changed(&self, state: LogPosition) -> ReadError {
        ReadError::HistoryChanged {
            log_id: self.log_id,
            index: state.index(),
        }
    }
}

/// Whether a row is the event of a state. Any event will do where the state does not know its id.
fn is_event_of<R: PageRow>(row: &R, state: LogPosition) -> Result<bool, R::Error> {
    if row.index()? != signed(state.index()) {
        return Ok(false);
    }
    match state.event_id() {
        Some(expected) => Ok(row.event_id()? == expected),
        None => Ok(true),
    }
}
