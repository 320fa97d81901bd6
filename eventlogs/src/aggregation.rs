//! The result of reducing a log.

use crate::ids::{EventId, LogId};
use crate::log_state::LogPosition;
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// An aggregate, and how far its log was reduced.
///
/// It is cheap to clone: the aggregate itself is shared, with the caches too, and copied only when somebody changes it.
#[derive(Debug)]
pub struct Aggregation<A> {
    /// The reduced state.
    aggregate: Arc<A>,
    /// How far it was reduced, and the times that belong to it.
    reach: ReducedThrough,
    /// When the reduction was made, by this process's clock.
    reduced_at: DateTime<Utc>,
    /// How many events were applied to what a cache held.
    applied_events: u64,
    /// How often this process had forgotten the log's group when the reduction began that this one goes back to.
    epoch: u64,
}

/// How far an aggregate was reduced: all that a cache must keep beside the aggregate itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReducedThrough {
    /// The log.
    pub log_id: LogId,
    /// The index of the last event that was applied.
    pub index: u64,
    /// The id of that event. A reduction continues only behind this very event.
    pub event_id: EventId,
    /// When the log's first event was recorded.
    pub created_at: DateTime<Utc>,
    /// When the last applied event was recorded.
    pub updated_at: DateTime<Utc>,
}

impl ReducedThrough {
    /// The position of the last event that was applied.
    #[must_use]
    pub const fn position(&self) -> LogPosition {
        LogPosition::new(self.log_id, self.index, self.event_id)
    }
}

impl<A> Aggregation<A> {
    /// Puts an aggregation together from its parts: for caches that bring one back from bytes, and for tests.
    #[must_use]
    pub fn from_parts(aggregate: Arc<A>, reach: ReducedThrough, reduced_at: DateTime<Utc>) -> Self {
        Self {
            aggregate,
            reach,
            reduced_at,
            applied_events: 0,
            epoch: 0,
        }
    }

    /// The same, of a reduction that goes back to this epoch of the manager's.
    pub(crate) fn with_epoch(mut self, epoch: u64) -> Self {
        self.epoch = epoch;
        self
    }

    /// The epoch that the reduction goes back to.
    pub(crate) const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The same, after `applied_events` events were applied to what a cache held.
    pub(crate) fn with_applied_events(mut self, applied_events: u64) -> Self {
        self.applied_events = applied_events;
        self
    }

    /// The reduced state.
    #[must_use]
    pub fn aggregate(&self) -> &A {
        &self.aggregate
    }

    /// The reduced state, shared.
    #[must_use]
    pub fn shared_aggregate(&self) -> Arc<A> {
        Arc::clone(&self.aggregate)
    }

    /// The log that was reduced.
    #[must_use]
    pub const fn log_id(&self) -> LogId {
        self.reach.log_id
    }

    /// The index of the last event that was applied.
    #[must_use]
    pub const fn through_index(&self) -> u64 {
        self.reach.index
    }

    /// The position of the last event that was applied.
    #[must_use]
    pub const fn position(&self) -> LogPosition {
        self.reach.position()
    }

    /// How far the log was reduced, as a cache keeps it.
    #[must_use]
    pub const fn reach(&self) -> &ReducedThrough {
        &self.reach
    }

    /// When the log's first event was recorded, by the store's clock.
    #[must_use]
    pub const fn created_at(&self) -> DateTime<Utc> {
        self.reach.created_at
    }

    /// When the last applied event was recorded, by the store's clock.
    #[must_use]
    pub const fn updated_at(&self) -> DateTime<Utc> {
        self.reach.updated_at
    }

    /// When this reduction was made, by this process's clock.
    #[must_use]
    pub const fn reduced_at(&self) -> DateTime<Utc> {
        self.reduced_at
    }

    /// How many events this reduction applied: all of the log's without a cached aggregate, else those recorded since.
    #[must_use]
    pub const fn applied_events(&self) -> u64 {
        self.applied_events
    }
}

impl<A: Clone> Aggregation<A> {
    /// Takes the aggregate out; copies it only if a cache or another clone shares it.
    #[must_use]
    pub fn into_aggregate(self) -> A {
        Arc::unwrap_or_clone(self.aggregate)
    }
}

impl<A> Clone for Aggregation<A> {
    // By hand, because the derive would ask `A: Clone` for what only copies a pointer.
    fn clone(&self) -> Self {
        Self {
            aggregate: Arc::clone(&self.aggregate),
            ..*self
        }
    }
}
