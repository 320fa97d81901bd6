//! The cache that processes share: its promises, its costs, and that it never gets in the way, whatever it holds or does.

mod connecting;
mod contents;
mod failing;
mod moved;
mod sealed;
mod stopped;
mod tiers;
mod tls;
mod whole;

use crate::servers::{self, PrivateRedis};
use eventlogs::caches::fake::FakeAggregationCache;
use eventlogs::ids::LogId;
use eventlogs::redis::{Client, aio::MultiplexedConnection, cmd};
use eventlogs::stores::fake::FakeEventStore;
use eventlogs::testing::aggregation_cache_conformance;
use eventlogs::testing::conformance::{Counter, CounterEvent};
use eventlogs::{
    Aggregate, AggregationCache, AppendOptions, CodeFingerprint, CreateOptions, EventStore,
    LogManager, LogManagerOptions, MemoryAggregationCache, RedisAggregationCache,
    RedisCacheOptions, SqliteEventStore, TieredAggregationCache,
};
use std::time::Duration;
use uuid::Uuid;

/// Options with a namespace for one test, whose entries expire soon.
fn options() -> RedisCacheOptions {
    RedisCacheOptions {
        namespace: format!("eventlogs-test-{}", Uuid::now_v7()),
        default_ttl: Some(Duration::from_mins(2)),
        // Many tests share two cores and one server.
        response_timeout: Duration::from_secs(10),
        ..Default::default()
    }
}

async fn cache() -> Option<RedisAggregationCache<Counter>> {
    Some(connect(&servers::redis_url()?, options()).await)
}

async fn connect(url: &str, options: RedisCacheOptions) -> RedisAggregationCache<Counter> {
    connect_as(url, options).await
}

/// Connects the cache of another aggregate.
async fn connect_as<A>(url: &str, options: RedisCacheOptions) -> RedisAggregationCache<A> {
    RedisAggregationCache::connect_with(url, options)
        .await
        .expect("Redis is available")
}

async fn tiered()
-> Option<TieredAggregationCache<MemoryAggregationCache<Counter>, RedisAggregationCache<Counter>>> {
    Some(TieredAggregationCache::new(
        MemoryAggregationCache::default(),
        cache().await?,
    ))
}

aggregation_cache_conformance!(redis, optional: cache());
aggregation_cache_conformance!(memory_before_redis, optional: tiered());
aggregation_cache_conformance!(fake_before_fake, async {
    TieredAggregationCache::new(FakeAggregationCache::new(), FakeAggregationCache::new())
});

/// Opens a connection apart from the cache's own, to inspect and change entries.
async fn raw(url: &str) -> MultiplexedConnection {
    let client = Client::open(url).expect("a valid URL");
    client
        .get_multiplexed_async_connection()
        .await
        .expect("Redis is available")
}

fn key<A: Aggregate + CodeFingerprint>(options: &RedisCacheOptions, log_id: LogId) -> String {
    let (namespace, name) = (&options.namespace, A::name());
    format!(
        "{namespace}:{name}:{:016x}:{{{log_id}}}",
        A::code_fingerprint()
    )
}

/// Creates a manager whose cache has enough time: these tests check its content.
fn counters<A: Aggregate<Event = CounterEvent>>(
    store: impl EventStore<CounterEvent>,
    cache: impl AggregationCache<A>,
) -> LogManager<A> {
    let options = LogManagerOptions {
        cache_timeout: Duration::from_secs(10),
        cache_write_timeout: Duration::from_secs(10),
        ..Default::default()
    };
    LogManager::new(store, cache, options)
}

fn added(amount: i64) -> CounterEvent {
    CounterEvent::Added { amount }
}

/// Creates a log of five events, 1 to 5, with the sum 15.
async fn five_events<A: Aggregate<Event = CounterEvent>>(counters: &LogManager<A>) -> LogId {
    let log_id = LogId::new();
    let state = counters
        .create(&log_id, &added(1), &CreateOptions::default())
        .await
        .unwrap();
    let batch: Vec<_> = (2..=5).map(added).collect();
    counters
        .append_all(state, &batch, &AppendOptions::default())
        .await
        .unwrap();
    log_id
}

/// Reduces until the cache has the result, for as long as a server may need to return.
async fn until_cached(counters: &LogManager<Counter>, log_id: &LogId) {
    let come_back = async {
        while counters.reduce(log_id).await.unwrap().applied_events() > 0 {
            counters.flush_cache().await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), come_back)
        .await
        .expect("the cache comes back");
}

#[tokio::test]
async fn processes_share_what_one_has_reduced() {
    let Some(url) = servers::redis_url() else {
        return;
    };
    let (options, store) = (options(), SqliteEventStore::in_memory().await.unwrap());
    let here = counters(store.clone(), connect(&url, options.clone()).await);
    let there = counters(store, connect(&url, options).await);
    let log_id = five_events(&here).await;
    let first = here.reduce(&log_id).await.unwrap();
    here.flush_cache().await;
    let second = there.reduce(&log_id).await.unwrap();
    assert_eq!((first.applied_events(), second.applied_events()), (5, 0));
    assert_eq!(first.aggregate(), second.aggregate());

    // Only the events that the other manager has recorded meanwhile are read.
    let state = second.position();
    there
        .append(state, &added(100), &AppendOptions::default())
        .await
        .unwrap();
    let third = here.reduce(&log_id).await.unwrap();
    assert_eq!((third.aggregate().total, third.applied_events()), (115, 1));
}

