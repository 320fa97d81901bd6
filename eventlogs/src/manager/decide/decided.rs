//! The outcome of a decision.

use crate::aggregation::Aggregation;
use crate::stores::idempotency::Replay;

/// The result of [`LogManager::decide`](crate::LogManager::decide).
#[derive(Debug, Clone)]
pub struct Decided<A> {
    /// The state after the decision.
    pub(super) aggregation: Aggregation<A>,
    /// The earlier write, if the key was used before.
    pub(super) replay: Option<Replay>,
}

impl<A> Decided<A> {
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
