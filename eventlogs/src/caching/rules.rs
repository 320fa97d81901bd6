//! The policy that `#[aggregate(cache(…))]` generates, as plain data.

use super::AggregationCachingPolicy;
use crate::aggregation::Aggregation;
use crate::caching::policies::age_of;
use std::fmt;
use std::time::Duration;

/// The rules for caching an aggregate: a constant of its type, [`Aggregate::CACHE`](crate::Aggregate::CACHE).
///
/// All rules must hold. The length of a log is its length when it was reduced.
///
/// ```
/// use eventlogs::CacheRules;
/// use std::time::Duration;
/// # #[derive(Debug, Default, Clone)] pub struct Order;
///
/// const RULES: CacheRules<Order> = CacheRules::always().min_events(10).ttl(Duration::from_secs(3600));
/// ```
pub struct CacheRules<A> {
    /// `true` if nothing is cached.
    never: bool,
    /// The least number of events in the log.
    min_events: u64,
    /// The greatest number of events in the log.
    max_events: u64,
    /// The least number of events that the reduction applied to the cached state.
    every: u64,
    /// The least age of the log.
    min_age: Duration,
    /// The greatest age of the log.
    max_age: Duration,
    /// How long an entry lives.
    ttl: Option<Duration>,
    /// The user's own condition.
    when: Option<fn(&Aggregation<A>) -> bool>,
}

impl<A> CacheRules<A> {
    /// Caches every aggregate that has changed since it was cached.
    #[must_use]
    pub const fn always() -> Self {
        Self {
            never: false,
            min_events: 0,
            max_events: u64::MAX,
            every: 1,
            min_age: Duration::ZERO,
            max_age: Duration::MAX,
            ttl: None,
            when: None,
        }
    }

    /// Caches nothing.
    #[must_use]
    pub const fn never() -> Self {
        Self {
            never: true,
            ..Self::always()
        }
    }

    /// Caches only logs of at least this many events: short logs are folded faster than fetched.
    #[must_use]
    pub const fn min_events(mut self, events: u64) -> Self {
        self.min_events = events;
        self
    }

    /// Caches only logs of at most this many events.
    #[must_use]
    pub const fn max_events(mut self, events: u64) -> Self {
        self.max_events = events;
        self
    }

    /// Replaces an entry only if at least this many events were recorded since it was written. 0 counts as 1.
    #[must_use]
    pub const fn every(mut self, events: u64) -> Self {
        self.every = if events == 0 { 1 } else { events };
        self
    }

    /// The number of new events after which an entry is replaced: see [`every`](CacheRules::every).
    pub(crate) const fn least_events(&self) -> u64 {
        self.every
    }

    /// Caches only logs whose first event is at least this old.
    #[must_use]
    pub const fn min_age(mut self, age: Duration) -> Self {
        self.min_age = age;
        self
    }

    /// Caches only logs whose first event is at most this old.
    #[must_use]
    pub const fn max_age(mut self, age: Duration) -> Self {
        self.max_age = age;
        self
    }

    /// Lets an entry expire this long after it was written.
    #[must_use]
    pub const fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl);
        self
    }

    /// Caches only aggregations for which the function returns `true`.
    #[must_use]
    pub const fn when(mut self, condition: fn(&Aggregation<A>) -> bool) -> Self {
        self.when = Some(condition);
        self
    }

    /// How long an entry lives; `None` leaves it to the cache.
    #[must_use]
    pub const fn entry_ttl(&self) -> Option<Duration> {
        self.ttl
    }
}

impl<A: 'static> AggregationCachingPolicy<A> for CacheRules<A> {
    fn should_cache(&self, aggregation: &Aggregation<A>) -> bool {
        let events = aggregation.through_index().saturating_add(1);
        let age = age_of(aggregation);
        !self.never
            && (self.min_events..=self.max_events).contains(&events)
            && aggregation.applied_events() >= self.every
            && (self.min_age..=self.max_age).contains(&age)
            && self.when.is_none_or(|condition| condition(aggregation))
    }
}

impl<A> Clone for CacheRules<A> {
    fn clone(&self) -> Self {
        *self
    }
}

// Written by hand: the derives would add bounds on `A`, of which no value is held.
impl<A> Copy for CacheRules<A> {}

impl<A> fmt::Debug for CacheRules<A> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("CacheRules")
            .field("never", &self.never)
            .field("min_events", &self.min_events)
            .field("max_events", &self.max_events)
            .field("every", &self.every)
            .field("min_age", &self.min_age)
            .field("max_age", &self.max_age)
            .field("ttl", &self.ttl)
            .field("when", &self.when.is_some())
            .finish()
    }
}
