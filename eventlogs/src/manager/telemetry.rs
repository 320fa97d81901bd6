//! The metrics of managers, through the facade of the `metrics` crate; without the feature `metrics`, nothing. The page
//! `guide::operation` lists the names.

/// A decision was stored, or given up, after this many attempts.
pub(crate) fn decided(attempts: u32) {
    #[cfg(feature = "metrics")]
    metrics::histogram!("eventlogs_decide_attempts").record(attempts);
    #[cfg(not(feature = "metrics"))]
    let _ = attempts;
}

/// A write had happened before.
pub(crate) fn replayed() {
    #[cfg(feature = "metrics")]
    metrics::counter!("eventlogs_replays_total").increment(1);
}

/// A write met another one.
pub(crate) fn conflicted() {
    #[cfg(feature = "metrics")]
    metrics::counter!("eventlogs_conflicts_total").increment(1);
}
