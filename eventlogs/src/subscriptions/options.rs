//! The options of a subscription.

use std::time::Duration;

/// The options of one subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionOptions {
    /// In how many partitions its logs are divided, by their ids; 1 by default, at most 1024. Processes share the partitions.
    ///
    /// With one partition the handlers get all events in the order of the feed. With several, only the events of each log are in
    /// order. The number can change only while all checkpoints are at the same place.
    pub partitions: u16,
    /// Where a new subscription begins. One that exists continues at its checkpoint.
    pub start_at: StartAt,
    /// The greatest number of events per transaction; 500 by default.
    pub page_size: usize,
    /// How long a handler may take per event; 30 s by default. It should be shorter than the lease if a transaction of the
    /// handlers would block others. On PostgreSQL, the server ends the statement of a handler that has used up its time one
    /// second later.
    pub handler_timeout: Duration,
    /// How many logs may be parked; 100 by default. At the next event that cannot be applied the subscription stops. With 0 no
    /// log is parked: the subscription stops at the first such event, and the order over all logs is kept.
    pub parked_limit: usize,
    /// What to do if the code of the projection has changed since its tables were built.
    pub when_changed: WhenChanged,
}

impl Default for SubscriptionOptions {
    fn default() -> Self {
        Self {
            partitions: 1,
            start_at: StartAt::Beginning,
            page_size: 500,
            handler_timeout: Duration::from_secs(30),
            parked_limit: 100,
            when_changed: WhenChanged::Keep,
        }
    }
}

/// What to do if the code of a projection has changed since its tables were built. Its
/// [fingerprint](crate::Projection::fingerprint) shows that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum WhenChanged {
    /// The tables keep their rows, and the changed code goes on. The status shows it
    /// ([`is_stale`](crate::subscriptions::SubscriptionStatus::is_stale)).
    #[default]
    Keep,
    /// It is not started ([`Refused`](crate::subscriptions::SubscriptionError::Refused)), until its tables are
    /// [built anew](crate::guide::read_models#changing-a-projection).
    Refuse,
}

/// Where a new subscription begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum StartAt {
    /// With the first event of the store.
    #[default]
    Beginning,
    /// With the events that are written from now on. On PostgreSQL, events whose place in the feed is not final yet also come:
    /// those that were committed while an older transaction was still running.
    Now,
}
