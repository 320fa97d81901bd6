//! Reducing a log, from the cache's aggregate or from the start.

mod whole;

use super::LogManager;
use crate::aggregate::Aggregate;
use crate::aggregation::Aggregation;
use crate::ids::{IntoLogId, LogId};
use crate::manager::error::LogManagerError;
use crate::manager::fold::{Fold, PointInTime};
use crate::manager::reduce_options::{Freshness, ReduceOptions};
use crate::manager::telemetry::labels::{Lookup, Operation};
use crate::stores::error::ReadError;
use crate::stores::fold::EventFold;
use crate::stores::page::ReadStart;
use crate::time_box;
use futures_util::{StreamExt, future, stream};
use std::time::Instant;
use tracing::Instrument;

/// The number of logs of one call that are read at the same time, of those that the cache does not have.
const TOGETHER: usize = 16;
/// The number of events that are read at the same time as a lookup in a shared cache, in addition to those that an entry may lack
/// by the rules of the aggregate.
const AHEAD: u64 = 4;
/// The greatest number of events that are read at the same time as a lookup in a shared cache.
const MOST_AHEAD: u64 = 32;

/// What the cache has in this process.
enum Near<A> {
    /// An aggregation that is as fresh as the caller asks for.
    Fresh(Aggregation<A>),
    /// An aggregation that may lack the newest events.
    Older(Aggregation<A>),
    /// Nothing.
    Missing,
}

impl<A: Aggregate> LogManager<A> {
    /// Reduces a log to its current state.
    ///
    /// The reduction starts from the cached aggregate, if there is one, and reads only the events recorded since. The same read
    /// checks that the log still has the last event of the cached aggregate. If it has not, the cache entry is dropped and the
    /// log is reduced from the start. The result goes to the cache in the background.
    ///
    /// - *Round trips:* one to the store. With a cached aggregate, reductions that are asked for at the same time share it on
    ///   PostgreSQL; more than 32 new events take one more. A shared cache, such as Redis, is asked at the same time as the
    ///   store; an entry that lacks more events takes one more.
    /// - *Many callers:* if many callers ask for one log that the cache does not have, it is read once. Those who ask during
    ///   that read are answered by one more read together, of the events since.
    /// - *Memory:* on PostgreSQL, each event is folded as it arrives. Other stores hold one page of events, whatever the log's
    ///   length.
    /// - *Columns:* only what the aggregate's handlers use is fetched. Without a `#[record]` parameter, those are the events
    ///   alone, and of ignored events only their position.
    ///
    /// The future may be dropped at any time: nothing is lost, and other callers who wait for the same read get their result.
    ///
    /// # Errors
    /// - [`LogNotFound`](LogManagerError::LogNotFound) if the log has no events.
    /// - [`WrongKind`](LogManagerError::WrongKind) if the log has events of another enum.
    /// - [`Decode`](LogManagerError::Decode) if this code cannot read an event.
    /// - [`BrokenLog`](LogManagerError::BrokenLog) if an event is missing.
    /// - [`ConcurrentAppend`](LogManagerError::ConcurrentAppend) if the log was rewritten during the reduction.
    /// - [`Store`](LogManagerError::Store) if the database fails. A cache that fails is no error.
    pub async fn reduce(&self, log_id: impl IntoLogId) -> Result<Aggregation<A>, LogManagerError> {
        self.reduce_with(log_id, &ReduceOptions::default()).await
    }

    /// Reduces a log to a state that may be [older](Freshness) than its current one.
    ///
    /// ```
    /// # use eventlogs::caches::fake::FakeAggregationCache;
    /// # use eventlogs::stores::fake::FakeEventStore;
    /// # use eventlogs::__example::{Counter, CounterEvent};
    /// use eventlogs::{Freshness, LogManager, LogManagerOptions, ReduceOptions, ids::LogId};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), eventlogs::LogManagerError> {
    /// # let logs = LogManager::<Counter>::new(FakeEventStore::new(), FakeAggregationCache::new(), LogManagerOptions::default());
    /// # let id = LogId::new();
    /// let state = logs.create(&id, &CounterEvent::Added { amount: 1 }, &Default::default()).await?;
    /// logs.reduce(&id).await?;
    /// logs.flush_cache().await;
    /// logs.append(state, &CounterEvent::Added { amount: 2 }, &Default::default()).await?;
    ///
    /// // A page that shows a counter, and need not show the newest one.
    /// let shown = logs.reduce_with(&id, &ReduceOptions { freshness: Freshness::Cached }).await?;
    /// assert_eq!(shown.through_index(), 0);
    /// assert_eq!(logs.reduce(&id).await?.through_index(), 1);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Those of [`reduce`](LogManager::reduce).
    pub async fn reduce_with(
        &self,
        log_id: impl IntoLogId,
        options: &ReduceOptions,
    ) -> Result<Aggregation<A>, LogManagerError> {
        let log_id = log_id.into_log_id();
        let freshness = options.freshness;
        let call = self.inner.measures.begin(Operation::Reduce);
        let span = tracing::info_span!("reduce", aggregate = A::name(), %log_id);
        // Answered before a future is made for the read: that one is large, and moving it would cost as much as the answer.
        let near = span.in_scope(|| self.look_near(log_id, freshness));
        let near = match near {
            Near::Fresh(fresh) => return call.end(Ok(fresh)),
            Near::Older(near) => Some(near),
            Near::Missing => None,
        };
        let reducing = self.reduce_from(log_id, freshness, near);
        call.end(reducing.instrument(span).await)
    }

