//! Ready-made caching policies for [`LogManagerOptions::caching_policy`](crate::LogManagerOptions::caching_policy).

use super::AggregationCachingPolicy;
use crate::aggregation::Aggregation;
use std::ops::RangeInclusive;
use std::time::Duration;

/// Caches the aggregates of logs whose number of events is in a range.
///
/// ```
/// use eventlogs::LogLengthPolicy;
///
/// let long_logs = LogLengthPolicy::at_least(50);
/// let short_to_middle = LogLengthPolicy::within(10..=1_000);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLengthPolicy {
    /// The numbers of events that are cached.
    events: RangeInclusive<u64>,
}

impl LogLengthPolicy {
    /// A policy for logs of at least this many events.
    #[must_use]
    pub const fn at_least(events: u64) -> Self {
        Self::within(events..=u64::MAX)
    }

    /// A policy for logs whose number of events is in this range.
    #[must_use]
    pub const fn within(events: RangeInclusive<u64>) -> Self {
        Self { events }
    }
}

impl<A: 'static> AggregationCachingPolicy<A> for LogLengthPolicy {
    fn should_cache(&self, aggregation: &Aggregation<A>) -> bool {
        // A log that ends at index n has n + 1 events.
        self.events
            .contains(&aggregation.through_index().saturating_add(1))
    }
}

/// Caches the aggregates of logs whose age is in a range. The age is the time from the log's first event to the reduction.
///
/// ```
/// use eventlogs::LogAgePolicy;
/// use std::time::Duration;
///
/// // Logs that are no longer new, and not yet old.
/// let policy = LogAgePolicy::within(Duration::from_secs(60)..=Duration::from_secs(30 * 24 * 3600));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogAgePolicy {
    /// The ages that are cached.
    age: RangeInclusive<Duration>,
}

impl LogAgePolicy {
    /// A policy for logs of at least this age.
    #[must_use]
    pub const fn at_least(age: Duration) -> Self {
        Self::within(age..=Duration::MAX)
    }

    /// A policy for logs of at most this age.
    #[must_use]
    pub const fn at_most(age: Duration) -> Self {
        Self::within(Duration::ZERO..=age)
    }

    /// A policy for logs whose age is in this range.
    #[must_use]
    pub const fn within(age: RangeInclusive<Duration>) -> Self {
        Self { age }
    }
}

impl<A: 'static> AggregationCachingPolicy<A> for LogAgePolicy {
    fn should_cache(&self, aggregation: &Aggregation<A>) -> bool {
        self.age.contains(&age_of(aggregation))
    }
}

/// The age of the log when it was reduced. If the store's clock is ahead of this process's clock, the age is zero.
pub(super) fn age_of<A>(aggregation: &Aggregation<A>) -> Duration {
    (aggregation.reduced_at() - aggregation.created_at())
        .to_std()
        .unwrap_or_default()
}
