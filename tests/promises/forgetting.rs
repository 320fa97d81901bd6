//! A log that the cache was told to forget is reduced from its events, and no operation in progress restores the former state.

use crate::gated::Gated;
use crate::payments::{Payment, PaymentEvent, captured, refund};
use crate::servers;
use eventlogs::caches::CacheError;
use eventlogs::caches::fake::FakeAggregationCache;
use eventlogs::ids::LogId;
use eventlogs::stores::fake::FakeEventStore;
use eventlogs::testing::conformance::{Counter, CounterEvent};
use eventlogs::{
    Aggregation, AggregationCache, AppendOptions, CreateOptions, DecideOptions, Decided,
    LogManager, LogManagerError, LogManagerOptions, LogPosition, LogState, MemoryAggregationCache,
    RedisAggregationCache, RedisCacheOptions, TieredAggregationCache,
};
use std::error::Error as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Semaphore;

type Fake = Arc<FakeAggregationCache<Payment>>;

fn options<A>() -> LogManagerOptions<A> {
    LogManagerOptions {
        cache_timeout: Duration::from_secs(10),
        cache_write_timeout: Duration::from_secs(10),
        ..Default::default()
    }
}

async fn is_reduced_again(cache: impl AggregationCache<Counter>) {
    let logs = LogManager::<Counter>::new(FakeEventStore::new(), cache, options());
    let (log_id, other) = (LogId::new(), LogId::new());
    for log_id in [log_id, other] {
        let added = CounterEvent::Added { amount: 1 };
        logs.create(&log_id, &added, &CreateOptions::default())
            .await
            .unwrap();
        logs.reduce(&log_id).await.unwrap();
    }
    logs.flush_cache().await;
    assert_eq!(logs.reduce(&log_id).await.unwrap().applied_events(), 0);
    for _ in 0..2 {
        logs.forget_cached(&log_id).await.unwrap();
        assert_eq!(logs.reduce(&log_id).await.unwrap().applied_events(), 1);
        // A write that waits in the queue is forgotten, too.
        logs.forget_cached(log_id).await.unwrap();
        logs.flush_cache().await;
        assert_eq!(logs.reduce(&log_id).await.unwrap().applied_events(), 1);
        logs.flush_cache().await;
        assert_eq!(logs.reduce(&log_id).await.unwrap().applied_events(), 0);
    }
    assert_eq!(logs.reduce(&other).await.unwrap().applied_events(), 0);
}

#[tokio::test]
async fn a_forgotten_log_is_reduced_from_its_events() {
    is_reduced_again(FakeAggregationCache::new()).await;
    is_reduced_again(MemoryAggregationCache::default()).await;
    let near = MemoryAggregationCache::default();
    is_reduced_again(TieredAggregationCache::new(
        near,
        FakeAggregationCache::new(),
    ))
    .await;
}

#[tokio::test]
async fn a_forgotten_log_is_gone_from_redis() {
    let Some(url) = servers::redis_url() else {
        return;
    };
    let connect = async || {
        let options = RedisCacheOptions {
            namespace: format!("eventlogs-test-{}", uuid::Uuid::now_v7()),
            default_ttl: Some(Duration::from_mins(2)),
            ..Default::default()
        };
        let cache = RedisAggregationCache::<Counter>::connect_with(&url, options).await;
        cache.expect("Redis is available")
    };
    is_reduced_again(connect().await).await;
    let near = MemoryAggregationCache::default();
    is_reduced_again(TieredAggregationCache::new(near, connect().await)).await;
}

/// A cache whose calls wait at one gate each, with the value that they found or are to write.
#[derive(Clone)]
struct Held {
    inner: Fake,
    gets: Arc<Semaphore>,
    puts: Arc<Semaphore>,
}

impl Held {
    fn new() -> Self {
        let open = || Arc::new(Semaphore::new(Semaphore::MAX_PERMITS));
        Self {
            inner: Fake::default(),
            gets: open(),
            puts: open(),
        }
    }
}

fn close(gate: &Semaphore) {
    gate.forget_permits(Semaphore::MAX_PERMITS);
}

fn open(gate: &Semaphore) {
    gate.add_permits(1_000);
}

impl AggregationCache<Payment> for Held {
    async fn get(&self, log_id: LogId) -> Result<Option<Aggregation<Payment>>, CacheError> {
        let found = self.inner.get(log_id).await;
        self.gets.acquire().await?.forget();
        found
    }

    async fn put(
        &self,
        aggregation: Aggregation<Payment>,
        ttl: Option<Duration>,
    ) -> Result<(), CacheError> {
        self.puts.acquire().await?.forget();
        self.inner.put(aggregation, ttl).await
    }

    async fn remove(&self, state: LogPosition) -> Result<(), CacheError> {
        self.inner.remove(state).await
    }

    async fn forget(&self, log_id: LogId) -> Result<(), CacheError> {
        self.inner.forget(log_id).await
    }
}

/// Creates a log of two events, and caches a state that does not match the events (any more).
async fn outdated(payments: &LogManager<Payment>, cache: &Fake) -> LogId {
    let log_id = captured(payments).await;
    let truth = payments.reduce(&log_id).await.unwrap();
    payments.flush_cache().await;
    cache.remove(truth.position()).await.unwrap();
    let former = Payment {
        notes: "Jane Doe".to_owned(),
        ..truth.aggregate().clone()
    };
    let former = Aggregation::from_parts(Arc::new(former), *truth.reach(), truth.reduced_at());
    cache.put(former, None).await.unwrap();
    let found = payments.reduce(&log_id).await.unwrap();
    assert_eq!(found.aggregate().notes, "Jane Doe");
    log_id
}

