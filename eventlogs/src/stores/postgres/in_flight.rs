//! The statements that are in flight.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use tokio::task::JoinSet;

/// Futures that run at the same time, each in a task of its own, so that several processors can work for them.
///
/// One that is alone is polled by whoever waits for it instead: a task for it would have the runtime wake another thread
/// each time, which takes longer than all else that a lone write costs in this process.
pub(super) struct InFlight<F: Future> {
    /// The one that is polled here.
    lone: Option<Pin<Box<F>>>,
    /// The others.
    tasks: JoinSet<F::Output>,
}

impl<F: Future<Output: Send> + Send + 'static> InFlight<F> {
    pub(super) fn new() -> Self {
        Self {
            lone: None,
            tasks: JoinSet::new(),
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.tasks.len() + usize::from(self.lone.is_some())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds one that is likely to stay alone.
    pub(super) fn push_lone(&mut self, future: F) {
        if self.is_empty() {
            self.lone = Some(Box::pin(future));
        } else {
            self.push(future);
        }
    }

    /// Adds one.
    pub(super) fn push(&mut self, future: F) {
        self.tasks.spawn(future);
    }

    /// Waits for the first to finish. Nothing is lost if it is dropped. `None` if there are none.
    pub(super) async fn next(&mut self) -> Option<F::Output> {
        poll_fn(|context| {
            if let Some(lone) = &mut self.lone
                && let Poll::Ready(output) = lone.as_mut().poll(context)
            {
                self.lone = None;
                return Poll::Ready(Some(output));
            }
            loop {
                return match self.tasks.poll_join_next(context) {
                    // Its runtime is going away; those who wait for it learn of it by what it drops.
                    Poll::Ready(Some(Err(_))) => continue,
                    Poll::Ready(Some(Ok(output))) => Poll::Ready(Some(output)),
                    Poll::Ready(None) if self.lone.is_none() => Poll::Ready(None),
                    Poll::Ready(None) | Poll::Pending => Poll::Pending,
                };
            }
        })
        .await
    }
}
