//! Applying events to an aggregate, one at a time.

use crate::aggregate::Aggregate;
use crate::aggregation::{Aggregation, ReducedThrough};
use crate::event::needs::EventNeeds;
use crate::ids::LogId;
use crate::log_state::LogPosition;
use crate::manager::error::LogManagerError;
use crate::record::{BareRecord, EventRecord, RecordedEvent};
use crate::stores::fold::{BareFold, EventFold, PassedEvent};
use crate::stores::page::ReadStart;
use chrono::{DateTime, Utc};
use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

/// A point in a log's past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PointInTime {
    /// Right after the event with this index. An index after the log's last event means the end of the log.
    Index(u64),
    /// Right after the last event that was recorded at or before this time, by the store's clock.
    Time(DateTime<Utc>),
}

impl PointInTime {
    fn includes(self, event: PassedEvent) -> bool {
        match self {
            Self::Index(index) => event.index <= index,
            Self::Time(time) => event.recorded_at <= time,
        }
    }
}

impl fmt::Display for PointInTime {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Index(index) => write!(formatter, "event {index}"),
            Self::Time(time) => fmt::Display::fmt(time, formatter),
        }
    }
}

/// A reduction in progress.
pub(super) struct Fold<A> {
    /// The log that is reduced.
    log_id: LogId,
    /// The earlier reduction that this one continues.
    earlier: Option<Aggregation<A>>,
    /// The state so far, from the first event on that this fold applied.
    own: Option<A>,
    /// The last event that was applied; `None` before the first.
    reach: Option<ReducedThrough>,
    /// The number of events that this fold applied.
    applied_events: u64,
    /// The epoch of the log's group in the `CacheWriter` when the reduction began.
    epoch: u64,
    /// Where the reduction stops; `None` for the end of the log.
    until: Option<PointInTime>,
    /// The number of events that a store may hold in memory.
    page_size: usize,
    /// About how many events there will be.
    expected_events: Option<u64>,
    /// The number of events that were applied without their positions, after `reach`.
    bare_events: u64,
    /// Why the fold has stopped, if the events did not follow one another.
    failed: Option<LogManagerError>,
}

impl<A: Aggregate> Fold<A> {
    /// Starts before the first event.
    pub(super) fn from_the_start(log_id: LogId) -> Self {
        Self {
            log_id,
            earlier: None,
            own: None,
            reach: None,
            applied_events: 0,
            epoch: 0,
            until: None,
            page_size: usize::MAX,
            expected_events: None,
            bare_events: 0,
            failed: None,
        }
    }

    /// Continues an earlier reduction.
    ///
    /// The earlier reach is kept: without a newer event the result must still say how far the aggregate was reduced, or the
    /// next reduction would apply events twice.
    pub(super) fn from_aggregation(aggregation: &Aggregation<A>) -> Self {
        Self {
            reach: Some(*aggregation.reach()),
            epoch: aggregation.epoch(),
            earlier: Some(aggregation.clone()),
            ..Self::from_the_start(aggregation.log_id())
        }
    }

    /// Sets the epoch.
    pub(super) fn with_epoch(mut self, epoch: u64) -> Self {
        self.epoch = epoch;
        self
    }

    /// Sets the number of events that a store may hold in memory.
    pub(super) fn with_page_size(mut self, page_size: usize) -> Self {
        self.page_size = page_size;
        self
    }

    /// Sets about how many events there will be.
    pub(super) fn with_expected_events(mut self, events: Option<u64>) -> Self {
        self.expected_events = events;
        self
    }

    /// Stops at a point in the past.
    pub(super) fn until(mut self, until: PointInTime) -> Self {
        self.until = Some(until);
        self
    }

    /// Applies the next records, which must follow without a gap.
    pub(super) fn apply(
        &mut self,
        records: &[RecordedEvent<A::Event>],
    ) -> Result<(), LogManagerError> {
        for record in records {
            if EventFold::take(self, record).is_break() {
                break;
            }
        }
        self.failed.take().map_or(Ok(()), Err)
    }

    /// Returns the result; `None` if there was no event.
    ///
    /// # Errors
    /// If the events did not follow one another.
    pub(super) fn finish(self) -> Result<Option<Aggregation<A>>, LogManagerError> {
        if let Some(failed) = self.failed {
            return Err(failed);
        }
        let Some(reach) = self.reach else {
            return Ok(None);
        };
        let now = Utc::now();
        let aggregation = match (self.own, self.earlier) {
            (None, Some(earlier)) => earlier.continued(reach, now),
            (own, _) => Aggregation::from_parts(Arc::new(own.unwrap_or_default()), reach, now),
        };
        let aggregation = aggregation.with_applied_events(self.applied_events);
        Ok(Some(aggregation.with_epoch(self.epoch)))
    }

