//! The statements that are in flight.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use tokio::task::JoinSet;

/// Futures that run at the same time, each in its own task, so that several processors can work for them.
///
/// A single future is polled by the task that waits for it instead: with a task for it, the runtime would wake another thread
/// each time, which takes longer than everything else that a single write costs in this process (see "Figures" in
/// ARCHITECTURE).
pub(super) struct InFlight<F: Future> {
    /// The single future, which is polled here.
    single: Option<Pin<Box<F>>>,
    /// The other futures.
    tasks: JoinSet<F::Output>,
}

impl<F: Future<Output: Send> + Send + 'static> InFlight<F> {
    pub(super) fn new() -> Self {
        Self {
            single: None,
            tasks: JoinSet::new(),
        }
    }

    /// Returns the number of futures.
    pub(super) fn len(&self) -> usize {
        self.tasks.len() + usize::from(self.single.is_some())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds a future that is likely to stay the only one.
    pub(super) fn push_single(&mut self, future: F) {
        if self.is_empty() {
            self.single = Some(Box::pin(future));
        } else {
            self.push(future);
        }
    }

    /// Adds a future.
    pub(super) fn push(&mut self, future: F) {
        self.tasks.spawn(future);
    }

    /// Waits for the first future to finish; returns `None` if there are none. If this call is dropped, nothing is lost.
    pub(super) async fn next(&mut self) -> Option<F::Output> {
        poll_fn(|context| {
            if let Some(single) = &mut self.single
                && let Poll::Ready(output) = single.as_mut().poll(context)
            {
                self.single = None;
                return Poll::Ready(Some(output));
            }
            loop {
                return match self.tasks.poll_join_next(context) {
                    // The runtime of that task is shutting down; its callers notice when the task drops their writes.
                    Poll::Ready(Some(Err(_))) => continue,
                    Poll::Ready(Some(Ok(output))) => Poll::Ready(Some(output)),
                    Poll::Ready(None) if self.single.is_none() => Poll::Ready(None),
                    Poll::Ready(None) | Poll::Pending => Poll::Pending,
                };
            }
        })
        .await
    }
}
