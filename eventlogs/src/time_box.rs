//! Waiting that ends: with durations of any length, and where there are no timers.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::time::Instant;

/// As good as for ever, and still a point in time that every clock can count to.
const FOR_EVER: Duration = Duration::from_hours(30 * 365 * 24);

/// When so much time is over. `Duration::MAX` is how people write "never".
pub(crate) fn end_after(time: Duration) -> Instant {
    after(Instant::now(), time)
}

/// The point in time so much after another one.
pub(crate) fn after(start: Instant, time: Duration) -> Instant {
    start + time.min(FOR_EVER)
}

/// A caller's point in time, which may lie at the end of what the clock can express.
pub(crate) fn end_at(asked: std::time::Instant) -> Instant {
    Instant::from(asked).min(end_after(FOR_EVER))
}

/// What comes of some work, if it comes in time.
///
/// The work is tried before a timer is made. Fakes answer at once, so they need no runtime, and none with timers. Outside a
/// runtime there is no timer at all, and the work takes as long as it takes.
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

/// Waits for a time to pass; not outside a runtime.
pub(crate) async fn pause(time: Duration) {
    if Handle::try_current().is_ok() {
        tokio::time::sleep(time).await;
    }
}
