//! Metadata of the current task.

#[cfg(test)]
mod tests;

use super::Metadata;
use crate::metadata::source::MetadataSource;

tokio::task_local! {
    static CURRENT: Metadata;
}

/// Gives each write the metadata that the program has set for the code that is running: for a request, say.
///
/// A middleware sets it with [`scope`](TaskMetadata::scope), around the handler of the request. The handler, and all that it
/// calls, has it then. It needs no subscriber of `tracing`, and no log level changes what is stored.
///
/// ```
/// # use eventlogs::caches::fake::FakeAggregationCache;
/// # use eventlogs::stores::fake::FakeEventStore;
/// # use eventlogs::__example::{Counter, CounterEvent};
/// use eventlogs::{LogManager, LogManagerOptions, Metadata, TaskMetadata, EventRecord, ids::LogId};
/// use std::sync::Arc;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), eventlogs::LogManagerError> {
/// let options = LogManagerOptions { metadata: Some(Arc::new(TaskMetadata::new())), ..Default::default() };
/// let logs = LogManager::<Counter>::new(FakeEventStore::new(), FakeAggregationCache::new(), options);
/// let id = LogId::new();
/// # let added = CounterEvent::Added { amount: 1 };
///
/// // Around a request.
/// let request = Metadata::new().with_correlation_id("request 17").with("user", "ada");
/// TaskMetadata::scope(request, async {
///     let state = logs.create(id, &added, &Default::default()).await?;
///
///     // A part of the request: it inherits what it does not set.
///     let by_admin = TaskMetadata::scope(Metadata::new().with("user", "root"), async {
///         logs.append(state, &added, &Default::default()).await
///     });
///     by_admin.await
/// })
/// .await?;
///
/// let stored = logs.load(id, 0, 2).await?;
/// let of_request = Metadata::new().with_correlation_id("request 17");
/// assert_eq!(stored[0].metadata(), &of_request.clone().with("user", "ada"));
/// assert_eq!(stored[1].metadata(), &of_request.with("user", "root"));
///
/// // Outside there is none.
/// assert_eq!(TaskMetadata::current(), Metadata::new());
/// # Ok(()) }
/// ```
///
/// # Tasks and threads
///
/// A new task and a new thread begin without metadata, as with every task-local value: those of `tokio::spawn`, of a `JoinSet`
/// and of `spawn_blocking`. Futures that are polled within the scope have it: those of `join!`, `select!` and of a stream. To
/// take it along, open a scope in the new task:
///
/// ```
/// # use eventlogs::{Metadata, TaskMetadata};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), tokio::task::JoinError> {
/// # let request = Metadata::new().with_correlation_id("request 17");
/// # TaskMetadata::scope(request, async {
/// let lost = tokio::spawn(async { TaskMetadata::current() });
/// assert_eq!(lost.await?, Metadata::new());
///
/// let kept = tokio::spawn(TaskMetadata::scope(TaskMetadata::current(), async { TaskMetadata::current() }));
/// assert_eq!(kept.await?, Metadata::new().with_correlation_id("request 17"));
///
/// let metadata = TaskMetadata::current();
/// let blocking = move || TaskMetadata::sync_scope(metadata, TaskMetadata::current);
/// let kept = tokio::task::spawn_blocking(blocking);
/// assert_eq!(kept.await?, Metadata::new().with_correlation_id("request 17"));
/// # Ok(()) }).await }
/// ```
///
/// # Combining
///
/// A closure combines sources. The first one that has a value wins. Put this source first: the program has set its metadata on
/// purpose, and a span only happens to be there.
///
/// ```
/// # use eventlogs::{Metadata, MetadataSource, TaskMetadata};
/// # #[cfg(feature = "tracing-subscriber")] {
/// use eventlogs::SpanMetadata;
///
/// let source = || {
///     let general = Metadata::new().with("service", "payments");
///     TaskMetadata::current().or(SpanMetadata::new().metadata()).or(general)
/// };
/// let metadata = TaskMetadata::sync_scope(Metadata::new().with("user", "ada"), source);
/// assert_eq!(metadata, Metadata::new().with("user", "ada").with("service", "payments"));
/// # }
/// ```
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct TaskMetadata {}

impl TaskMetadata {
    /// Makes the source, for [`LogManagerOptions::metadata`](crate::LogManagerOptions::metadata).
    #[must_use]
    pub const fn new() -> Self {
        Self {}
    }

    /// Returns a future that runs another one with this metadata.
    ///
    /// The metadata is completed from the one that is current *when `scope` is called*, not when the future is polled: an id or
    /// an entry that it does not have is inherited. So a future of `scope` can be given to a new task.
    pub fn scope<F: Future>(metadata: Metadata, future: F) -> impl Future<Output = F::Output> {
        CURRENT.scope(metadata.or(Self::current()), future)
    }

    /// Runs a closure with this metadata. An id or an entry that the metadata does not have is inherited from the one that is
    /// current.
    pub fn sync_scope<R>(metadata: Metadata, run: impl FnOnce() -> R) -> R {
        CURRENT.sync_scope(metadata.or(Self::current()), run)
    }

    /// Returns the metadata of the code that is running; empty outside of any scope.
    #[must_use]
    pub fn current() -> Metadata {
        CURRENT.try_with(Clone::clone).unwrap_or_default()
    }
}

impl MetadataSource for TaskMetadata {
    fn metadata(&self) -> Metadata {
        Self::current()
    }
}
