//! A store that counts its reads for folds, and holds or fails them when a test demands it. And a cache that looks remote.

use eventlogs::caches::CacheError;
use eventlogs::caches::fake::FakeAggregationCache;
use eventlogs::ids::LogId;
use eventlogs::stores::{
    AppendAcrossRequest, AppendError, AppendRequest, Appended, EventFold, IdempotencyKey,
    ListRequest, LogList, NewestEvents, Page, ReadError, ReadRequest, ReadStart, Replay,
    StoreError, StoreId,
};
use eventlogs::{Aggregation, AggregationCache, Event, EventStore, LogPosition};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;
use tokio::sync::watch;

/// Counts the folds by where they start.
#[derive(Clone)]
pub(crate) struct Counting<S> {
    inner: S,
    shared: Arc<Shared>,
}

struct Shared {
    /// The number of folds from the first event.
    whole: AtomicUsize,
    /// The number of folds after an event.
    tails: AtomicUsize,
    /// The number of reads of the newest events.
    newest: AtomicUsize,
    /// The number of next folds that fail.
    failing: AtomicU32,
    /// `true` while reads return their results.
    gate: watch::Sender<bool>,
    /// The number of reads that have their events, and wait at the gate.
    held: watch::Sender<usize>,
}

impl<S> Counting<S> {
    pub(crate) fn new(inner: S) -> Self {
        let shared = Shared {
            whole: AtomicUsize::new(0),
            tails: AtomicUsize::new(0),
            newest: AtomicUsize::new(0),
            failing: AtomicU32::new(0),
            gate: watch::Sender::new(true),
            held: watch::Sender::new(0),
        };
        Self {
            inner,
            shared: Arc::new(shared),
        }
    }

    /// Returns the number of folds from the first event, and of those after an event.
    pub(crate) fn folds(&self) -> (usize, usize) {
        let count = |count: &AtomicUsize| count.load(Ordering::SeqCst);
        (count(&self.shared.whole), count(&self.shared.tails))
    }

    /// Returns the number of all reads for folds.
    pub(crate) fn reads(&self) -> usize {
        let (whole, tails) = self.folds();
        whole + tails + self.shared.newest.load(Ordering::SeqCst)
    }

    /// Holds back the results of reads, which have their events by then.
    pub(crate) fn hold(&self) {
        self.shared.gate.send_replace(false);
    }

    /// Returns the results that were held back.
    pub(crate) fn release(&self) {
        self.shared.gate.send_replace(true);
    }

    /// Waits until so many reads are held back.
    pub(crate) async fn until_held(&self, reads: usize) {
        let mut held = self.shared.held.subscribe();
        let enough = held.wait_for(|held| *held >= reads);
        let enough = tokio::time::timeout(Duration::from_secs(30), enough).await;
        drop(enough.expect("the reads are sent").expect("a sender"));
    }

    /// Lets the next folds fail after they were held back.
    pub(crate) fn fail_next(&self, folds: u32) {
        self.shared.failing.store(folds, Ordering::SeqCst);
    }

    async fn pass_the_gate(&self) {
        self.shared.held.send_modify(|held| *held += 1);
        let mut gate = self.shared.gate.subscribe();
        let open = gate.wait_for(|open| *open).await;
        drop(open.expect("the sender is in this store"));
        self.shared.held.send_modify(|held| *held -= 1);
    }

    fn count<E>(&self, fold: &dyn EventFold<E>) {
        let count = match fold.start() {
            ReadStart::Index(_) => &self.shared.whole,
            ReadStart::After(_) => &self.shared.tails,
        };
        count.fetch_add(1, Ordering::SeqCst);
    }

    fn failure(&self) -> Result<(), ReadError> {
        let one_less = |count: u32| count.checked_sub(1);
        let failing = &self.shared.failing;
        match failing.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less) {
            Err(_) => Ok(()),
            Ok(_) => Err(StoreError::Database {
                source: io::Error::other("on purpose").into(),
            }
            .into()),
        }
    }
}

impl<E: Event, S: EventStore<E> + Clone> EventStore<E> for Counting<S> {
    async fn append(&self, request: AppendRequest<'_, E>) -> Result<Appended<E>, AppendError> {
        self.inner.append(request).await
    }

