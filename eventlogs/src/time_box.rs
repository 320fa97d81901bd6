//! Waiting with a time limit. It takes durations of any length, and also works where there are no timers.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::time::Instant;

/// Practically indefinite, but `now + FOR_EVER` is still a point in time that every clock can express.
const FOR_EVER: Duration = Duration::from_hours(30 * 365 * 24);

/// Returns the point in time after this duration. `Duration::MAX` means "never".
pub(crate) fn end_after(time: Duration) -> Instant {
    after(Instant::now(), time)
}

/// Returns the point in time that is this duration after another one.
pub(crate) fn after(start: Instant, time: Duration) -> Instant {
    start + time.min(FOR_EVER)
}

/// Converts a caller's point in time, which may be at the end of the range that the clock can express.
pub(crate) fn end_at(asked: std::time::Instant) -> Instant {
    Instant::from(asked).min(end_after(FOR_EVER))
}

/// Returns the result of some work, or `None` if it is not done in time.
///
/// The work is polled before a timer is made: fakes are ready immediately, so they need neither a runtime nor timers. Outside a
/// runtime there is no timer, so the work has no time limit.
pub(crate) async fn until<T>(end: Instant, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    let first = poll_fn(|context| Poll::Ready(work.as_mut().poll(context))).await;
    if let Poll::Ready(done) = first {
        return Some(done);
    }
    if Handle::try_current().is_err() {
        return Some(work.await);
    }
    tokio::time::timeout_at(end, work).await.ok()
}

/// Waits for this time. Outside a runtime it returns immediately.
pub(crate) async fn pause(time: Duration) {
    if Handle::try_current().is_ok() {
        tokio::time::sleep(time).await;
    }
}
