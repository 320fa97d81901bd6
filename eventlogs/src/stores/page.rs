//! What stores are asked to read, and what they answer.

use crate::ids::LogId;
use crate::log_state::LogPosition;
use crate::record::RecordedEvent;

/// One page of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReadRequest {
    /// The log.
    pub log_id: LogId,
    /// The first event of the page.
    pub start: ReadStart,
    /// The greatest number of events in the page.
    pub limit: usize,
}

impl ReadRequest {
    /// At most `limit` events from `start` on.
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
    /// Behind this state, whose event must still be there: else the read fails with
    /// [`ReadError::HistoryChanged`](super::ReadError::HistoryChanged).
    After(LogPosition),
}

/// The events of one read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<E> {
    /// The events, in order.
    pub records: Vec<RecordedEvent<E>>,
    /// Whether the log goes on behind them. A store may end a page early to keep its memory bounded.
    pub more: bool,
}