    async fn append_across(
        &self,
        request: AppendAcrossRequest<'_>,
    ) -> Result<Vec<LogPosition>, AppendError> {
        self.inner.append_across(request).await
    }

    async fn read(&self, request: ReadRequest) -> Result<Page<E>, ReadError> {
        self.inner.read(request).await
    }

    async fn fold(&self, fold: &mut dyn EventFold<E>) -> Result<(), ReadError> {
        self.count(fold);
        let read = self.inner.fold(fold).await;
        self.pass_the_gate().await;
        self.failure()?;
        read
    }

    async fn fold_all(&self, folds: &mut [&mut dyn EventFold<E>]) -> Vec<Result<(), ReadError>> {
        for fold in folds.iter() {
            self.count(&**fold);
        }
        let read = self.inner.fold_all(folds).await;
        self.pass_the_gate().await;
        read
    }

    async fn newest(
        &self,
        log_id: LogId,
        most: usize,
    ) -> Result<Option<Box<dyn NewestEvents<E>>>, StoreError> {
        self.shared.newest.fetch_add(1, Ordering::SeqCst);
        let newest = self.inner.newest(log_id, most).await;
        self.pass_the_gate().await;
        newest
    }

    async fn ends(&self, log_ids: &[LogId]) -> Result<Vec<Option<LogPosition>>, StoreError> {
        self.inner.ends(log_ids).await
    }

    fn store_id(&self) -> StoreId {
        self.inner.store_id()
    }

    fn store_name(&self) -> &'static str {
        self.inner.store_name()
    }

    async fn list(&self, request: ListRequest) -> Result<LogList<E>, StoreError> {
        self.inner.list(request).await
    }

    async fn find_key(&self, key: IdempotencyKey<'_>) -> Result<Vec<Replay>, StoreError> {
        self.inner.find_key(key).await
    }

    async fn prune_idempotency_keys(&self, older_than: Duration) -> Result<u64, StoreError> {
        self.inner.prune_idempotency_keys(older_than).await
    }
}

/// A cache that looks as if another process had it: what it returns was never compared with the store by this process.
#[derive(Debug)]
pub(crate) struct Remote<A>(FakeAggregationCache<A>);

impl<A> Default for Remote<A> {
    fn default() -> Self {
        Self(FakeAggregationCache::new())
    }
}

impl<A: Send + Sync + 'static> AggregationCache<A> for Remote<A> {
    async fn get(&self, log_id: LogId) -> Result<Option<Aggregation<A>>, CacheError> {
        let found = self.0.get(log_id).await?;
        Ok(found.map(|found| {
            let (reach, time) = (*found.reach(), found.reduced_at());
            Aggregation::from_parts(found.shared_aggregate(), reach, time)
        }))
    }

    fn is_remote(&self) -> bool {
        true
    }

    async fn put(
        &self,
        aggregation: Aggregation<A>,
        ttl: Option<Duration>,
    ) -> Result<(), CacheError> {
        self.0.put(aggregation, ttl).await
    }

    async fn remove(&self, state: LogPosition) -> Result<(), CacheError> {
        self.0.remove(state).await
    }

    async fn forget(&self, log_id: LogId) -> Result<(), CacheError> {
        self.0.forget(log_id).await
    }
}

/// Makes futures, and polls each of them once: those who call have asked, and wait.
pub(crate) async fn asked<F: Future>(count: usize, ask: impl Fn() -> F) -> Vec<Pin<Box<F>>> {
    let waiting = polled_once(count, ask).await;
    assert_eq!(waiting.len(), count, "all of them have to wait");
    waiting
}

/// Makes futures, polls each of them once, and returns those that wait.
pub(crate) async fn polled_once<F: Future>(count: usize, ask: impl Fn() -> F) -> Vec<Pin<Box<F>>> {
    let mut asked: Vec<_> = (0..count).map(|_| Box::pin(ask())).collect();
    let polled = std::future::poll_fn(|context| {
        asked.retain_mut(|future| future.as_mut().poll(context).is_pending());
        Poll::Ready(())
    });
    tokio::task::unconstrained(polled).await;
    asked
}
