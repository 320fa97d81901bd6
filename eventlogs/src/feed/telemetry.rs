//! The metrics of feeds, through the facade of the `metrics` crate. Without the feature `metrics` these functions do nothing. The
//! page `guide::operation` lists the names.

/// Counts events that a feed has delivered.
pub(super) fn delivered(store: &'static str, events: usize) {
    #[cfg(feature = "metrics")]
    metrics::counter!("eventlogs_feed_events_total", "store" => store).increment(events as u64);
    #[cfg(not(feature = "metrics"))]
    let _ = (store, events);
}

/// Counts events that a page lacked, and that were read from their log.
pub(super) fn repaired(store: &'static str, events: usize) {
    #[cfg(feature = "metrics")]
    metrics::counter!("eventlogs_feed_repairs_total", "store" => store).increment(events as u64);
    #[cfg(not(feature = "metrics"))]
    let _ = (store, events);
}
