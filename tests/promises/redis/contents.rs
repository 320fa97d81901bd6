//! A fold that starts from Redis equals the fold from the start, whatever Redis holds.

use super::{added, connect, counters, five_events, key, options, raw};
use crate::servers;
use eventlogs::ids::{EventId, LogId};
use eventlogs::redis::{aio::MultiplexedConnection, cmd};
use eventlogs::stores::fake::FakeEventStore;
use eventlogs::testing::conformance::{Counter, CounterEvent};
use eventlogs::{
    Aggregate, Aggregation, AggregationCache, AppendOptions, CodeFingerprint, EventRecord,
    EventStore, LogManager, RedisAggregationCache, ReducedThrough, SqliteEventStore, WholeSnapshot,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// An aggregate that serialises like a [`Counter`] and has its fingerprint, but has another meaning.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
struct Other(i64, u64, Vec<String>);

impl Aggregate for Other {
    type Event = CounterEvent;

    fn apply(&mut self, _: &impl EventRecord<CounterEvent>) {
        self.0 -= 1_000;
    }
}

impl WholeSnapshot for Other {}

impl CodeFingerprint for Other {
    fn code_fingerprint() -> u64 {
        Counter::code_fingerprint()
    }
}

/// The [`Counter`] of another version of the program.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
struct Newer(i64, u64, Vec<String>);

impl Aggregate for Newer {
    type Event = CounterEvent;

    fn name() -> &'static str {
        Counter::name()
    }

    fn apply(&mut self, _: &impl EventRecord<CounterEvent>) {
        self.0 -= 1_000_000;
    }
}

impl WholeSnapshot for Newer {}

impl CodeFingerprint for Newer {
    fn code_fingerprint() -> u64 {
        Counter::code_fingerprint() + 1
    }
}

/// The manager, the cache and a raw connection of a test.
struct Setting {
    counters: LogManager<Counter>,
    cache: RedisAggregationCache<Counter>,
    raw: MultiplexedConnection,
    namespace: eventlogs::RedisCacheOptions,
}

impl Setting {
    async fn new(store: impl EventStore<CounterEvent>) -> Option<Self> {
        let url = servers::redis_url()?;
        let namespace = options();
        let cache = connect(&url, namespace.clone()).await;
        Some(Self {
            counters: counters(store, cache.clone()),
            cache,
            raw: raw(&url).await,
            namespace,
        })
    }

    async fn bytes(&mut self, key: &str) -> Vec<u8> {
        cmd("GET")
            .arg(key)
            .query_async(&mut self.raw)
            .await
            .unwrap()
    }

    async fn set(&mut self, log_id: LogId, bytes: &[u8]) {
        let key = key::<Counter>(&self.namespace, log_id);
        let () = cmd("SET")
            .arg(key)
            .arg(bytes)
            .arg("EX")
            .arg(60)
            .query_async(&mut self.raw)
            .await
            .unwrap();
    }

    /// Returns the stored bytes of a log's entry.
    async fn entry(&mut self, log_id: LogId) -> Vec<u8> {
        super::until_cached(&self.counters, &log_id).await;
        self.bytes(&key::<Counter>(&self.namespace, log_id)).await
    }

    /// Returns the bytes that another aggregate has for a log of these events.
    async fn entry_of_another<B>(&mut self, log_id: LogId) -> Vec<u8>
    where
        B: Aggregate<Event = CounterEvent>
            + CodeFingerprint
            + WholeSnapshot
            + Serialize
            + DeserializeOwned,
    {
        let reach = *self.counters.reduce(&log_id).await.unwrap().reach();
        let forged = Aggregation::from_parts(Arc::new(B::default()), reach, reach.updated_at);
        let cache = self.cache.for_aggregate::<B>();
        cache.put(forged, None).await.unwrap();
        self.bytes(&key::<B>(&self.namespace, log_id)).await
    }

    /// Checks that the result is correct twice, whatever Redis holds, and that the entry is usable again in the end.
    async fn check(&self, log_id: LogId, what: &str) {
        for _ in 0..2 {
            let counter = self.counters.reduce(&log_id).await.unwrap();
            let found = (counter.aggregate().total, counter.aggregate().events);
            assert_eq!((found, counter.through_index()), ((15, 5), 4), "{what}");
            self.counters.flush_cache().await;
        }
        let healed = self.counters.reduce(&log_id).await.unwrap();
        assert_eq!(healed.applied_events(), 0, "{what}");
    }
}

