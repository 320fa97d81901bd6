//! Telling a server that works from one that is silent.

use crate::time_box::after;
use futures_util::task::AtomicWaker;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// How a future ended that was watched.
pub(super) enum Heard<T> {
    /// It is done.
    Done(T),
    /// Nothing has happened in it for too long.
    Silent,
    /// Its time is over.
    Late,
}

/// Runs a future until it is done, its time is over, or nothing has happened in it for as long as `bound`.
///
/// What happens in a future is what wakes it: bytes that come, room for bytes to send, a connection that is made. A large
/// answer over a slow network is no silence therefore. `counts` says whether silence counts at the moment.
pub(super) async fn watch<F: Future>(
    bound: Duration,
    deadline: Instant,
    counts: impl Fn() -> bool,
    future: F,
) -> Heard<F::Output> {
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
        // Not whenever the task is polled: it may have much else to do, none of which is a sign of this server.
        if signs.woken.swap(false, Ordering::AcqRel) {
            let done = future.as_mut().poll(&mut Context::from_waker(&waker));
            if let Poll::Ready(output) = done {
                return Poll::Ready(Heard::Done(output));
            }
            heard = Instant::now();
        }
        while sleep.as_mut().poll(context).is_ready() {
            let now = Instant::now();
            if now >= deadline {
                return Poll::Ready(Heard::Late);
            }
            let end = after(if counts() { heard } else { now }, bound);
            if end <= now {
                return Poll::Ready(Heard::Silent);
            }
            sleep.as_mut().reset(deadline.min(end));
        }
        Poll::Pending
    })
    .await
}

/// What a watched future is woken by.
struct Signs {
    /// Whether it was, since it was last polled.
    woken: AtomicBool,
    /// The task that watches it.
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
