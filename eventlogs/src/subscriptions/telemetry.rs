//! The metrics of subscriptions, through the facade of the `metrics` crate. Without the feature `metrics` these functions do
//! nothing. The page `guide::operation` lists the names.

use crate::projection::handler::HandlerError;
use std::time::Duration;

/// Records how long a page took.
pub(super) fn page_took(subscription: &'static str, took: Duration) {
    #[cfg(feature = "metrics")]
    metrics::histogram!("eventlogs_page_seconds", "subscription" => subscription).record(took);
    #[cfg(not(feature = "metrics"))]
    let _ = (subscription, took);
}

/// Counts a lease that another process has taken.
pub(super) fn lease_lost(subscription: &'static str) {
    #[cfg(feature = "metrics")]
    metrics::counter!("eventlogs_leases_lost_total", "subscription" => subscription).increment(1);
    #[cfg(not(feature = "metrics"))]
    let _ = subscription;
}

/// Counts events that were not handled, or a transaction of handlers that the store did not commit. `error` is that of the
/// handler, if it has one.
pub(super) fn not_applied(subscription: &'static str, error: Option<&HandlerError>) {
    #[cfg(feature = "metrics")]
    {
        let cause = match error {
            None => "store",
            Some(HandlerError::Decode(_)) => "decode",
            Some(HandlerError::Failed { .. }) => "failed",
            Some(HandlerError::Panicked { .. }) => "panicked",
            Some(HandlerError::TimedOut { .. }) => "timed_out",
            Some(HandlerError::Row(_)) => "row",
        };
        metrics::counter!(
            "eventlogs_handler_failures_total",
            "subscription" => subscription,
            "cause" => cause
        )
        .increment(1);
    }
    #[cfg(not(feature = "metrics"))]
    let _ = (subscription, error);
}

/// Records how many partitions have stopped.
pub(super) fn stopped(subscription: &'static str, partitions: u32) {
    #[cfg(feature = "metrics")]
    metrics::gauge!("eventlogs_stopped_partitions", "subscription" => subscription)
        .set(f64::from(partitions));
    #[cfg(not(feature = "metrics"))]
    let _ = (subscription, partitions);
}

/// How a subscription is doing.
pub(super) struct Condition {
    /// How many of its logs are parked.
    pub(super) parked: u64,
    /// The age of the oldest event that is not settled.
    pub(super) lag: Duration,
    /// The longest idle time of a partition in this process.
    pub(super) idle: Duration,
    /// How many partitions have stopped.
    pub(super) stopped: u32,
}

/// Records how a subscription is doing.
pub(super) fn looked_at(subscription: &'static str, condition: &Condition) {
    stopped(subscription, condition.stopped);
    #[cfg(feature = "metrics")]
    {
        #[expect(clippy::cast_precision_loss, reason = "there are few parked logs")]
        metrics::gauge!("eventlogs_parked_logs", "subscription" => subscription)
            .set(condition.parked as f64);
        metrics::gauge!("eventlogs_subscription_lag_seconds", "subscription" => subscription)
            .set(condition.lag.as_secs_f64());
        metrics::gauge!("eventlogs_subscription_idle_seconds", "subscription" => subscription)
            .set(condition.idle.as_secs_f64());
    }
    #[cfg(not(feature = "metrics"))]
    let _ = (condition.parked, condition.lag, condition.idle);
}