    /// Reduces several logs to their current states, and returns the result of each, in the order of the ids.
    ///
    /// The logs of which the cache has an aggregate in this process take one round trip together on PostgreSQL, for each 128
    /// logs. The others are read several at a time. The states are not of one moment: to decide on several logs, use
    /// [`across`](crate::across).
    ///
    /// ```
    /// # use eventlogs::caches::fake::FakeAggregationCache;
    /// # use eventlogs::stores::fake::FakeEventStore;
    /// # use eventlogs::__example::{Counter, CounterEvent};
    /// # use eventlogs::{LogManager, LogManagerError, LogManagerOptions, ids::LogId};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), eventlogs::LogManagerError> {
    /// # let logs = LogManager::<Counter>::new(FakeEventStore::new(), FakeAggregationCache::new(), LogManagerOptions::default());
    /// # let (one, other) = (LogId::new(), LogId::new());
    /// # logs.create(&one, &CounterEvent::Added { amount: 1 }, &Default::default()).await?;
    /// let counters = logs.reduce_many([one, other]).await;
    /// assert_eq!(counters[0].as_ref().map(|counter| counter.through_index()).ok(), Some(0));
    /// assert!(matches!(counters[1], Err(LogManagerError::LogNotFound { .. })));
    ///
    /// // One error for all:
    /// let all: Result<Vec<_>, _> = logs.reduce_many([one]).await.into_iter().collect();
    /// assert_eq!(all?.len(), 1);
    /// # Ok(()) }
    /// ```
    ///
    /// The future may be dropped at any time: nothing is lost.
    ///
    /// # Errors
    /// The result of a log has the errors of [`reduce`](LogManager::reduce).
    pub async fn reduce_many(
        &self,
        log_ids: impl IntoIterator<Item = impl IntoLogId>,
    ) -> Vec<Result<Aggregation<A>, LogManagerError>> {
        let log_ids: Vec<LogId> = log_ids.into_iter().map(IntoLogId::into_log_id).collect();
        let call = self.inner.measures.begin(Operation::ReduceMany);
        let span = tracing::info_span!("reduce_many", aggregate = A::name(), logs = log_ids.len());
        call.end_all(self.reduce_all(log_ids).instrument(span).await)
    }

    /// Reduces a log to its state at a point in its past, without the cache.
    ///
    /// # Errors
    /// - [`LogNotFound`](LogManagerError::LogNotFound) also if the time is before the log's first event.
    /// - The others of [`reduce`](LogManager::reduce).
    pub async fn reduce_at(
        &self,
        log_id: impl IntoLogId,
        at: PointInTime,
    ) -> Result<Aggregation<A>, LogManagerError> {
        let log_id = log_id.into_log_id();
        let call = self.inner.measures.begin(Operation::ReduceAt);
        let span = tracing::info_span!("reduce_at", aggregate = A::name(), %log_id, ?at);
        call.end(self.reduce_until(log_id, at).instrument(span).await)
    }

    /// Reduces a log to its state at a point in its past, as a part of another call.
    pub(super) async fn reduce_until(
        &self,
        log_id: LogId,
        at: PointInTime,
    ) -> Result<Aggregation<A>, LogManagerError> {
        let mut fold = self.bounded(Fold::from_the_start(log_id).until(at));
        self.inner.store.fold(&mut fold).await?;
        fold.finish()?
            .ok_or(LogManagerError::LogNotFound { log_id })
    }

    async fn reduce_as(
        &self,
        log_id: LogId,
        freshness: Freshness,
    ) -> Result<Aggregation<A>, LogManagerError> {
        let near = match self.look_near(log_id, freshness) {
            Near::Fresh(fresh) => return Ok(fresh),
            Near::Older(near) => Some(near),
            Near::Missing => None,
        };
        self.reduce_from(log_id, freshness, near).await
    }

