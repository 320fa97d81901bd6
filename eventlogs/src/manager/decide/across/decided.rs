//! The outcome of a decision on several logs.

use crate::aggregate::Aggregate;
use crate::aggregation::Aggregation;
use crate::ids::LogId;
use crate::log_state::{LogPosition, LogState};
use crate::manager::decide::decided::Written;
use crate::record::RecordedEvent;
use crate::stores::idempotency::Replay;
use std::fmt;
use std::sync::Arc;

/// The result of a decision on several logs: one [`DecidedLog`] per log, in the order of the call.
///
/// `L` is a tuple for [`across`](crate::across), and a `Vec` for [`decide_each`](crate::LogManager::decide_each).
#[derive(Debug, Clone)]
pub struct DecidedAcross<L> {
    /// The logs.
    pub(super) logs: L,
    /// The earlier write, if the key was used before; otherwise empty.
    pub(super) replay: Vec<Replay>,
}

impl<L> DecidedAcross<L> {
    /// The logs after the decision; after a replay, as they are now.
    #[must_use]
    pub const fn logs(&self) -> &L {
        &self.logs
    }

    /// Takes the logs out.
    #[must_use]
    pub fn into_logs(self) -> L {
        self.logs
    }

    /// The earlier write with the same idempotency key: one entry per log that it wrote to. Empty if this call decided.
    #[must_use]
    pub fn replay(&self) -> &[Replay] {
        &self.replay
    }

    /// Returns `true` if an earlier call with the same idempotency key had already decided.
    #[must_use]
    pub const fn is_replay(&self) -> bool {
        !self.replay.is_empty()
    }
}

/// One of the logs of a decision, after the decision.
pub struct DecidedLog<A: Aggregate> {
    /// The log.
    log_id: LogId,
    /// The state; `None` if there is no log.
    aggregation: Option<Aggregation<A>>,
    /// The aggregate; the default one if there is no log.
    aggregate: Arc<A>,
    /// What the decision has appended; `None` if it only looked at the log.
    written: Option<Written>,
    /// The appended events.
    events: Arc<Vec<RecordedEvent<A::Event>>>,
}

impl<A: Aggregate> DecidedLog<A> {
    pub(super) fn new(
        log_id: LogId,
        aggregation: Option<Aggregation<A>>,
        written: Option<Written>,
        events: Vec<RecordedEvent<A::Event>>,
    ) -> Self {
        let aggregate = aggregation
            .as_ref()
            .map_or_else(Arc::default, Aggregation::shared_aggregate);
        Self {
            log_id,
            aggregation,
            aggregate,
            written,
            events: Arc::new(events),
        }
    }

    /// The events that this call has appended to this log, as a later read returns them. Empty if the decision only looked at the
    /// log, and after a replay.
    #[must_use]
    pub fn events(&self) -> &[RecordedEvent<A::Event>] {
        &self.events
    }

    /// The state of the log, for an append or for
    /// [`wait_for`](crate::subscriptions::RunningSubscriptions::wait_for); `None` if there is no log.
    #[must_use]
    pub fn state(&self) -> Option<LogState<A::Event>> {
        self.aggregation.as_ref().map(Aggregation::state)
    }
}

impl<A: Aggregate> DecidedLog<A> {
    /// The log.
    #[must_use]
    pub const fn log_id(&self) -> LogId {
        self.log_id
    }

    /// The aggregate after the decision; the default one if there is no log.
    #[must_use]
    pub fn aggregate(&self) -> &A {
        &self.aggregate
    }

    /// The log's state after the decision; `None` if there is no log. That is possible only if the log was allowed to be
    /// missing and the decision has not created it.
    #[must_use]
    pub const fn aggregation(&self) -> Option<&Aggregation<A>> {
        self.aggregation.as_ref()
    }

    /// The number of events that the decision has appended to this log; 0 if it only looked at the log.
    #[must_use]
    pub const fn event_count(&self) -> u64 {
        match self.written {
            Some(written) => written.event_count,
            None => 0,
        }
    }

    /// The index of the first event that the decision has appended to this log; `None` if it only looked at the log.
    #[must_use]
    pub const fn first_index(&self) -> Option<u64> {
        match self.written {
            Some(written) => Some(written.first_index),
            None => None,
        }
    }

    /// The end of the log right after the events of the decision; `None` if it only looked at the log. After a replay, the log
    /// may have more events by now.
    #[must_use]
    pub const fn appended(&self) -> Option<LogPosition> {
        match self.written {
            Some(written) => Some(written.state),
            None => None,
        }
    }
}

impl<A: Aggregate> Clone for DecidedLog<A> {
    // Written by hand: a derived `Clone` would demand `A: Clone`, but this only clones pointers.
    fn clone(&self) -> Self {
        Self {
            log_id: self.log_id,
            aggregation: self.aggregation.clone(),
            aggregate: Arc::clone(&self.aggregate),
            written: self.written,
            events: Arc::clone(&self.events),
        }
    }
}

impl<A: Aggregate + fmt::Debug> fmt::Debug for DecidedLog<A> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("DecidedLog")
            .field("log_id", &self.log_id)
            .field("aggregate", &self.aggregate)
            .field("written", &self.written)
            .finish_non_exhaustive()
    }
}
