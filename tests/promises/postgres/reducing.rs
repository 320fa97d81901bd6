//! Reductions of long logs over connections that break, with events that take long to decode or are large, and under more load
//! than allowed.

use super::TestStore;
use crate::counting::{Counting, Remote};
use crate::needs::domain::{Looks, TankEvent, manager, with_every_cache};
use crate::payments::{Payment, PaymentEvent, captured, payments, refund};
use eventlogs::caches::CacheError;
use eventlogs::ids::LogId;
use eventlogs::stores::{Limits, StoreError};
use eventlogs::{
    Aggregate, Aggregation, AggregationCache, AppendOptions, CreateOptions, Event, EventRecord,
    LogManager, LogManagerError, LogManagerOptions, LogPosition, LogState, MemoryAggregationCache,
    Metadata, PostgresEventStore, PostgresOptions, event_handler,
};
use futures_util::future::join_all;
use serde::{Deserialize, Deserializer, Serialize};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// The number of calls of `apply` for `Applied`, which one test uses.
static CALLS: AtomicU64 = AtomicU64::new(0);

/// Counts the calls of its `apply`, not only those that became part of the state.
#[derive(Debug, Default, Clone)]
struct Applied {
    captured: u64,
    events: u64,
}

impl Aggregate for Applied {
    type Event = PaymentEvent;

    fn apply(&mut self, record: &impl EventRecord<PaymentEvent>) {
        CALLS.fetch_add(1, Ordering::SeqCst);
        self.events += 1;
        if let PaymentEvent::Captured { amount } = record.event() {
            self.captured += amount;
        }
    }
}

#[tokio::test]
async fn a_long_log_is_folded_on_where_its_connection_was_cut() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    let writer = payments(store.store.clone());
    let log_id = LogId::new();
    let noted = AppendOptions {
        metadata: Metadata::new().with("note", "x".repeat(400)),
        ..Default::default()
    };
    let requested = PaymentEvent::Requested { amount: 1 };
    let created = writer.create(&log_id, &requested, CreateOptions::NONE);
    let mut state = created.await.unwrap();
    for part in 0..5 {
        let first = part * 1_000 + 1;
        let events = (first..first + 1_000).map(|amount| PaymentEvent::Captured { amount });
        let events: Vec<_> = events.take(if part == 4 { 999 } else { 1_000 }).collect();
        state = writer.append_all(state, &events, &noted).await.unwrap();
    }
    assert_eq!(state.index(), 4_999);
    let (proxy, behind) = store.through_proxy(Duration::from_secs(20)).await;
    let logs = |store: &PostgresEventStore| {
        let cache = MemoryAggregationCache::default();
        LogManager::<Applied>::new(store.clone(), cache, LogManagerOptions::default())
    };
    let reduced = async |logs: LogManager<Applied>| {
        CALLS.store(0, Ordering::SeqCst);
        let state = logs.reduce(log_id).await.expect("the fold goes on");
        assert_eq!(state.through_index(), 4_999);
        assert_eq!(state.aggregate().captured, (1..5_000).sum::<u64>());
        assert_eq!(state.aggregate().events, 5_000);
        CALLS.load(Ordering::SeqCst)
    };
    let before = proxy.answered_bytes();
    assert_eq!(reduced(logs(&behind)).await, 5_000);
    let bytes = proxy.answered_bytes() - before;
    for eighths in 1..8 {
        let (lost, connections) = (proxy.lost_answers(), proxy.connections());
        proxy.cut_after(bytes * eighths / 8);
        let before = proxy.answered_bytes();
        assert_eq!(
            reduced(logs(&behind)).await,
            5_000,
            "no event is given twice"
        );
        assert_eq!(proxy.lost_answers(), lost + 1);
        assert!(proxy.connections() > connections);
        let again = proxy.answered_bytes() - before;
        assert!(
            again < bytes + bytes / 2,
            "{again} bytes: it began again at the start of {bytes}"
        );
    }

    // The timeout is for the next event, not for all.
    let timeout = Duration::from_secs(1);
    let (proxy, behind) = store.through_proxy(timeout).await;
    proxy.slow(true);
    let begun = Instant::now();
    assert_eq!(reduced(logs(&behind)).await, 5_000);
    assert!(begun.elapsed() > 2 * timeout, "{:?}", begun.elapsed());
}

/// While `true`, slow readings take long to decode.
static IS_SLOW: AtomicBool = AtomicBool::new(false);
/// How long one of them takes.
const LONG: Duration = Duration::from_secs(4);

/// A value that takes long to decode.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Reading(u64);

impl<'de> Deserialize<'de> for Reading {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = u64::deserialize(deserializer)?;
        if value == 1_000_000 && IS_SLOW.load(Ordering::SeqCst) {
            std::thread::sleep(LONG);
        }
        Ok(Self(value))
    }
}

