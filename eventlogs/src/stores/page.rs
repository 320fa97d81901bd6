//! A request to read a page of a log, and the page.

use crate::ids::LogId;
use crate::log_state::LogPosition;
use crate::record::RecordedEvent;

/// A request to read one page of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReadRequest {
    /// The log.
    pub log_id: LogId,
    /// Where the page starts.
    pub start: ReadStart,
    /// The largest number of events in the page.
    pub limit: usize,
}

impl ReadRequest {
    /// Makes a request for at most `limit` events from `start` on.
    #[must_use]
    pub const fn new(log_id: LogId, start: ReadStart, limit: usize) -> Self {
        Self {
            log_id,
            start,
            limit,
        }
    }
}

/// Where a page starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadStart {
    /// At this index.
    Index(u64),
    /// After this state. Its event must still be in the log; otherwise the read fails with
    /// [`ReadError::HistoryChanged`](super::ReadError::HistoryChanged).
    After(LogPosition),
}

/// The events of one read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<E> {
    /// The events, in order.
    pub records: Vec<RecordedEvent<E>>,
    /// `true` if the log has more events after them. A store may end a page early to limit its memory.
    pub more: bool,
}
