//! Reducing a log, from the cache's aggregate or from the start.

use super::LogManager;
use crate::aggregate::Aggregate;
use crate::aggregation::Aggregation;
use crate::ids::LogId;
use crate::manager::error::LogManagerError;
use crate::manager::fold::Fold;
use crate::record::{EventRecord, RecordedEvent};
use crate::stores::error::ReadError;
use crate::stores::page::{ReadRequest, ReadStart};
use crate::time_box;
use chrono::{DateTime, Utc};
use tracing::Instrument;

/// A point in a log's past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PointInTime {
    /// Right after the event with this index. An index after the log's last event means the end of the log.
    Index(u64),
    /// Right after the last event that was recorded at or before this time, by the store's clock.
    Time(DateTime<Utc>),
}

impl PointInTime {
    fn includes<E>(self, record: &impl EventRecord<E>) -> bool {
        match self {
            Self::Index(index) => record.index() <= index,
            Self::Time(time) => record.recorded_at() <= time,
        }
    }
}

impl<A: Aggregate> LogManager<A> {
    /// Reduces a log to its current state.
    ///
    /// The reduction starts from the cached aggregate, if there is one, and reads only the events recorded since: one round
    /// trip to the store, if they fit into one page. The same read checks that the log still has the last event of the cached
    /// aggregate. If it has not, the cache entry is dropped and the log is reduced from the start. The result goes to the cache
    /// in the background. Memory is limited to one page of events, whatever the log's length.
    ///
    /// The future may be dropped at any time: nothing is lost.
    ///
    /// # Errors
    /// - [`LogNotFound`](LogManagerError::LogNotFound) if the log has no events.
    /// - [`WrongKind`](LogManagerError::WrongKind) if the log has events of another enum.
    /// - [`Decode`](LogManagerError::Decode) if this code cannot read an event.
    /// - [`BrokenLog`](LogManagerError::BrokenLog) if an event is missing.
    /// - [`ConcurrentAppend`](LogManagerError::ConcurrentAppend) if the log was rewritten between two pages.
    /// - [`Store`](LogManagerError::Store) if the database fails. A cache that fails is no error.
    pub async fn reduce(
        &self,
        log_id: impl Into<LogId>,
    ) -> Result<Aggregation<A>, LogManagerError> {
        let log_id = log_id.into();
        let span = tracing::info_span!("reduce", aggregate = A::name(), %log_id);
        async {
            let cached = self.cached(log_id).await;
            self.catch_up(log_id, cached).await
        }
        .instrument(span)
        .await
    }

    /// Reduces a log to its state at a point in its past, without the cache.
    ///
    /// # Errors
    /// - [`LogNotFound`](LogManagerError::LogNotFound) also if the time is before the log's first event.
    /// - The others of [`reduce`](LogManager::reduce).
    pub async fn reduce_at(
        &self,
        log_id: impl Into<LogId>,
        at: PointInTime,
    ) -> Result<Aggregation<A>, LogManagerError> {
        let log_id = log_id.into();
        let span = tracing::info_span!("reduce_at", aggregate = A::name(), %log_id, ?at);
        async {
            let mut fold = Fold::from_the_start(log_id);
            self.fold_pages(&mut fold, |record| at.includes(record))
                .await?;
            fold.finish().ok_or(LogManagerError::LogNotFound { log_id })
        }
        .instrument(span)
        .await
    }

    /// Returns the cached aggregation of a log. A cache that is slow, down or holds garbage counts as empty.
    pub(super) async fn cached(&self, log_id: LogId) -> Option<Aggregation<A>> {
        // Taken before the lookup: the log may be forgotten while the cache answers.
        let epoch = self.inner.cache_writer.epoch(log_id);
        let end = time_box::end_after(self.inner.cache_timeout);
        match time_box::until(end, self.inner.cache.get(log_id)).await {
            Some(Ok(cached)) => cached
                .filter(|cached| cached.log_id() == log_id)
                .map(|cached| cached.with_epoch(epoch)),
            Some(Err(error)) => {
                tracing::warn!(%log_id, error, "the cache failed; reducing without it");
                None
            }
            None => {
                tracing::warn!(%log_id, timeout = ?self.inner.cache_timeout, "the cache is too slow; reducing without it");
                None
            }
        }
    }

    /// Continues an earlier reduction to the log's end. Reduces from the start if the log has another history.
    pub(super) async fn catch_up(
        &self,
        log_id: LogId,
        earlier: Option<Aggregation<A>>,
    ) -> Result<Aggregation<A>, LogManagerError> {
        let fold = match earlier {
            Some(earlier) => {
                let mut fold = Fold::from_aggregation(&earlier);
                match self.fold_pages(&mut fold, |_| true).await {
                    Ok(()) => fold,
                    Err(ReduceError::HistoryChanged(_)) => {
                        tracing::warn!(%log_id, index = earlier.through_index(), "the cached aggregate belongs to another history of the log; reducing from the start");
                        self.inner
                            .cache_writer
                            .forget(earlier.position(), self.inner.cache_timeout)
                            .await;
                        self.fold_whole(log_id).await?
                    }
                    Err(ReduceError::Log(error)) => return Err(error),
                }
            }
            None => self.fold_whole(log_id).await?,
        };
        let aggregation = fold
            .finish()
            .ok_or(LogManagerError::LogNotFound { log_id })?;
        // An aggregation that came from the cache and did not change need not be written again.
        if aggregation.applied_events() > 0 {
            self.inner.cache_writer.offer(aggregation.clone());
        }
        Ok(aggregation)
    }

    async fn fold_whole(&self, log_id: LogId) -> Result<Fold<A>, LogManagerError> {
        let epoch = self.inner.cache_writer.epoch(log_id);
        let mut fold = Fold::from_the_start(log_id).with_epoch(epoch);
        self.fold_pages(&mut fold, |_| true).await?;
        Ok(fold)
    }

    /// Applies the events after the fold page by page, up to the first record that is not wanted.
    async fn fold_pages(
        &self,
        fold: &mut Fold<A>,
        wanted: impl Fn(&RecordedEvent<A::Event>) -> bool + Send,
    ) -> Result<(), ReduceError> {
        let log_id = fold.log_id();
        loop {
            let start = fold.state().map_or(ReadStart::Index(0), ReadStart::After);
            let page = self
                .inner
                .store
                .read(ReadRequest::new(log_id, start, self.inner.page_size.get()))
                .await?;
            let end = page
                .records
                .iter()
                .position(|record| !wanted(record))
                .unwrap_or(page.records.len());
            fold.apply(&page.records[..end])?;
            if !page.more || end < page.records.len() {
                return Ok(());
            }
        }
    }
}

/// The reason why a fold stopped.
enum ReduceError {
    /// The event after which the fold continues is gone.
    HistoryChanged(LogManagerError),
    /// Anything else.
    Log(LogManagerError),
}

impl From<ReadError> for ReduceError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::HistoryChanged { .. } => Self::HistoryChanged(error.into()),
            error => Self::Log(error.into()),
        }
    }
}

impl From<ReduceError> for LogManagerError {
    fn from(error: ReduceError) -> Self {
        match error {
            // No cached aggregate is involved: the log lost the last event of the previous page of this reduction.
            ReduceError::HistoryChanged(error) | ReduceError::Log(error) => error,
        }
    }
}

impl From<LogManagerError> for ReduceError {
    fn from(error: LogManagerError) -> Self {
        Self::Log(error)
    }
}
