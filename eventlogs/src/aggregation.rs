//! The result of reducing a log.

pub(crate) mod verified;

use crate::ids::{EventId, LogId};
use crate::log_state::LogPosition;
use chrono::{DateTime, Utc};
use std::sync::Arc;
use std::time::{Duration, Instant};
use verified::VerifiedAt;

/// An aggregate, and the event through which its log was reduced.
///
/// It is cheap to clone: all clones and the caches share the aggregate, which is copied only to be changed.
#[derive(Debug)]
pub struct Aggregation<A> {
    /// The reduced state.
    aggregate: Arc<A>,
    /// The event through which it was reduced, and the times that belong to it.
    reach: ReducedThrough,
    /// The time of the reduction, by this process's clock.
    reduced_at: DateTime<Utc>,
    /// The number of events that this reduction applied.
    applied_events: u64,
    /// The number of times that the manager had forgotten the log's group of logs when the reduction began that this one
    /// continues.
    epoch: u64,
    /// When a read was sent that found no later event; shared by all clones, and by the caches of this process.
    verified: VerifiedAt,
}

/// The event through which a log was reduced: all that a cache must keep with the aggregate itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReducedThrough {
    /// The log.
    pub log_id: LogId,
    /// The index of the last event that was applied.
    pub index: u64,
    /// The id of that event. A reduction continues only after this very event.
    pub event_id: EventId,
    /// The time at which the log's first event was recorded.
    pub created_at: DateTime<Utc>,
    /// The time at which the last applied event was recorded.
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
    /// Makes an aggregation from its parts: for caches that restore one from bytes, and for tests.
    #[must_use]
    pub fn from_parts(aggregate: Arc<A>, reach: ReducedThrough, reduced_at: DateTime<Utc>) -> Self {
        Self {
            aggregate,
            reach,
            reduced_at,
            applied_events: 0,
            epoch: 0,
            verified: VerifiedAt::never(),
        }
    }

    /// Returns the aggregation after events that did not change the state, if there were any.
    pub(crate) fn continued(self, reach: ReducedThrough, reduced_at: DateTime<Utc>) -> Self {
        let verified = if reach == self.reach {
            self.verified
        } else {
            VerifiedAt::never()
        };
        Self {
            reach,
            reduced_at,
            verified,
            ..self
        }
    }

    /// Notes that a read that was sent at this time has found no later event.
    pub(crate) fn verify(&self, sent_at: Instant) {
        self.verified.set(sent_at);
    }

    /// Returns `true` if a read that was sent at most this long ago has found no later event.
    pub(crate) fn is_verified_within(&self, age: Duration) -> bool {
        self.verified.is_within(age)
    }

    /// Sets the epoch.
    pub(crate) fn with_epoch(mut self, epoch: u64) -> Self {
        self.epoch = epoch;
        self
    }

    /// The epoch: the manager does not cache the aggregation if the log's group has another one by then.
    pub(crate) const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Sets the number of applied events.
    pub(crate) fn with_applied_events(mut self, applied_events: u64) -> Self {
        self.applied_events = applied_events;
        self
    }

    /// The reduced state.
    #[must_use]
    pub fn aggregate(&self) -> &A {
        &self.aggregate
    }

    /// The reduced state, as a shared pointer.
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

    /// The event through which the log was reduced, as a cache keeps it.
    #[must_use]
    pub const fn reach(&self) -> &ReducedThrough {
        &self.reach
    }

    /// The time at which the log's first event was recorded, by the store's clock.
    #[must_use]
    pub const fn created_at(&self) -> DateTime<Utc> {
        self.reach.created_at
    }

    /// The time at which the last applied event was recorded, by the store's clock.
    #[must_use]
    pub const fn updated_at(&self) -> DateTime<Utc> {
        self.reach.updated_at
    }

    /// The time of this reduction, by this process's clock.
    #[must_use]
    pub const fn reduced_at(&self) -> DateTime<Utc> {
        self.reduced_at
    }

    /// The number of events that this reduction applied: all of the log's without a cached aggregate, otherwise those recorded
    /// since.
    #[must_use]
    pub const fn applied_events(&self) -> u64 {
        self.applied_events
    }
}

impl<A: Clone> Aggregation<A> {
    /// Takes the aggregate out. Copies it only if a cache or another clone shares it.
    #[must_use]
    pub fn into_aggregate(self) -> A {
        Arc::unwrap_or_clone(self.aggregate)
    }
}

impl<A> Clone for Aggregation<A> {
    // Written by hand: a derived `Clone` would demand `A: Clone`, but this only clones a pointer.
    fn clone(&self) -> Self {
        Self {
            aggregate: Arc::clone(&self.aggregate),
            verified: self.verified.clone(),
            ..*self
        }
    }
}
