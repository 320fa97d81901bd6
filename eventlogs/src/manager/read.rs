//! Reading events as they are.

use super::LogManager;
use crate::aggregate::Aggregate;
use crate::ids::LogId;
use crate::manager::error::LogManagerError;
use crate::record::RecordedEvent;
use crate::stores::page::{ReadRequest, ReadStart};
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt, stream};
use tracing::Instrument;

impl<A: Aggregate> LogManager<A> {
    /// Loads at most `limit` events of a log, from the index `from` on: a page for an API, in one round trip.
    ///
    /// Ask for one more than a page holds to learn whether another follows. Records serialise, whether or not the event
    /// implements serde's traits. A page that starts behind the log's end is empty.
    ///
    /// # Errors
    /// [`LogNotFound`](LogManagerError::LogNotFound) if the log has no events, and
    /// [`Decode`](LogManagerError::Decode) and [`Store`](LogManagerError::Store) as they say themselves.
    pub async fn load(
        &self,
        log_id: impl Into<LogId>,
        from: u64,
        limit: usize,
    ) -> Result<Vec<RecordedEvent<A::Event>>, LogManagerError> {
        let log_id = log_id.into();
        let span = tracing::info_span!("load", aggregate = A::name(), %log_id, from, limit);
        async {
            let mut records: Vec<RecordedEvent<A::Event>> = Vec::new();
            loop {
                let start = records.last().map_or(ReadStart::Index(from), |last| {
                    ReadStart::After(last.position())
                });
                let page = self
                    .inner
                    .store
                    .read(ReadRequest::new(log_id, start, limit - records.len()))
                    .await?;
                records.extend(page.records);
                // A store ends a page early when its events are large; the caller has asked for all of these.
                if !page.more || records.len() >= limit {
                    break;
                }
            }
            if records.is_empty() {
                self.check_exists(log_id, from, limit).await?;
            }
            Ok(records)
        }
        .instrument(span)
        .await
    }

    /// All events of a log from the index `from` on, read page by page as they are taken.
    ///
    /// The stream holds one page in memory and borrows nothing. It ends where the log ended when the last page was
    /// read. Dropping it does no harm.
    ///
    /// # Errors
    /// The stream yields those of [`load`](LogManager::load), and ends after the first.
    pub fn stream(
        &self,
        log_id: impl Into<LogId>,
        from: u64,
    ) -> BoxStream<'static, Result<RecordedEvent<A::Event>, LogManagerError>> {
        let manager = self.clone();
        let log_id = log_id.into();
        let span = tracing::info_span!("stream", aggregate = A::name(), %log_id, from);
        let pages = stream::try_unfold(Some(ReadStart::Index(from)), move |start| {
            let manager = manager.clone();
            async move {
                let Some(start) = start else { return Ok(None) };
                let request = ReadRequest::new(log_id, start, manager.inner.page_size.get());
                let page = manager.inner.store.read(request).await?;
                if page.records.is_empty() && matches!(start, ReadStart::Index(_)) {
                    manager.check_exists(log_id, from, request.limit).await?;
                }
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
        // In a box: an unnamed type could not be free of the type that the id was given in.
        pages.try_flatten().boxed()
    }

    /// Tells an empty page of a log from a page of no log. Only a page from the middle needs to ask the store.
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
