//! The metrics of caches, through the facade of the `metrics` crate. Without the feature `metrics` these functions do nothing.
//! The page `guide::operation` lists the names.

/// Counts an entry that could not be read, and is removed.
pub(super) fn unreadable(aggregate: &'static str) {
    #[cfg(feature = "metrics")]
    metrics::counter!("eventlogs_cache_unreadable_total", "aggregate" => aggregate).increment(1);
    #[cfg(not(feature = "metrics"))]
    let _ = aggregate;
}
