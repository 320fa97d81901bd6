//! The metrics of the writers, recorded with the `metrics` crate. Without the feature `metrics`, these functions do nothing.
//! The page `guide::operation` lists the names.

use std::time::Duration;

/// Records a batch that was written or refused. `waited` has the time that each of its writes spent in the queue.
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

/// Converts a count. Batches are small enough for the result to be exact.
#[cfg(feature = "metrics")]
fn to_f64(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