    /// Looks for the aggregation that the cache has in this process.
    fn look_near(&self, log_id: LogId, freshness: Freshness) -> Near<A> {
        let Some(near) = self.near(log_id) else {
            return Near::Missing;
        };
        let is_fresh = match freshness {
            Freshness::Latest => false,
            Freshness::AtMost(age) => near.is_verified_within(age),
            Freshness::Cached => true,
        };
        if !is_fresh {
            return Near::Older(near);
        }
        self.inner.measures.looked_up(Lookup::Hit);
        Near::Fresh(near.with_applied_events(0))
    }

    /// Reduces a log, from the aggregation that the cache has in this process if there is one.
    async fn reduce_from(
        &self,
        log_id: LogId,
        freshness: Freshness,
        near: Option<Aggregation<A>>,
    ) -> Result<Aggregation<A>, LogManagerError> {
        if near.is_some() {
            return self.catch_up(log_id, near).await;
        }
        if freshness == Freshness::Cached {
            return match self.cached(log_id).await {
                Some(cached) => {
                    self.inner.measures.looked_up(Lookup::Hit);
                    Ok(cached.with_applied_events(0))
                }
                None => self.catch_up(log_id, None).await,
            };
        }
        if self.inner.cache.is_remote() {
            return self.beside_lookup(log_id).await;
        }
        let cached = self.cached(log_id).await;
        self.catch_up(log_id, cached).await
    }

    /// Looks a log up in a shared cache, and reads its newest events at the same time: only the cache knows after which event
    /// the reduction starts.
    async fn beside_lookup(&self, log_id: LogId) -> Result<Aggregation<A>, LogManagerError> {
        let sent_at = Instant::now();
        // Taken before the reads: the log may be forgotten meanwhile.
        let epoch = self.inner.cache_writer.epoch(log_id);
        let every = if self.inner.has_own_policy {
            0
        } else {
            A::CACHE.least_events()
        };
        let most = every.saturating_add(AHEAD).min(MOST_AHEAD);
        let newest = self
            .inner
            .store
            .newest(log_id, usize::try_from(most).unwrap_or(usize::MAX));
        let (cached, newest) = future::join(self.cached(log_id), newest).await;
        // If the store fails, the read after this one reports it.
        let Ok(Some(newest)) = newest else {
            return self.catch_up(log_id, cached).await;
        };
        let fold = cached.as_ref().map_or_else(
            || Fold::from_the_start(log_id).with_epoch(epoch),
            Fold::from_aggregation,
        );
        let mut fold = self.bounded(fold);
        match newest.fold(&mut fold) {
            Ok(true) => self.finished(fold, cached.is_some(), sent_at),
            Ok(false) if fold.start() == ReadStart::Index(0) => self.shared(log_id).await,
            // The newest events may have been read before another process appended the last event of the cached aggregate.
            Ok(false) | Err(ReadError::HistoryChanged { .. }) => {
                let read = self.inner.store.fold(&mut fold).await;
                self.after(read, fold, cached, sent_at).await
            }
            Err(error) => self.after(Err(error), fold, cached, sent_at).await,
        }
    }

    async fn reduce_all(
        &self,
        log_ids: Vec<LogId>,
    ) -> Vec<Result<Aggregation<A>, LogManagerError>> {
        let sent_at = Instant::now();
        let mut near = Vec::new();
        let mut others = Vec::new();
        for (place, log_id) in log_ids.iter().enumerate() {
            match self.near(*log_id) {
                Some(found) => {
                    let fold = self.bounded(Fold::from_aggregation(&found));
                    near.push((place, found, fold));
                }
                None => others.push((place, *log_id)),
            }
        }
        let mut folds: Vec<_> = near
            .iter_mut()
            .map(|(_, _, fold)| fold as &mut dyn EventFold<A::Event>)
            .collect();
        let read = self.inner.store.fold_all(&mut folds).await;
        let near = near.into_iter().zip(read);
        let near = near.map(|((place, found, fold), read)| async move {
            (place, self.after(read, fold, Some(found), sent_at).await)
        });
        let others = others.into_iter().map(|(place, log_id)| async move {
            (place, self.reduce_as(log_id, Freshness::Latest).await)
        });
        let mut results: Vec<_> = stream::iter(near)
            .buffer_unordered(TOGETHER)
            .chain(stream::iter(others).buffer_unordered(TOGETHER))
            .collect()
            .await;
        results.sort_unstable_by_key(|(place, _)| *place);
        results.into_iter().map(|(_, result)| result).collect()
    }

