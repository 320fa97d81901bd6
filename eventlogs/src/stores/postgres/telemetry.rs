//! What only PostgreSQL measures. Without the feature `metrics`, nothing is measured.

#[cfg(feature = "metrics")]
use std::time::Duration;

/// The name of the store in metrics.
pub(super) const STORE: &str = "postgres";

/// Counts a statement that is tried again.
pub(super) fn retried() {
    #[cfg(feature = "metrics")]
    metrics::counter!("eventlogs_retries_total", "store" => "postgres").increment(1);
}

/// Records how long a transaction has been holding the feed back.
#[cfg(feature = "metrics")]
pub(super) fn held(held: Option<Duration>) {
    metrics::gauge!("eventlogs_feed_held_seconds", "store" => "postgres")
        .set(held.unwrap_or_default().as_secs_f64());
}