#[derive(Debug, Clone, PartialEq, Event)]
enum MeterEvent {
    #[event(name = "meter.read")]
    Read { reading: Reading },
}

#[derive(Debug, Default, Clone, PartialEq, Aggregate)]
#[aggregate(event = MeterEvent)]
struct Meter {
    sum: u64,
}

#[event_handler(MeterEvent)]
impl Meter {
    #[on(Read)]
    fn read(&mut self, reading: &Reading) {
        self.sum += reading.0;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_log_that_takes_long_to_decode_holds_up_no_other_log() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    let manager = || {
        let cache = MemoryAggregationCache::default();
        LogManager::<Meter>::new(store.store.clone(), cache, LogManagerOptions::default())
    };
    let (meters, elsewhere) = (manager(), manager());
    let read = |value| MeterEvent::Read {
        reading: Reading(value),
    };
    let mut logs = Vec::new();
    for number in 0..60 {
        let log_id = LogId::new();
        let created = meters
            .create(&log_id, &read(1), &CreateOptions::default())
            .await;
        meters.reduce(log_id).await.unwrap();
        let value = if number == 20 { 1_000_000 } else { number };
        elsewhere
            .append(created.unwrap(), &read(value), &AppendOptions::default())
            .await
            .unwrap();
        logs.push((log_id, value));
    }
    meters.flush_cache().await;
    IS_SLOW.store(true, Ordering::SeqCst);
    let begun = Instant::now();
    // Polled by one task at first, so that most of them wait for the same statement.
    let reduces = logs.iter().map(|(log_id, value)| {
        let (meters, log_id, value) = (meters.clone(), *log_id, *value);
        tokio::spawn(async move {
            let state = meters.reduce(log_id).await.unwrap();
            assert_eq!(state.aggregate().sum, value + 1);
            (value, begun.elapsed())
        })
    });
    for took in join_all(reduces.collect::<Vec<_>>()).await {
        let (value, took) = took.unwrap();
        if value == 1_000_000 {
            assert!(took >= LONG, "{took:?}");
        } else {
            assert!(took < LONG / 2, "{took:?} for {value}");
        }
    }
    IS_SLOW.store(false, Ordering::SeqCst);
}

#[tokio::test]
async fn reductions_beyond_the_limit_are_refused_and_later_ones_work() {
    let options = PostgresOptions {
        limits: Limits {
            max_waiting_reads: 10,
            ..Limits::default()
        },
        ..PostgresOptions::default()
    };
    let Some(store) = TestStore::with(options).await else {
        return;
    };
    let payments = payments(store.store.clone());
    let mut logs = Vec::new();
    for _ in 0..20 {
        let log_id = captured(&payments).await;
        payments.reduce(log_id).await.unwrap();
        logs.push(log_id);
    }
    payments.flush_cache().await;
    for _ in 0..3 {
        let calls = (0..1_000).map(|number| payments.reduce(logs[number % logs.len()]));
        let (mut reduced, mut refused) = (0, 0);
        for result in join_all(calls).await {
            match result {
                Ok(state) => {
                    assert_eq!(state.aggregate().captured, 100);
                    reduced += 1;
                }
                Err(LogManagerError::Store(StoreError::Overloaded)) => refused += 1,
                Err(error) => panic!("{error:?}"),
            }
        }
        assert!(reduced >= 10, "{reduced} of them waited");
        assert!(refused > 0, "1,000 of them waited");
        for log_id in &logs {
            payments.reduce(log_id).await.unwrap();
        }
    }
}

#[tokio::test]
async fn full_reductions_beyond_the_limit_are_refused_and_later_ones_work() {
    let options = PostgresOptions {
        limits: Limits {
            max_waiting_reads: 10,
            ..Limits::default()
        },
        max_connections: 2,
        ..PostgresOptions::default()
    };
    let Some(store) = TestStore::with(options).await else {
        return;
    };
    let writer = payments(store.store.clone());
    let mut logs = Vec::new();
    for _ in 0..200 {
        logs.push(captured(&writer).await);
    }
    // A manager that does not know yet how long the logs are, and so reads each in a statement of its own.
    let payments = payments(store.store.clone());
    let (mut reduced, mut refused) = (0, 0);
    for result in join_all(logs.iter().map(|log_id| payments.reduce(*log_id))).await {
        match result {
            Ok(state) => {
                assert_eq!(state.aggregate().captured, 100);
                reduced += 1;
            }
            Err(LogManagerError::Store(StoreError::Overloaded)) => refused += 1,
            Err(error) => panic!("{error:?}"),
        }
    }
    assert!(reduced >= 10, "{reduced} of them waited");
    assert!(refused > 0, "200 of them waited");
    for log_id in &logs {
        payments.reduce(log_id).await.unwrap();
    }
}

/// Looks its entries up when the test allows it.
struct Late {
    inner: Arc<Remote<Payment>>,
    gets: Arc<Semaphore>,
}

impl AggregationCache<Payment> for Late {
    async fn get(&self, log_id: LogId) -> Result<Option<Aggregation<Payment>>, CacheError> {
        self.gets.acquire().await?.forget();
        self.inner.get(log_id).await
    }

