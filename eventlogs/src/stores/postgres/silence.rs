//! Distinguishing a working server from a silent one.

use crate::time_box::after;
use futures_util::task::AtomicWaker;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// The end of a watched future.
pub(super) enum Watched<T> {
    /// The future is done.
    Done(T),
    /// Nothing has happened in the future for too long.
    Silent,
    /// The deadline has passed.
    Late,
}

/// Runs a future until it is done, its deadline passes, or nothing has happened in it for as long as `bound`.
///
/// Something happens in a future when it is woken: bytes arrive, there is room for bytes to send, a connection is made. So a
/// large answer over a slow network is no silence. `counts` returns `true` while silence counts.
pub(super) async fn watch<F: Future>(
    bound: Duration,
    deadline: Instant,
    counts: impl Fn() -> bool,
    future: F,
) -> Watched<F::Output> {
    let signs = Arc::new(Signs {
        woken: AtomicBool::new(true),
        task: AtomicWaker::new(),
    });
    let waker = Waker::from(Arc::clone(&signs));
    let mut future = pin!(future);
    let mut heard = Instant::now();
    let mut sleep = pin!(sleep_until(deadline.min(after(heard, bound))));
    poll_fn(move |context| {
        signs.task.register(context.waker());
        // Not whenever the task is polled: the task may do much else, none of which is a sign of this server.
        if signs.woken.swap(false, Ordering::AcqRel) {
            let done = future.as_mut().poll(&mut Context::from_waker(&waker));
            if let Poll::Ready(output) = done {
                return Poll::Ready(Watched::Done(output));
            }
            heard = Instant::now();
        }
        while sleep.as_mut().poll(context).is_ready() {
            let now = Instant::now();
            if now >= deadline {
                return Poll::Ready(Watched::Late);
            }
            let end = after(if counts() { heard } else { now }, bound);
            if end <= now {
                return Poll::Ready(Watched::Silent);
            }
            sleep.as_mut().reset(deadline.min(end));
        }
        Poll::Pending
    })
    .await
}

/// The waker of a watched future.
struct Signs {
    /// Whether the future was woken since it was last polled.
    woken: AtomicBool,
    /// The task that watches the future.
    task: AtomicWaker,
}

impl Wake for Signs {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.store(true, Ordering::Release);
        self.task.wake();
    }
}