/// Runs everything that can continue without waiting.
async fn settle() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}

async fn assert_nothing_is_left(payments: &LogManager<Payment>, cache: &Fake, log_id: LogId) {
    payments.flush_cache().await;
    assert!(cache.get(log_id).await.unwrap().is_none());
    let truth = payments.reduce(&log_id).await.unwrap();
    assert!(!truth.aggregate().notes.contains("Jane"));
    payments.flush_cache().await;
    let again = payments.reduce(&log_id).await.unwrap();
    assert_eq!(again.applied_events(), 0, "the log is cached as usual");
    assert_eq!(again.aggregate(), truth.aggregate());
}

#[tokio::test]
async fn a_reduction_under_way_does_not_put_it_back() {
    let cache = Held::new();
    let payments = LogManager::new(FakeEventStore::new(), cache.clone(), options());
    let log_id = outdated(&payments, &cache.inner).await;
    let state = LogState::at(log_id, 1);
    payments
        .append(state, &refund(1), &AppendOptions::default())
        .await
        .unwrap();

    close(&cache.gets);
    let reducing = tokio::spawn({
        let payments = payments.clone();
        async move { payments.reduce(&log_id).await.unwrap() }
    });
    settle().await;
    payments.forget_cached(log_id).await.unwrap();
    open(&cache.gets);
    let former = reducing.await.unwrap();
    assert!(
        former.aggregate().notes.contains("Jane"),
        "the reduction began before the log was forgotten"
    );
    assert_nothing_is_left(&payments, &cache.inner, log_id).await;
}

#[tokio::test]
async fn a_write_under_way_does_not_put_it_back() {
    let cache = Held::new();
    let payments = LogManager::new(FakeEventStore::new(), cache.clone(), options());
    let log_id = outdated(&payments, &cache.inner).await;
    payments
        .append(
            LogState::at(log_id, 1),
            &refund(1),
            &AppendOptions::default(),
        )
        .await
        .unwrap();
    close(&cache.puts);
    payments.reduce(&log_id).await.unwrap();
    settle().await;

    let forgetting = tokio::spawn({
        let payments = payments.clone();
        async move { payments.forget_cached(log_id).await }
    });
    settle().await;
    open(&cache.puts);
    forgetting.await.unwrap().unwrap();
    assert_nothing_is_left(&payments, &cache.inner, log_id).await;
}

#[tokio::test]
async fn decisions_under_way_do_not_put_it_back_and_later_ones_do_not_see_it() {
    let store = Gated::new();
    let cache = Fake::default();
    let payments = LogManager::<Payment>::new(store.clone(), cache.clone(), options());
    let log_id = outdated(&payments, &cache).await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let decide = |who: &'static str| {
        let (payments, seen) = (payments.clone(), Arc::clone(&seen));
        tokio::spawn(async move {
            let decision = |payment: &Payment| {
                let knows = payment.notes.contains("Jane");
                seen.lock().unwrap().push((who, knows));
                Ok::<_, ()>([refund(1)])
            };
            payments
                .decide(&log_id, &DecideOptions::default(), decision)
                .await
                .map(Decided::into_aggregation)
        })
    };
    store.close();
    let before = [decide("before"), decide("before")];
    settle().await;
    payments.forget_cached(log_id).await.unwrap();
    let after = [decide("after"), decide("after")];
    settle().await;
    store.open();
    for deciding in before.into_iter().chain(after) {
        deciding.await.unwrap().unwrap();
    }
    let seen = seen.lock().unwrap().clone();
    assert!(seen.contains(&("before", true)), "{seen:?}");
    assert!(!seen.contains(&("after", true)), "{seen:?}");
    payments.flush_cache().await;
    let kept = cache.get(log_id).await.unwrap();
    assert!(kept.is_none_or(|kept| !kept.aggregate().notes.contains("Jane")));
    let end = payments.reduce(&log_id).await.unwrap();
    assert_eq!((end.aggregate().refunded, end.through_index()), (4, 5));
}

#[tokio::test]
async fn a_cache_that_cannot_be_told_is_an_error_that_says_so() {
    /// A cache that refuses writes.
    struct Stubborn;
    impl AggregationCache<Payment> for Stubborn {
        async fn get(&self, _: LogId) -> Result<Option<Aggregation<Payment>>, CacheError> {
            Ok(None)
        }

        async fn put(
            &self,
            _: Aggregation<Payment>,
            _: Option<Duration>,
        ) -> Result<(), CacheError> {
            Ok(())
        }

        async fn remove(&self, _: LogPosition) -> Result<(), CacheError> {
            Ok(())
        }

        async fn forget(&self, _: LogId) -> Result<(), CacheError> {
            Err("the cache is read-only".into())
        }
    }
    let payments = LogManager::<Payment>::new(FakeEventStore::new(), Stubborn, options());
    let log_id = captured(&payments).await;
    let error = payments.forget_cached(log_id).await.unwrap_err();
    assert!(
        matches!(error, LogManagerError::NotForgotten { .. }),
        "{error:?}"
    );
    assert!(error.to_string().contains(&log_id.to_string()), "{error}");
    let source = error
        .source()
        .expect("the cache's error is the source")
        .to_string();
    assert!(source.contains("read-only"), "{source}");
    // The error has no consequence for other calls.
    let event = PaymentEvent::Voided;
    let state = payments.reduce(&log_id).await.unwrap().state();
    payments
        .append(state, &event, &AppendOptions::default())
        .await
        .unwrap();
    assert_eq!(
        payments.reduce(&log_id).await.unwrap().aggregate().voided,
        1
    );
}
