//! Notices when the feed leaves out an event: the indices of each log are dense.

use crate::feed::event::FeedEvent;
use crate::ids::LogId;
use quick_cache::unsync::Cache;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::ops::Range;

/// The number of logs whose last index is remembered.
const LOGS: usize = 65_536;

/// Remembers the last index of each log.
pub(super) struct Guard {
    /// The last index of each log that was seen.
    last: Cache<LogId, u64>,
    /// How many logs were seen, while all of them are remembered and the feed was read from its start: a log that is not
    /// remembered has not been seen then.
    seen: Option<usize>,
    /// The events that were taken from their logs before the feed came to them.
    early: HashSet<(LogId, u64)>,
}

/// The verdict on an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It comes next.
    Next,
    /// These events of its log should have come before.
    Gap(Range<u64>),
    /// It was delivered before, out of its turn.
    Early,
    /// It comes after a later event of its log.
    Late,
}

/// What the events of one page change, checked but not remembered yet.
#[derive(Debug, Default)]
pub(super) struct Checked {
    /// The last index of each log.
    last: HashMap<LogId, u64>,
    /// The events that were taken from their logs.
    early: Vec<(LogId, u64)>,
}

impl Guard {
    pub(super) fn new(from_start: bool) -> Self {
        Self {
            last: Cache::new(LOGS),
            seen: from_start.then_some(0),
            early: HashSet::new(),
        }
    }

    /// Checks the next event of a page.
    pub(super) fn check(&self, checked: &mut Checked, event: &FeedEvent) -> Verdict {
        let (log_id, index) = (event.log_id, event.index);
        // First, because its log may be forgotten by now.
        if self.early.contains(&(log_id, index)) || checked.early.contains(&(log_id, index)) {
            return Verdict::Early;
        }
        let last = checked.last.get(&log_id).or_else(|| self.last.get(&log_id));
        let next = match last {
            Some(last) => last.saturating_add(1),
            None if self.seen.is_some() => 0,
            // The feed may have come to earlier events of the log before it was remembered.
            None => index,
        };
        if index > next {
            return Verdict::Gap(next..index);
        }
        if index < next {
            return Verdict::Late;
        }
        checked.last.insert(log_id, index);
        Verdict::Next
    }

    /// Notes that events of a log were taken from the log, out of their turn.
    pub(super) fn fill(checked: &mut Checked, log_id: LogId, indices: Range<u64>) {
        if let Some(last) = indices.end.checked_sub(1) {
            checked.last.insert(log_id, last);
        }
        checked.early.extend(indices.map(|index| (log_id, index)));
    }

    /// Remembers the events of a page that is delivered.
    pub(super) fn remember(&mut self, checked: Checked) {
        for (log_id, index) in checked.last {
            if let Some(seen) = &mut self.seen
                && self.last.get(&log_id).is_none()
            {
                *seen += 1;
                if *seen >= LOGS / 2 {
                    self.seen = None;
                }
            }
            self.last.insert(log_id, index);
        }
        self.early.extend(checked.early);
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Guard")
            .field("logs", &self.last.len())
            .finish_non_exhaustive()
    }
}
