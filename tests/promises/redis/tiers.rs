//! Two caches used as one: which of them is read, which is written, and which may fail.

use super::{counters, five_events};
use eventlogs::caches::CacheError;
use eventlogs::caches::fake::FakeAggregationCache;
use eventlogs::ids::LogId;
use eventlogs::stores::fake::FakeEventStore;
use eventlogs::testing::conformance::Counter;
use eventlogs::{Aggregation, AggregationCache, LogPosition, TieredAggregationCache};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// Returns an error from every call.
struct Broken;

impl AggregationCache<Counter> for Broken {
    async fn get(&self, _: LogId) -> Result<Option<Aggregation<Counter>>, CacheError> {
        Err("broken".into())
    }

    async fn put(&self, _: Aggregation<Counter>, _: Option<Duration>) -> Result<(), CacheError> {
        Err("broken".into())
    }

    async fn remove(&self, _: LogPosition) -> Result<(), CacheError> {
        Err("broken".into())
    }

    async fn forget(&self, _: LogId) -> Result<(), CacheError> {
        Err("broken".into())
    }
}

/// Returns the entry that it had when it was called, as soon as the test allows it.
#[derive(Clone, Default)]
struct Late {
    inner: Fake,
    asked: Arc<Notify>,
    answer: Arc<Notify>,
}

impl AggregationCache<Counter> for Late {
    async fn get(&self, log_id: LogId) -> Result<Option<Aggregation<Counter>>, CacheError> {
        let found = self.inner.get(log_id).await;
        self.asked.notify_one();
        self.answer.notified().await;
        found
    }

    async fn put(
        &self,
        aggregation: Aggregation<Counter>,
        ttl: Option<Duration>,
    ) -> Result<(), CacheError> {
        self.inner.put(aggregation, ttl).await
    }

    async fn remove(&self, state: LogPosition) -> Result<(), CacheError> {
        self.inner.remove(state).await
    }

    async fn forget(&self, log_id: LogId) -> Result<(), CacheError> {
        self.inner.forget(log_id).await
    }
}

type Fake = Arc<FakeAggregationCache<Counter>>;

async fn aggregation() -> Aggregation<Counter> {
    let cache = FakeAggregationCache::<Counter>::new();
    let counters = counters(FakeEventStore::new(), cache);
    let log_id = five_events(&counters).await;
    counters.reduce(&log_id).await.unwrap()
}

async fn has(cache: &impl AggregationCache<Counter>, entry: &Aggregation<Counter>) -> bool {
    let kept = cache.get(entry.log_id()).await.unwrap();
    kept.is_some_and(|kept| kept.position() == entry.position())
}

#[tokio::test]
async fn both_are_told_and_the_far_one_fills_the_near_one() {
    let (near, far) = (Fake::default(), Fake::default());
    let tiers = TieredAggregationCache::new(near.clone(), far.clone());
    let entry = aggregation().await;
    tiers.put(entry.clone(), None).await.unwrap();
    assert!(has(&near, &entry).await && has(&far, &entry).await);

    near.remove(entry.position()).await.unwrap();
    assert!(has(&tiers, &entry).await && has(&near, &entry).await);

    far.remove(entry.position()).await.unwrap();
    assert!(has(&tiers, &entry).await, "the near cache is read first");

    far.put(entry.clone(), None).await.unwrap();
    tiers.remove(entry.position()).await.unwrap();
    assert!(!has(&near, &entry).await && !has(&far, &entry).await);
}

#[tokio::test]
async fn what_came_from_the_far_one_stays_near_for_a_while_only() {
    let (near, far) = (Fake::default(), Fake::default());
    let tiers = TieredAggregationCache::new(near.clone(), far.clone())
        .with_near_ttl(Duration::from_millis(5));
    let entry = aggregation().await;
    far.put(entry.clone(), None).await.unwrap();
    assert!(has(&tiers, &entry).await);
    while has(&near, &entry).await {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(has(&tiers, &entry).await);
}

#[tokio::test]
async fn a_far_cache_that_fails_is_not_in_the_way_of_the_near_one() {
    let near = Fake::default();
    let tiers = TieredAggregationCache::new(near.clone(), Broken);
    let entry = aggregation().await;
    assert!(!has(&tiers, &entry).await);
    assert!(tiers.put(entry.clone(), None).await.is_err());
    assert!(has(&tiers, &entry).await);
    assert!(tiers.remove(entry.position()).await.is_err());
    assert!(!has(&near, &entry).await);
    near.put(entry.clone(), None).await.unwrap();
    assert!(tiers.forget(entry.log_id()).await.is_err());
    assert!(!has(&near, &entry).await);
}

#[tokio::test]
async fn what_the_far_one_had_before_a_log_was_forgotten_is_not_copied() {
    let (near, far) = (Fake::default(), Late::default());
    let tiers = TieredAggregationCache::new(near.clone(), far.clone());
    let entry = aggregation().await;
    far.put(entry.clone(), None).await.unwrap();
    let log_id = entry.log_id();
    let asking = tokio::spawn({
        let tiers = tiers.clone();
        async move { tiers.get(log_id).await.unwrap() }
    });
    far.asked.notified().await;
    tiers.forget(log_id).await.unwrap();
    far.answer.notify_one();
    asking.await.unwrap();
    assert!(!has(&near, &entry).await);
}

#[tokio::test]
async fn a_near_cache_that_fails_leaves_the_far_one() {
    let far = Fake::default();
    let tiers = TieredAggregationCache::new(Broken, far.clone());
    let entry = aggregation().await;
    assert!(
        tiers.get(entry.log_id()).await.is_err(),
        "no cache can tell"
    );
    assert!(tiers.put(entry.clone(), None).await.is_err());
    assert!(has(&tiers, &entry).await);
    assert!(tiers.remove(entry.position()).await.is_err());
    assert!(!has(&far, &entry).await);
    far.put(entry.clone(), None).await.unwrap();
    assert!(tiers.forget(entry.log_id()).await.is_err());
    assert!(!has(&far, &entry).await);
}