    fn is_remote(&self) -> bool {
        true
    }

    async fn put(
        &self,
        aggregation: Aggregation<Payment>,
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

/// The events that a reduction has read may have been changed before the log was forgotten.
#[tokio::test]
async fn what_was_read_before_a_log_was_forgotten_is_not_cached() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    let shared = Arc::new(Remote::default());
    let store = Counting::new(store.store);
    let payments = crate::payments::cached_payments(store.clone(), Arc::clone(&shared));
    let log_id = captured(&payments).await;
    store.hold();
    let reducing = tokio::spawn({
        let payments = payments.clone();
        async move { payments.reduce(log_id).await.unwrap() }
    });
    store.until_held(1).await;
    payments.forget_cached(log_id).await.unwrap();
    store.release();
    assert_eq!(reducing.await.unwrap().applied_events(), 2);
    payments.flush_cache().await;
    assert!(shared.get(log_id).await.unwrap().is_none());
    payments.reduce(log_id).await.unwrap();
    payments.flush_cache().await;
    assert!(shared.get(log_id).await.unwrap().is_some());
}

/// Another process appends, reduces and fills the cache between the two answers.
#[tokio::test]
async fn an_entry_that_is_newer_than_the_events_read_beside_it_is_used_and_kept() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    let (shared, gets) = (Arc::new(Remote::default()), Arc::new(Semaphore::new(0)));
    let elsewhere = crate::payments::cached_payments(store.store.clone(), Arc::clone(&shared));
    let store = Counting::new(store.store);
    let late = Late {
        inner: Arc::clone(&shared),
        gets: Arc::clone(&gets),
    };
    let options = LogManagerOptions {
        cache_timeout: Duration::from_secs(20),
        ..Default::default()
    };
    let payments = LogManager::<Payment>::new(store.clone(), late, options);
    let log_id = captured(&elsewhere).await;
    store.hold();
    let reducing = tokio::spawn({
        let payments = payments.clone();
        async move { payments.reduce(log_id).await.unwrap() }
    });
    store.until_held(1).await;
    let state = LogState::at(log_id, 1);
    elsewhere
        .append(state, &refund(1), AppendOptions::NONE)
        .await
        .unwrap();
    elsewhere.reduce(log_id).await.unwrap();
    elsewhere.flush_cache().await;
    gets.add_permits(1);
    store.release();
    let state = reducing.await.unwrap();
    assert_eq!((state.through_index(), state.aggregate().refunded), (2, 1));
    assert_eq!(
        (state.applied_events(), store.folds().0),
        (0, 0),
        "not from the start"
    );
    let kept = shared.get(log_id).await.unwrap();
    assert_eq!(kept.map(|kept| kept.through_index()), Some(2));
}

/// Events above 8 KiB do not come along with a tail.
#[tokio::test]
async fn large_events_among_small_ones_are_folded_once_each() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    let (large, small) = ("x".repeat(20_000), "y".to_owned());
    let named = |large_one: bool| TankEvent::Painted {
        colour: if large_one {
            large.clone()
        } else {
            small.clone()
        },
    };
    let writer = manager::<Looks>(store.store.clone(), MemoryAggregationCache::default());
    for looks in with_every_cache::<Looks>(&store.store) {
        let log_id = LogId::new();
        let mut state = writer
            .create(&log_id, &named(false), CreateOptions::NONE)
            .await
            .unwrap();
        let mut length = 1;
        for round in 0..4 {
            let reduced = looks.reduce(log_id).await.unwrap();
            assert_eq!(reduced.aggregate().colours.len(), length, "round {round}");
            assert_eq!(reduced.through_index(), state.index());
            looks.flush_cache().await;
            let events = [named(false), named(true), named(false), named(round == 2)];
            state = writer
                .append_all(state, &events, AppendOptions::NONE)
                .await
                .unwrap();
            length += 20_002 + if round == 2 { 20_000 } else { 1 };
        }
        let many = looks.reduce_many([log_id]).await.remove(0).unwrap();
        assert_eq!(many.aggregate().colours.len(), length);
        let cold = manager::<Looks>(store.store.clone(), Remote::default());
        let reduced = cold.reduce(log_id).await.unwrap();
        assert_eq!(reduced.aggregate().colours.len(), length);
    }
}