    /// Takes note of the next event, and returns `false` if it does not belong to the fold.
    fn advance(&mut self, event: PassedEvent) -> bool {
        if self.until.is_some_and(|until| !until.includes(event)) {
            return false;
        }
        if event.log_id != self.log_id || !self.follows(event.index) {
            return false;
        }
        let created_at = self
            .reach
            .map_or(event.recorded_at, |reach| reach.created_at);
        self.reach = Some(ReducedThrough {
            log_id: self.log_id,
            index: event.index,
            event_id: event.event_id,
            created_at,
            updated_at: event.recorded_at,
        });
        self.applied_events += 1;
        true
    }

    /// Stops right after the event with the index at which the fold ends: the next one may be unreadable.
    fn after(&self, index: u64) -> ControlFlow<()> {
        match self.until {
            Some(PointInTime::Index(end)) if index >= end => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    }

    /// Returns `true` if the event with this index is the next one. Otherwise the fold has failed.
    fn follows(&mut self, index: u64) -> bool {
        let next = self.reach.map_or(0, |reach| reach.index.saturating_add(1));
        let expected = next.saturating_add(self.bare_events);
        if index != expected {
            self.failed = Some(LogManagerError::BrokenLog {
                log_id: self.log_id,
                expected,
                found: index,
            });
        }
        index == expected
    }

    /// Returns the state to change. The state of an earlier reduction is copied, because caches share it.
    fn own(&mut self) -> &mut A {
        let earlier = &self.earlier;
        self.own.get_or_insert_with(|| {
            let earlier = earlier.as_ref();
            earlier.map_or_else(A::default, |earlier| earlier.aggregate().clone())
        })
    }
}

impl<A: Aggregate> EventFold<A::Event> for Fold<A> {
    fn log_id(&self) -> LogId {
        self.log_id
    }

    fn start(&self) -> ReadStart {
        self.reach.map_or(ReadStart::Index(0), |reach| {
            ReadStart::After(LogPosition::new(reach.log_id, reach.index, reach.event_id))
        })
    }

    fn needs(&self) -> EventNeeds {
        A::NEEDS
    }

    fn expected_events(&self) -> Option<u64> {
        self.expected_events
    }

    fn bare(&mut self) -> Option<&mut dyn BareFold<A::Event>> {
        // The last event of a fold that stops earlier is not known in advance. And what was applied with records would be lost by
        // a restart.
        let has_records = self.own.is_some() && self.bare_events == 0;
        let is_bare = !A::NEEDS.uses_record() && self.until.is_none() && !has_records;
        is_bare.then_some(self as &mut dyn BareFold<A::Event>)
    }

    fn page_size(&self) -> usize {
        self.page_size
    }

    fn take(&mut self, record: &RecordedEvent<A::Event>) -> ControlFlow<()> {
        if !self.advance(PassedEvent::of(record)) {
            return ControlFlow::Break(());
        }
        self.own().apply(record);
        self.after(record.index())
    }

    fn pass(&mut self, event: PassedEvent) -> ControlFlow<()> {
        if !self.advance(event) {
            return ControlFlow::Break(());
        }
        self.after(event.index)
    }
}

impl<A: Aggregate> BareFold<A::Event> for Fold<A> {
    fn log_id(&self) -> LogId {
        self.log_id
    }

    fn restart(&mut self) -> ReadStart {
        if self.bare_events > 0 {
            self.bare_events = 0;
            // Nothing else was applied: a fold that was given records goes on with records.
            self.own = None;
        }
        EventFold::start(self)
    }

    fn take(&mut self, index: u64, event: &A::Event) -> ControlFlow<()> {
        if !self.follows(index) {
            return ControlFlow::Break(());
        }
        self.bare_events += 1;
        let record = BareRecord {
            log_id: self.log_id,
            index,
            event,
        };
        self.own().apply(&record);
        ControlFlow::Continue(())
    }

    fn pass(&mut self, index: u64) -> ControlFlow<()> {
        if !self.follows(index) {
            return ControlFlow::Break(());
        }
        self.bare_events += 1;
        ControlFlow::Continue(())
    }

    fn end(&mut self, created_at: DateTime<Utc>, last: PassedEvent) {
        self.applied_events += self.bare_events;
        self.bare_events = 0;
        self.reach = Some(ReducedThrough {
            log_id: self.log_id,
            index: last.index,
            event_id: last.event_id,
            created_at: self.reach.map_or(created_at, |reach| reach.created_at),
            updated_at: last.recorded_at,
        });
    }
}
