//! The outcome of a decision.

use crate::aggregate::Aggregate;
use crate::aggregation::Aggregation;
use crate::log_state::{LogPosition, LogState};
use crate::record::RecordedEvent;
use crate::stores::idempotency::Replay;
use std::fmt;
use std::sync::Arc;

/// The result of [`LogManager::decide`](crate::LogManager::decide): the state after the decision, and what it has appended.
///
/// ```
/// # use eventlogs::caches::fake::FakeAggregationCache;
/// # use eventlogs::stores::fake::FakeEventStore;
/// # use eventlogs::__example::{Counter, CounterEvent};
/// # use eventlogs::{DecideError, LogManager, LogManagerOptions, ids::LogId};
/// # use std::convert::Infallible;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), DecideError<Infallible>> {
/// # let counters = LogManager::<Counter>::new(FakeEventStore::new(), FakeAggregationCache::new(), LogManagerOptions::default());
/// # let id = LogId::new();
/// # counters.create(&id, &CounterEvent::Added { amount: 1 }, &Default::default()).await?;
/// use eventlogs::EventRecord;
///
/// let options = Default::default();
/// let added = counters.decide(id, &options, |_| Ok::<_, Infallible>(CounterEvent::Added { amount: 2 })).await?;
/// assert!(added.has_appended());
/// assert_eq!((added.first_index(), added.event_count()), (Some(1), 1));
/// assert_eq!(added.events()[0].event(), &CounterEvent::Added { amount: 2 });
///
/// let nothing = counters.decide(id, &options, |_| Ok::<Option<CounterEvent>, Infallible>(None)).await?;
/// assert!(!nothing.has_appended());
/// # Ok(()) }
/// ```
pub struct Decided<A: Aggregate> {
    /// The state after the decision.
    pub(super) aggregation: Aggregation<A>,
    /// The earlier write, if the key was used before.
    pub(super) replay: Option<Replay>,
    /// What was appended, by this call or by the earlier write.
    pub(super) written: Option<Written>,
    /// The events that this call has appended.
    pub(super) events: Arc<Vec<RecordedEvent<A::Event>>>,
}

/// The events that a decision has appended to a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Written {
    /// The index of the first event.
    pub(super) first_index: u64,
    /// The number of events.
    pub(super) event_count: u64,
    /// The end of the log after them.
    pub(super) state: LogPosition,
}

impl From<Replay> for Written {
    fn from(replay: Replay) -> Self {
        Self {
            first_index: replay.first_index,
            event_count: replay.event_count,
            state: replay.state,
        }
    }
}

impl<A: Aggregate> Decided<A> {
    /// Makes the result of a decision that has appended nothing.
    pub(super) fn nothing(aggregation: Aggregation<A>) -> Self {
        Self {
            aggregation,
            replay: None,
            written: None,
            events: Arc::default(),
        }
    }

    /// The log's state after the decision; after a replay, its current state.
    #[must_use]
    pub const fn aggregation(&self) -> &Aggregation<A> {
        &self.aggregation
    }

    /// The aggregate after the decision; after a replay, the current one.
    #[must_use]
    pub fn aggregate(&self) -> &A {
        self.aggregation.aggregate()
    }

    /// Takes the aggregation out.
    #[must_use]
    pub fn into_aggregation(self) -> Aggregation<A> {
        self.aggregation
    }

    /// The end of the log after the decision; after a replay, its current end.
    #[must_use]
    pub const fn state(&self) -> LogState<A::Event> {
        self.aggregation.state()
    }

    /// The events that this call has appended, as a later read returns them. Empty after a decision to change nothing and after a
    /// replay.
    #[must_use]
    pub fn events(&self) -> &[RecordedEvent<A::Event>] {
        &self.events
    }

    /// Returns `true` if this call has appended events: the decision was not to change nothing, and no earlier call had already
    /// decided.
    #[must_use]
    pub const fn has_appended(&self) -> bool {
        self.written.is_some() && self.replay.is_none()
    }

    /// The index of the first event that the decision has appended; after a replay, that of the earlier write. `None` if nothing
    /// was appended.
    #[must_use]
    pub fn first_index(&self) -> Option<u64> {
        self.written.map(|written| written.first_index)
    }

    /// The number of events that the decision has appended; after a replay, that of the earlier write.
    #[must_use]
    pub fn event_count(&self) -> u64 {
        self.written.map_or(0, |written| written.event_count)
    }

    /// The end of the log right after the events of the decision; `None` if nothing was appended. After a replay it is the end
    /// right after the earlier write, and the log may have more events by now.
    #[must_use]
    pub fn appended(&self) -> Option<LogPosition> {
        self.written.map(|written| written.state)
    }

    /// The earlier write with the same idempotency key, and the place of its events; `None` if this call decided.
    #[must_use]
    pub const fn replay(&self) -> Option<&Replay> {
        self.replay.as_ref()
    }

    /// Returns `true` if an earlier call with the same idempotency key had already decided.
    #[must_use]
    pub const fn is_replay(&self) -> bool {
        self.replay.is_some()
    }
}

impl<A: Aggregate> From<Decided<A>> for LogState<A::Event> {
    fn from(decided: Decided<A>) -> Self {
        decided.state()
    }
}

impl<A: Aggregate> From<&Decided<A>> for LogState<A::Event> {
    fn from(decided: &Decided<A>) -> Self {
        decided.state()
    }
}

impl<A: Aggregate> Clone for Decided<A> {
    // Written by hand: a derived `Clone` would demand `A: Clone`, but this only clones pointers.
    fn clone(&self) -> Self {
        Self {
            aggregation: self.aggregation.clone(),
            replay: self.replay,
            written: self.written,
            events: Arc::clone(&self.events),
        }
    }
}

impl<A: Aggregate + fmt::Debug> fmt::Debug for Decided<A> {
    // Written by hand: a derived `Debug` would demand `Debug` of the events.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Decided")
            .field("aggregation", &self.aggregation)
            .field("written", &self.written)
            .field("replay", &self.replay)
            .finish_non_exhaustive()
    }
}