#[tokio::test]
async fn the_near_cache_takes_what_the_far_one_has() {
    let Some(far) = cache().await else { return };
    let store = FakeEventStore::new();
    let other_process = counters(store.clone(), far.clone());
    let log_id = five_events(&other_process).await;
    other_process.reduce(&log_id).await.unwrap();
    other_process.flush_cache().await;

    let near = std::sync::Arc::new(MemoryAggregationCache::<Counter>::default());
    let tiered = TieredAggregationCache::new(near.clone(), far);
    let counters = counters(store, tiered);
    assert_eq!(counters.reduce(&log_id).await.unwrap().applied_events(), 0);
    let copy = near
        .get(log_id)
        .await
        .unwrap()
        .expect("the entry was put into both caches");
    assert_eq!(copy.aggregate().total, 15);
}

#[tokio::test]
async fn every_call_is_one_round_trip() {
    let Some(server) = PrivateRedis::start(&[]).await else {
        return;
    };
    let cache = connect(&server.url(), options()).await;
    let counters = counters(FakeEventStore::new(), cache.clone());
    // The first use of the scripts sends their code.
    let log_id = five_events(&counters).await;
    until_cached(&counters, &log_id).await;
    let entry = cache.get(log_id).await.unwrap().expect("it was just put");
    cache.remove(entry.position()).await.unwrap();

    let mut raw = raw(&server.url()).await;
    let mut calls = async |what: &str| {
        let statistics: String = cmd("INFO")
            .arg("commandstats")
            .query_async(&mut raw)
            .await
            .unwrap();
        // The server also counts commands within a script, but the client does not send those.
        let calls: Vec<String> = statistics
            .lines()
            .filter_map(|line| line.strip_prefix("cmdstat_")?.split_once(":calls="))
            .filter(|(name, _)| {
                !["info", "config|resetstat", "getrange", "set", "unlink"].contains(name)
            })
            .map(|(name, rest)| format!("{name} {}", rest.split(',').next().unwrap_or_default()))
            .collect();
        let _: () = cmd("CONFIG")
            .arg("RESETSTAT")
            .query_async(&mut raw)
            .await
            .unwrap();
        (what.to_owned(), calls.join(", "))
    };
    let expected = |what: &str, calls: &str| (what.to_owned(), calls.to_owned());

    calls("so far").await;
    cache.put(entry.clone(), None).await.unwrap();
    assert_eq!(calls("put").await, expected("put", "evalsha 1"));
    cache.get(log_id).await.unwrap().expect("it was just put");
    assert_eq!(calls("get").await, expected("get", "get 1"));
    counters.reduce(&log_id).await.unwrap();
    counters.flush_cache().await;
    assert_eq!(calls("warm reduce").await, expected("warm reduce", "get 1"));
    cache.remove(entry.position()).await.unwrap();
    assert_eq!(calls("remove").await, expected("remove", "evalsha 1"));
    // The server counts this command as it counts the one of a script.
    cache.forget(log_id).await.unwrap();
    assert_eq!(calls("forget").await, expected("forget", ""));
}

#[tokio::test]
async fn entries_live_about_as_long_as_they_shall() {
    let Some(url) = servers::redis_url() else {
        return;
    };
    let options = options();
    let cache = connect(&url, options.clone()).await;
    let counters = counters(
        FakeEventStore::new(),
        FakeAggregationCache::<Counter>::new(),
    );
    let mut raw = raw(&url).await;
    let mut lives = async |ttl| {
        let aggregation = counters
            .reduce(&five_events(&counters).await)
            .await
            .unwrap();
        let key = key::<Counter>(&options, aggregation.log_id());
        cache.put(aggregation, ttl).await.unwrap();
        cmd("PTTL")
            .arg(key)
            .query_async::<i64>(&mut raw)
            .await
            .unwrap()
    };
    let mut different = std::collections::HashSet::new();
    for _ in 0..20 {
        let default = lives(None).await;
        assert!((100_000..=132_000).contains(&default), "{default} ms");
        different.insert(default / 1000);
        let asked_for = lives(Some(Duration::from_mins(1))).await;
        assert!((50_000..=60_000).contains(&asked_for), "{asked_for} ms");
    }
    assert!(different.len() > 1, "all expire at once: {different:?}");
}

#[tokio::test]
async fn what_is_too_large_is_not_cached() {
    let Some(url) = servers::redis_url() else {
        return;
    };
    let options = RedisCacheOptions {
        max_entry_bytes: 500,
        ..options()
    };
    let cache = connect(&url, options).await;
    let counters = counters(FakeEventStore::new(), cache.clone());
    let log_id = five_events(&counters).await;
    until_cached(&counters, &log_id).await;
    let small = counters.reduce(&log_id).await.unwrap().position();
    let long = CounterEvent::Noted {
        text: "x".repeat(500),
    };
    counters
        .append(small, &long, &AppendOptions::default())
        .await
        .unwrap();
    for _ in 0..2 {
        // The small entry stays usable.
        assert_eq!(counters.reduce(&log_id).await.unwrap().applied_events(), 1);
        counters.flush_cache().await;
    }
}
