//! Builds a page of a log from the rows of a database.

use crate::event::Event;
use crate::ids::{EventId, LogId};
use crate::log_state::LogPosition;
use crate::record::RecordedEvent;
use crate::stores::database::refusal::FoundKind;
use crate::stores::encoding::decoded::signed;
use crate::stores::error::ReadError;
use crate::stores::page::{Page, ReadRequest, ReadStart};
use std::marker::PhantomData;

/// The size at which a page ends early, in bytes of payload and metadata, so that large events cannot fill the memory.
pub(in crate::stores) const PAGE_BYTES: usize = 4 * 1024 * 1024;

/// The columns of a row that decide whether its event belongs to the page.
pub(in crate::stores) trait PageRow {
    /// The error for a column that cannot be read.
    type Error;

    /// Returns the index of the event.
    fn index(&self) -> Result<i64, Self::Error>;

    /// Returns the id of the event.
    fn event_id(&self) -> Result<EventId, Self::Error>;

    /// Returns the number of the log's kind.
    fn kind(&self) -> Result<i32, Self::Error>;

    /// Returns the size of the event's payload and metadata, in bytes.
    fn bytes(&self) -> Result<usize, Self::Error>;
}

/// Builds a page from the rows of one statement, and keeps the first error.
///
/// The statement returns the rows of one log in the order of their indices, from [`first_index`](PageBuilder::first_index) on,
/// and at most [`rows`](PageBuilder::rows) of them. If the page starts after a state, the first row is the event of that state,
/// the *anchor*. The anchor must still exist, and does not belong to the page. Its payload and metadata are not needed.
pub(in crate::stores) struct PageBuilder<E, T = RecordedEvent<E>> {
    /// The log.
    log_id: LogId,
    /// The first index to read.
    first_index: i64,
    /// The largest number of events in the page.
    limit: usize,
    /// The state after which the page starts, until the row of its event was found.
    anchor: Option<LogPosition>,
    /// What was made of the events so far: by default, decoded records.
    items: Vec<T>,
    /// `true` if there are more events after them.
    more: bool,
    /// The number of events that belong to the page, decoded or not.
    events: usize,
    /// The size of their payload and metadata, in bytes.
    bytes: usize,
    /// The number of the log's kind, if it is not the kind of `E`.
    other_kind: Option<i32>,
    /// The first error.
    failed: Option<ReadError>,
    /// Only the kind of `E` is used.
    events_of: PhantomData<fn() -> E>,
}

impl<E: Event, T> PageBuilder<E, T> {
    /// Starts a page.
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
            items: Vec::new(),
            more: false,
            events: 0,
            bytes: 0,
            other_kind: None,
            failed: None,
            events_of: PhantomData,
        }
    }

    /// Returns the first index to read.
    pub(in crate::stores) const fn first_index(&self) -> i64 {
        self.first_index
    }

    /// Returns the index of the anchor, if there is one.
    pub(in crate::stores) fn anchor_index(&self) -> Option<i64> {
        self.anchor.map(|state| signed(state.index()))
    }

    /// Returns the number of rows to read: those of the page, the anchor, and one more to find out whether the log continues.
    pub(in crate::stores) const fn rows(&self) -> usize {
        let extra = if self.anchor.is_some() { 2 } else { 1 };
        self.limit.saturating_add(extra)
    }

    /// Returns `true` if no further row can belong to the page.
    pub(in crate::stores) const fn is_complete(&self) -> bool {
        self.has_failed() || self.more
    }

    /// Returns `true` if the read has failed, so that there is no page.
    pub(in crate::stores) const fn has_failed(&self) -> bool {
        self.failed.is_some() || self.other_kind.is_some()
    }

    /// Returns the number of the log's kind, if it is not the kind of `E`.
    pub(in crate::stores) const fn other_kind(&self) -> Option<i32> {
        self.other_kind
    }

    /// Checks the next row, and returns `true` if its event belongs to the page.
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
        // All events of a log are of one kind, so checking the first one is enough.
        if self.events == 0 {
            let kind = row.kind()?;
            if !E::LOG_TYPE.accepts(kind) {
                self.other_kind = Some(kind);
                return Ok(false);
            }
        }
        if self.events >= self.limit || self.bytes >= PAGE_BYTES {
            self.more = true;
            return Ok(false);
        }
        self.events += 1;
        self.bytes += row.bytes()?;
        Ok(true)
    }

    /// Adds what was made of an event that was admitted, after all events before it.
    pub(in crate::stores) fn push(&mut self, item: Result<T, ReadError>) {
        if self.has_failed() {
            return;
        }
        match item {
            Ok(item) => self.items.push(item),
            Err(error) => self.failed = Some(error),
        }
    }

    /// Returns the items, and whether there are more events, or the first error. The name of the log's kind is needed only if
    /// [`other_kind`](PageBuilder::other_kind) returns a number.
    pub(in crate::stores) fn items(
        self,
        kind_name: Option<&str>,
    ) -> Result<(Vec<T>, bool), ReadError> {
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
        self.failed.map_or(Ok((self.items, self.more)), Err)
    }

    const fn history_changed(&self, state: LogPosition) -> ReadError {
        ReadError::HistoryChanged {
            log_id: self.log_id,
            index: state.index(),
        }
    }
}

impl<E: Event> PageBuilder<E> {
    /// Returns the page or the first error. The name of the log's kind is needed only if
    /// [`other_kind`](PageBuilder::other_kind) returns a number.
    pub(in crate::stores) fn finish(self, kind_name: Option<&str>) -> Result<Page<E>, ReadError> {
        let (records, more) = self.items(kind_name)?;
        Ok(Page { records, more })
    }
}

/// Returns `true` if a row is the event of a state. If the state has no event id, only the index counts.
fn is_event_of<R: PageRow>(row: &R, state: LogPosition) -> Result<bool, R::Error> {
    if row.index()? != signed(state.index()) {
        return Ok(false);
    }
    match state.event_id() {
        Some(expected) => Ok(row.event_id()? == expected),
        None => Ok(true),
    }
}
