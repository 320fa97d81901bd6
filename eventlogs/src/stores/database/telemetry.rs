//! The metrics of the writers, through the facade of the `metrics` crate; without the feature `metrics`, nothing. The page
//! `guide::operation` lists the names.

use std::time::Duration;

/// A batch was written, or refused; `waited` is the time of each append in it.
pub(in crate::stores) fn batch_written(
    events: usize,
    waited: impl ExactSizeIterator<Item = Duration>,
    took: Duration,
) {
    #[cfg(feature = "metrics")]
    {
        metrics::histogram!("eventlogs_batch_writes").record(to_f64(waited.len()));
        metrics::histogram!("eventlogs_batch_events").record(to_f64(events));
        metrics::histogram!("eventlogs_commit_seconds").record(took);
        let queue = metrics::histogram!("eventlogs_queue_seconds");
        waited.for_each(|waited| queue.record(waited));
    }
    #[cfg(not(feature = "metrics"))]
    let _ = (events, waited, took);
}

/// Batches are small enough for it to be exact.
#[cfg(feature = "metrics")]
fn to_f64(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