    /// Returns the aggregation that the cache has in this process.
    fn near(&self, log_id: LogId) -> Option<Aggregation<A>> {
        // Taken before the lookup: the log may be forgotten meanwhile.
        let epoch = self.inner.cache_writer.epoch(log_id);
        let near = self.inner.cache.peek(log_id);
        let near = near.filter(|near| near.log_id() == log_id);
        near.map(|near| near.with_epoch(epoch))
    }

    /// Returns the cached aggregation of a log. A cache that is slow, down or holds garbage counts as empty.
    pub(super) async fn cached(&self, log_id: LogId) -> Option<Aggregation<A>> {
        // Taken before the lookup: the log may be forgotten while the cache answers.
        let epoch = self.inner.cache_writer.epoch(log_id);
        let end = time_box::end_after(self.inner.cache_timeout);
        match time_box::until(end, self.inner.cache.get(log_id)).await {
            Some(Ok(cached)) => {
                let cached = cached.filter(|cached| cached.log_id() == log_id);
                if cached.is_none() {
                    self.inner.measures.looked_up(Lookup::Miss);
                }
                cached.map(|cached| cached.with_epoch(epoch))
            }
            Some(Err(error)) => {
                self.inner.measures.looked_up(Lookup::Failed);
                if let Some(times) = self.inner.cache_warnings.failed.next() {
                    tracing::warn!(%log_id, error, times, "the cache failed; reducing without it");
                }
                None
            }
            None => {
                self.inner.measures.looked_up(Lookup::TooSlow);
                if let Some(times) = self.inner.cache_warnings.too_slow.next() {
                    let timeout = self.inner.cache_timeout;
                    tracing::warn!(%log_id, ?timeout, times, "the cache is too slow; reducing without it");
                }
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
        let Some(earlier) = earlier else {
            return self.shared(log_id).await;
        };
        let sent_at = Instant::now();
        let mut fold = self.bounded(Fold::from_aggregation(&earlier));
        let read = self.inner.store.fold(&mut fold).await;
        self.after(read, fold, Some(earlier), sent_at).await
    }

    /// Finishes a reduction after its read.
    async fn after(
        &self,
        read: Result<(), ReadError>,
        fold: Fold<A>,
        earlier: Option<Aggregation<A>>,
        sent_at: Instant,
    ) -> Result<Aggregation<A>, LogManagerError> {
        match (read, earlier) {
            (Ok(()), earlier) => self.finished(fold, earlier.is_some(), sent_at),
            (Err(ReadError::HistoryChanged { .. }), Some(earlier)) => {
                Box::pin(self.anew(earlier)).await
            }
            (Err(error), _) => Err(error.into()),
        }
    }

    /// Reduces a log from the start, because it does not have the last event of its cached aggregate.
    async fn anew(&self, cached: Aggregation<A>) -> Result<Aggregation<A>, LogManagerError> {
        let (log_id, position) = (cached.log_id(), cached.position());
        tracing::warn!(%log_id, index = position.index(), "the cached aggregate belongs to another history of the log; reducing from the start");
        let timeout = self.inner.cache_timeout;
        self.inner.cache_writer.forget(position, timeout).await;
        let reduced = self.shared(log_id).await;
        let end = reduced.as_ref().map(Aggregation::through_index).ok();
        let is_ahead = end.is_none_or(|end| end < position.index());
        let lookup = if is_ahead {
            Lookup::Ahead
        } else {
            Lookup::Forked
        };
        self.inner.measures.looked_up(lookup);
        reduced
    }

    /// Finishes a fold that has reached the end of its log.
    fn finished(
        &self,
        fold: Fold<A>,
        was_cached: bool,
        sent_at: Instant,
    ) -> Result<Aggregation<A>, LogManagerError> {
        let log_id = fold.log_id();
        let aggregation = fold
            .finish()?
            .ok_or(LogManagerError::LogNotFound { log_id })?;
        aggregation.verify(sent_at);
        let applied = aggregation.applied_events();
        self.inner.measures.reduced(applied);
        if was_cached {
            let lookup = if applied == 0 {
                Lookup::Hit
            } else {
                Lookup::Stale
            };
            self.inner.measures.looked_up(lookup);
        }
        // An aggregation that came from the cache and did not change need not be written again.
        if applied > 0 {
            self.inner.cache_writer.offer(aggregation.clone());
        }
        Ok(aggregation)
    }

    /// Limits the memory of a fold.
    fn bounded(&self, fold: Fold<A>) -> Fold<A> {
        fold.with_page_size(self.inner.page_size.get())
    }
}
