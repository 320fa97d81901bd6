//! Applying events to an aggregate, one page at a time.

use crate::aggregate::Aggregate;
use crate::aggregation::{Aggregation, ReducedThrough};
use crate::ids::LogId;
use crate::log_state::LogPosition;
use crate::manager::error::LogManagerError;
use crate::record::{EventRecord, RecordedEvent};
use chrono::Utc;
use std::sync::Arc;

/// A reduction in progress.
pub(super) struct Fold<A> {
    /// The log that is reduced.
    log_id: LogId,
    /// The state so far; shared with the cache until the first event is applied.
    aggregate: Arc<A>,
    /// The last event that was applied; `None` before the first.
    reach: Option<ReducedThrough>,
    /// The number of events that this fold applied.
    applied_events: u64,
    /// The epoch of the log's group in the `CacheWriter` when the reduction began.
    epoch: u64,
}

impl<A: Aggregate> Fold<A> {
    /// Starts before the first event.
    pub(super) fn from_the_start(log_id: LogId) -> Self {
        Self {
            log_id,
            aggregate: Arc::new(A::default()),
            reach: None,
            applied_events: 0,
            epoch: 0,
        }
    }

    /// Continues an earlier reduction.
    ///
    /// The earlier reach is kept: without a newer event the result must still say how far the aggregate was reduced, or the
    /// next reduction would apply events twice.
    pub(super) fn from_aggregation(aggregation: &Aggregation<A>) -> Self {
        Self {
            log_id: aggregation.log_id(),
            aggregate: aggregation.shared_aggregate(),
            reach: Some(*aggregation.reach()),
            applied_events: 0,
            epoch: aggregation.epoch(),
        }
    }

    /// Sets the epoch.
    pub(super) fn with_epoch(mut self, epoch: u64) -> Self {
        self.epoch = epoch;
        self
    }

    /// The log that is folded.
    pub(super) const fn log_id(&self) -> LogId {
        self.log_id
    }

    /// The position after which the next page starts.
    pub(super) fn state(&self) -> Option<LogPosition> {
        self.reach
            .map(|reach| LogPosition::new(reach.log_id, reach.index, reach.event_id))
    }

    /// Applies the next records, which must follow without a gap.
    pub(super) fn apply(
        &mut self,
        records: &[RecordedEvent<A::Event>],
    ) -> Result<(), LogManagerError> {
        if records.is_empty() {
            return Ok(());
        }
        // Copies the aggregate if the cache shares it: at most once per page.
        let aggregate = Arc::make_mut(&mut self.aggregate);
        for record in records {
            let expected = self.reach.map_or(0, |reach| reach.index.saturating_add(1));
            if record.index() != expected || record.log_id() != self.log_id {
                return Err(LogManagerError::BrokenLog {
                    log_id: self.log_id,
                    expected,
                    found: record.index(),
                });
            }
            aggregate.apply(record);
            self.reach = Some(ReducedThrough {
                log_id: self.log_id,
                index: record.index(),
                event_id: record.event_id(),
                created_at: self
                    .reach
                    .map_or(record.recorded_at(), |reach| reach.created_at),
                updated_at: record.recorded_at(),
            });
            self.applied_events += 1;
        }
        Ok(())
    }

    /// Returns the result; `None` if there was no event.
    pub(super) fn finish(self) -> Option<Aggregation<A>> {
        let Self {
            aggregate,
            reach,
            applied_events,
            epoch,
            ..
        } = self;
        reach.map(|reach| {
            Aggregation::from_parts(aggregate, reach, Utc::now())
                .with_applied_events(applied_events)
                .with_epoch(epoch)
        })
    }
}
