//! The tails of logs that wait to be read.

use crate::ids::LogId;
use crate::stores::database::telemetry::{Counted, Gauge};
use crate::stores::error::store::StoreError;
use crate::stores::postgres::statements::reads::TailBounds;
use crate::sync::lock;
use sqlx::postgres::PgRow;
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::oneshot;
use tokio::time::Instant;

/// What is read of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Tail {
    /// A range after a known event, or from an index on.
    Range(TailBounds),
    /// The newest events, at most so many.
    Newest(LogId, usize),
}

/// The rows of one tail, among those of a statement.
pub(super) struct TailRows {
    /// The rows of the statement.
    pub(super) rows: Arc<Vec<PgRow>>,
    /// The place of those of the tail.
    pub(super) range: Range<usize>,
}

impl TailRows {
    pub(super) fn rows(&self) -> &[PgRow] {
        self.rows.get(self.range.clone()).unwrap_or_default()
    }
}

/// The answer to one who waits.
pub(super) type Answer = Result<TailRows, StoreError>;

/// The tails that wait for a statement.
pub(super) struct TailQueue {
    state: Mutex<State>,
    /// Counts them.
    waiting: Gauge,
}

impl TailQueue {
    pub(super) fn new(waiting: Gauge) -> Self {
        Self {
            state: Mutex::default(),
            waiting,
        }
    }

    /// Counts a tail for as long as it waits.
    pub(super) fn counted(&self) -> Counted {
        self.waiting.count(1)
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

/// Who reads, and who waits.
#[derive(Default)]
pub(super) struct State {
    /// The tails that wait, in the order of arrival.
    pub(super) waiting: VecDeque<Waiting>,
    /// The number of tails that are read by their own tasks now.
    pub(super) alone: usize,
    /// The number of tasks that read the waiting tails.
    pub(super) readers: usize,
}

/// A tail that waits.
pub(super) struct Waiting {
    /// What is read.
    pub(super) tail: Tail,
    /// The end of the time of its read.
    pub(super) deadline: Instant,
    /// Sends the rows to the caller.
    pub(super) answer: oneshot::Sender<Answer>,
    /// Counts it until a statement reads it.
    pub(super) counted: Option<Counted>,
}

impl Tail {
    /// Returns `true` if one statement reads both.
    pub(super) fn goes_with(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Range(_), Self::Range(_)) => true,
            (Self::Newest(_, one), Self::Newest(_, other)) => one == other,
            _ => false,
        }
    }
}
