//! The metrics of managers, through the facade of the `metrics` crate. Without the feature `metrics` these functions do
//! nothing. The page `guide::operation` lists the names.

/// Records the number of attempts of a decision that was stored or abandoned.
pub(crate) fn decided(attempts: u32) {
    #[cfg(feature = "metrics")]
    metrics::histogram!("eventlogs_decide_attempts").record(attempts);
    #[cfg(not(feature = "metrics"))]
    let _ = attempts;
}

/// Counts a write that had happened before.
pub(crate) fn replayed() {
    #[cfg(feature = "metrics")]
    metrics::counter!("eventlogs_replays_total").increment(1);
}

/// Counts a write that conflicted with another one.
pub(crate) fn conflicted() {
    #[cfg(feature = "metrics")]
    metrics::counter!("eventlogs_conflicts_total").increment(1);
}
