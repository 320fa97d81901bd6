//! What is counted and measured, through the facade of the `metrics` crate; without the feature `metrics`, nothing. The
//! README lists the names.

use crate::manager::error::LogManagerError;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
use std::time::Duration;

/// A batch was written, or refused; `waited` is the time of each append in it.
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) fn batch_written(
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

/// A statement is tried again.
#[cfg(feature = "postgres")]
pub(crate) fn retried() {
    #[cfg(feature = "metrics")]
    metrics::counter!("eventlogs_retries_total").increment(1);
}

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

/// Counts an error on its way to the caller.
pub(crate) fn failed(error: LogManagerError) -> LogManagerError {
    match &error {
        LogManagerError::IdempotentReplay { .. } => replayed(),
        #[cfg(feature = "metrics")]
        LogManagerError::ConcurrentAppend { .. } | LogManagerError::LogAlreadyExists { .. } => {
            metrics::counter!("eventlogs_conflicts_total").increment(1);
        }
        _ => {}
    }
    error
}

/// Batches are small enough for it to be exact.
#[cfg(all(feature = "metrics", any(feature = "postgres", feature = "sqlite")))]
fn to_f64(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
