//! Reading the events of a log without reducing them.

use super::LogManager;
use crate::aggregate::Aggregate;
use crate::ids::{IntoLogId, LogId};
use crate::manager::error::LogManagerError;
use crate::manager::telemetry::labels::Operation;
use crate::record::RecordedEvent;
use crate::stores::error::ReadError;
use crate::stores::page::{Page, ReadRequest, ReadStart};
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt, stream};
use tracing::Instrument;

impl<A: Aggregate> LogManager<A> {
    /// Returns `true` if the log has events, in one round trip.
    ///
    /// It says nothing about the next moment: to create a log that may exist, call [`create`](LogManager::create), which fails if
    /// it does, or set [`create_if_missing`](crate::DecideOptions::create_if_missing).
    ///
    /// # Errors
    /// - [`WrongKind`](LogManagerError::WrongKind) if the log has events of another enum.
    /// - [`Store`](LogManagerError::Store) if the database fails.
    pub async fn exists(&self, log_id: impl IntoLogId) -> Result<bool, LogManagerError> {
        let log_id = log_id.into_log_id();
        let call = self.inner.measures.begin(Operation::Exists);
        let span = tracing::info_span!("exists", aggregate = A::name(), %log_id);
        let first = ReadRequest::new(log_id, ReadStart::Index(0), 1);
        call.end(match self.inner.store.read(first).instrument(span).await {
            Ok(page) => Ok(!page.records.is_empty()),
            // Only a stored event can be unreadable.
            Err(ReadError::Decode(_)) => Ok(true),
            Err(error) => Err(error.into()),
        })
    }

    /// Loads at most `limit` events of a log, starting at the index `from`: one page for an API.
    ///
    /// - Ask for one event more than a page shows to learn whether another page follows.
    /// - Records serialise, whether or not the event implements serde's traits.
    /// - The result is empty if `from` is after the log's end.
    /// - With `limit = 0` the result is empty; the call only checks that the log exists.
    ///
    /// It takes one round trip. Large events may take more. An empty result with `from` above 0 or `limit = 0` takes one more,
    /// which checks that the log exists.
    ///
    /// # Errors
    /// - [`LogNotFound`](LogManagerError::LogNotFound) if the log has no events.
    /// - [`WrongKind`](LogManagerError::WrongKind) if the log has events of another enum.
    /// - [`Decode`](LogManagerError::Decode) if this code cannot read an event.
    /// - [`ConcurrentAppend`](LogManagerError::ConcurrentAppend) if the log was rewritten between two round trips.
    /// - [`Store`](LogManagerError::Store) if the database fails.
    pub async fn load(
        &self,
        log_id: impl IntoLogId,
        from: u64,
        limit: usize,
    ) -> Result<Vec<RecordedEvent<A::Event>>, LogManagerError> {
        let log_id = log_id.into_log_id();
        let call = self.inner.measures.begin(Operation::Load);
        let span = tracing::info_span!("load", aggregate = A::name(), %log_id, from, limit);
        let loading = async {
            let records = self.records(log_id, from, limit).await?;
            if records.is_empty() {
                self.check_exists(log_id, from, limit).await?;
            }
            Ok(records)
        };
        call.end(loading.instrument(span).await)
    }

    /// Reads at most `limit` events of a log, as a part of a call.
    pub(super) async fn records(
        &self,
        log_id: LogId,
        from: u64,
        limit: usize,
    ) -> Result<Vec<RecordedEvent<A::Event>>, LogManagerError> {
        let mut records: Vec<RecordedEvent<A::Event>> = Vec::new();
        loop {
            let start = records.last().map_or(ReadStart::Index(from), |last| {
                ReadStart::After(last.position())
            });
            let request = ReadRequest::new(log_id, start, limit - records.len());
            let page = self.inner.store.read(request).await?;
            records.extend(page.records);
            // A store ends a page early when its events are large, but the caller asked for `limit` events.
            if !page.more || records.len() >= limit {
                return Ok(records);
            }
        }
    }

    /// Streams all events of a log, starting at the index `from`.
    ///
    /// The stream reads a page when all events of the previous one are taken. It holds one page in memory and borrows nothing.
    /// It ends where the log ended when the last page was read. It may be dropped at any time.
    ///
    /// # Errors
    /// The stream yields the errors of [`load`](LogManager::load), and ends after the first.
    pub fn stream(
        &self,
        log_id: impl IntoLogId,
        from: u64,
    ) -> BoxStream<'static, Result<RecordedEvent<A::Event>, LogManagerError>> {
        let manager = self.clone();
        let log_id = log_id.into_log_id();
        let span = tracing::info_span!("stream", aggregate = A::name(), %log_id, from);
        let pages = stream::try_unfold(Some(ReadStart::Index(from)), move |start| {
            let manager = manager.clone();
            async move {
                let Some(start) = start else { return Ok(None) };
                let call = manager.inner.measures.begin(Operation::Stream);
                let page = call.end(manager.page_of_stream(log_id, from, start).await)?;
                let next = page
                    .records
                    .last()
                    .filter(|_| page.more)
                    .map(|last| ReadStart::After(last.position()));
                Ok::<_, LogManagerError>(Some((
                    stream::iter(page.records.into_iter().map(Ok)),
                    next,
                )))
            }
            .instrument(span.clone())
        });
        // Boxed: an unnamed return type would capture the type parameter of `log_id`, and so its lifetime.
        pages.try_flatten().boxed()
    }

    /// Reads a page of a stream that began at the index `from`.
    async fn page_of_stream(
        &self,
        log_id: LogId,
        from: u64,
        start: ReadStart,
    ) -> Result<Page<A::Event>, LogManagerError> {
        let request = ReadRequest::new(log_id, start, self.inner.page_size.get());
        let page = self.inner.store.read(request).await?;
        if page.records.is_empty() && matches!(start, ReadStart::Index(_)) {
            self.check_exists(log_id, from, request.limit).await?;
        }
        Ok(page)
    }

    /// Returns an error after an empty page if the log does not exist.
    ///
    /// An empty page that starts at index 0 proves that the log does not exist. If the page starts later, or if its limit is 0,
    /// the store is asked.
    async fn check_exists(
        &self,
        log_id: LogId,
        from: u64,
        limit: usize,
    ) -> Result<(), LogManagerError> {
        if from > 0 || limit == 0 {
            let first = self
                .inner
                .store
                .read(ReadRequest::new(log_id, ReadStart::Index(0), 1))
                .await?;
            if !first.records.is_empty() {
                return Ok(());
            }
        }
        Err(LogManagerError::LogNotFound { log_id })
    }
}