async fn no_content_changes_the_fold(store: impl EventStore<CounterEvent>) {
    let Some(mut setting) = Setting::new(store).await else {
        return;
    };
    let log_id = five_events(&setting.counters).await;
    setting.check(log_id, "nothing").await;
    let entry = setting.entry(log_id).await;

    for place in 0..entry.len() {
        let mut flipped = entry.clone();
        flipped[place] ^= 1 << (place % 8);
        setting.set(log_id, &flipped).await;
        setting
            .check(log_id, &format!("byte {place} flipped"))
            .await;
    }
    for length in (0..entry.len()).step_by(7) {
        setting.set(log_id, &entry[..length]).await;
        setting.check(log_id, &format!("{length} bytes")).await;
    }
    let other_log = five_events(&setting.counters).await;
    let strange = [
        ("too long", [entry.clone(), vec![0]].concat()),
        ("text", b"hello".to_vec()),
        ("another log's", setting.entry(other_log).await),
        (
            "another aggregate's",
            setting.entry_of_another::<Other>(log_id).await,
        ),
        (
            "another version's",
            setting.entry_of_another::<Newer>(log_id).await,
        ),
    ];
    for (what, bytes) in strange {
        assert_ne!(bytes, entry, "{what}");
        setting.set(log_id, &bytes).await;
        setting.check(log_id, what).await;
    }
}

#[tokio::test]
async fn no_bytes_in_redis_change_a_fold_of_the_fake_store() {
    no_content_changes_the_fold(FakeEventStore::new()).await;
}

#[tokio::test]
async fn no_bytes_in_redis_change_a_fold_of_sqlite() {
    no_content_changes_the_fold(SqliteEventStore::in_memory().await.unwrap()).await;
}

#[tokio::test]
async fn an_older_entry_is_a_start() {
    let Some(mut setting) = Setting::new(FakeEventStore::new()).await else {
        return;
    };
    let log_id = five_events(&setting.counters).await;
    let older = setting.entry(log_id).await;
    let state = setting.counters.reduce(&log_id).await.unwrap().position();
    setting
        .counters
        .append(state, &added(100), &AppendOptions::default())
        .await
        .unwrap();
    super::until_cached(&setting.counters, &log_id).await;
    setting.set(log_id, &older).await;
    let counter = setting.counters.reduce(&log_id).await.unwrap();
    assert_eq!(
        (counter.aggregate().total, counter.applied_events()),
        (115, 1)
    );
}

#[tokio::test]
async fn entries_of_another_history_are_dropped() {
    let Some(setting) = Setting::new(SqliteEventStore::in_memory().await.unwrap()).await else {
        return;
    };
    let log_id = five_events(&setting.counters).await;
    // Before, at, just after and far after the end. As a Lua number, the last index cannot be distinguished from its
    // neighbours.
    for index in [0, 2, 4, 5, 9, u64::from(u32::MAX) + 1, (1 << 62) + 1] {
        let now = chrono::Utc::now();
        let reach = ReducedThrough {
            log_id,
            index,
            event_id: EventId::new(),
            created_at: now,
            updated_at: now,
        };
        let forged = Counter {
            total: 1_000_000,
            ..Counter::default()
        };
        if let Some(kept) = setting.cache.get(log_id).await.unwrap() {
            setting.cache.remove(kept.position()).await.unwrap();
        }
        let forged = Aggregation::from_parts(Arc::new(forged), reach, now);
        setting.cache.put(forged, None).await.unwrap();
        let kept = setting.cache.get(log_id).await.unwrap();
        assert_eq!(kept.map(|kept| kept.through_index()), Some(index));
        setting
            .check(log_id, &format!("another history up to {index}"))
            .await;
    }
}

#[tokio::test]
async fn values_of_other_types_are_replaced() {
    let Some(mut setting) = Setting::new(FakeEventStore::new()).await else {
        return;
    };
    let log_id = five_events(&setting.counters).await;
    let key = key::<Counter>(&setting.namespace, log_id);
    for command in ["RPUSH", "SADD", "PFADD"] {
        let () = cmd("DEL")
            .arg(&key)
            .query_async(&mut setting.raw)
            .await
            .unwrap();
        let () = cmd(command)
            .arg(&key)
            .arg("x")
            .query_async(&mut setting.raw)
            .await
            .unwrap();
        setting.check(log_id, command).await;
    }
    // A write finds a list that no read has removed.
    let entry = setting
        .cache
        .get(log_id)
        .await
        .unwrap()
        .expect("the entry exists");
    let () = cmd("DEL")
        .arg(&key)
        .query_async(&mut setting.raw)
        .await
        .unwrap();
    let () = cmd("RPUSH")
        .arg(&key)
        .arg("x")
        .query_async(&mut setting.raw)
        .await
        .unwrap();
    setting.cache.remove(entry.position()).await.unwrap();
    setting.cache.put(entry, None).await.unwrap();
    setting.check(log_id, "a write over a list").await;
}
