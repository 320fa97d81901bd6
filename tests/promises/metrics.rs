//! Metrics are recorded under their documented names.

mod documented;
mod gauges;
mod operations;
mod recorder;
mod reductions;

pub(crate) use operations::run_all;

use crate::payments::{PaymentEvent, captured, payments, refund};
use crate::postgres::TestStore;
use crate::servers;
use crate::sqlite_file::TemporaryStore;
use eventlogs::ids::LogId;
use eventlogs::projection::{Elsewhere, ProjectionStore};
use eventlogs::redis::{self, cmd};
use eventlogs::stores::fake::FakeEventStore;
use eventlogs::subscriptions::{SubscriptionOptions, Subscriptions};
use eventlogs::testing::conformance::{Counter, CounterEvent};
use eventlogs::{
    Aggregate, AppendOptions, CreateOptions, Cursor, DecideOptions, EventFeed, EventStore,
    LogManager, LogManagerError, LogManagerOptions, LogState, Projection, RedisAggregationCache,
    RedisCacheOptions, event_handler,
};
use futures_util::future::join_all;
use recorder::Measured;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Runs on one thread, so that the store's writer uses the same recorder.
async fn a_store_measures(store: impl EventStore<PaymentEvent>, measured: &Measured) {
    let name = store.store_name();
    let payments = payments(store);
    let ids: Vec<_> = (0..50).map(|_| LogId::new()).collect();
    let options = CreateOptions::default();
    let creates = ids
        .iter()
        .map(|id| payments.create(id, &PaymentEvent::Voided, &options));
    for created in join_all(creates).await {
        created.unwrap();
    }
    let batches = measured.of("eventlogs_batch_writes");
    assert_eq!(measured.sum("eventlogs_batch_writes"), "50");
    assert!(batches.len() < 50, "the writes shared batches: {batches:?}");
    assert_eq!(measured.sum("eventlogs_batch_events"), "50");
    assert_eq!(measured.of("eventlogs_queue_seconds").len(), 50);
    let commits = measured.of("eventlogs_commit_seconds");
    assert_eq!(commits.len(), batches.len());
    assert!(commits.iter().all(|seconds| *seconds > 0.0), "{commits:?}");

    let several = vec![PaymentEvent::Voided; 7];
    let state = LogState::at(ids[0], 0);
    let keyed = AppendOptions {
        idempotency_key: Some(format!("key of {}", ids[0])),
        ..Default::default()
    };
    payments.append_all(state, &several, &keyed).await.unwrap();
    assert_eq!(measured.sum("eventlogs_batch_events"), "57");
    let parts = [
        (LogState::at(ids[1], 0), several.clone()),
        (LogState::at(ids[2], 0), several.clone()),
    ];
    let none = AppendOptions::default();
    payments.append_across(parts, &none).await.unwrap();
    assert_eq!(measured.sum("eventlogs_batch_events"), "71");
    assert_eq!(measured.sum("eventlogs_batch_writes"), "52");

    for replays in 1..3 {
        let replay = payments.append_all(state, &several, &keyed).await;
        assert!(
            matches!(replay, Err(LogManagerError::IdempotentReplay { .. })),
            "{replay:?}"
        );
        assert_eq!(measured.of("eventlogs_replays_total").len(), replays);
    }
    let refused = payments.append(state, &PaymentEvent::Voided, &none).await;
    assert!(refused.is_err(), "{refused:?}");
    let refused = payments
        .create(&ids[0], &PaymentEvent::Voided, &options)
        .await;
    assert!(refused.is_err(), "{refused:?}");
    assert_eq!(measured.sum("eventlogs_conflicts_total"), "2");

    let log_id = captured(&payments).await;
    let options = DecideOptions {
        idempotency_key: Some(format!("key of {log_id}")),
        ..Default::default()
    };
    for _ in 0..2 {
        payments
            .decide(&log_id, &options, |_| Ok::<_, ()>([refund(1)]))
            .await
            .unwrap();
    }
    assert_eq!(measured.of("eventlogs_decide_attempts"), [1.0]);
    assert_eq!(measured.sum("eventlogs_replays_total"), "3");
    // The connections of earlier tests on this thread are closed in the background.
    let recorded = measured.all();
    for recorded in recorded.iter().filter(|one| one.kind != "gauge") {
        assert_eq!(recorded.labels.get("store").map(String::as_str), Some(name));
    }
}

#[tokio::test]
async fn sqlite_measures() {
    let measured = Measured::default();
    let _guard = metrics::set_default_local_recorder(&measured);
    a_store_measures(TemporaryStore::open().await, &measured).await;
}

#[tokio::test]
async fn postgres_measures() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    let measured = Measured::default();
    let _guard = metrics::set_default_local_recorder(&measured);
    a_store_measures(store.store.clone(), &measured).await;
}

#[tokio::test]
async fn what_is_tried_again_is_counted() {
    retried().await;
}

async fn retried() -> Option<Measured> {
    let store = TestStore::new().await?;
    let measured = Measured::default();
    let _guard = metrics::set_default_local_recorder(&measured);
    let (proxy, behind) = store.through_proxy(Duration::from_secs(20)).await;
    let payments = payments(behind);
    let log_id = captured(&payments).await;
    assert_eq!(measured.of("eventlogs_retries_total").len(), 0);
    proxy.lose_next_answer();
    let none = AppendOptions::default();
    payments
        .append(LogState::at(log_id, 1), &refund(1), &none)
        .await
        .unwrap();
    assert!(!measured.of("eventlogs_retries_total").is_empty());
    Some(measured.clone())
}

/// Counts nothing, under a name.
#[derive(Debug, Projection)]
#[projection(name = "measured", events(PaymentEvent), database = elsewhere)]
struct Followed;

#[event_handler(PaymentEvent, ignore(_))]
impl Followed {
    #[on(Captured)]
    async fn capture(&self) {}
}

/// Cannot handle its first event before it is corrected.
#[derive(Debug, Clone, Default, Projection)]
#[projection(name = "parking", events(PaymentEvent), database = elsewhere)]
struct Parking {
    is_corrected: Arc<AtomicBool>,
}

#[event_handler(PaymentEvent, ignore(_))]
impl Parking {
    #[on(Captured)]
    async fn capture(&self) -> Result<(), &'static str> {
        let is_corrected = self.is_corrected.load(Ordering::SeqCst);
        is_corrected.then_some(()).ok_or("on purpose")
    }
}

/// The gauge rises with each parked log, and falls when it goes on.
#[tokio::test]
async fn parked_logs_are_measured() {
    parked().await;
}

async fn parked() -> Measured {
    let measured = Measured::default();
    let _guard = metrics::set_default_local_recorder(&measured);
    let file = TemporaryStore::open().await;
    let payments = payments(file.store.clone());
    let logs = [captured(&payments).await, captured(&payments).await];
    let parking = Parking::default();
    let subscriptions = Subscriptions::new(&file.store).lease(Duration::from_millis(150));
    let subscriptions = subscriptions.projection(parking.clone());
    let running = subscriptions.start().await.unwrap();
    let gauge_is = async |expected: f64| {
        let begun = std::time::Instant::now();
        let is_so = |parked: &f64| (parked - expected).abs() < 0.1;
        while !measured
            .of("eventlogs_parked_logs")
            .last()
            .is_some_and(is_so)
        {
            assert!(begun.elapsed() < Duration::from_secs(20), "{expected}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    gauge_is(2.0).await;
    parking.is_corrected.store(true, Ordering::SeqCst);
    running.retry("parking", logs[0]).await.unwrap();
    gauge_is(1.0).await;
    running.skip("parking", logs[1], "ann").await.unwrap();
    gauge_is(0.0).await;
    running.shutdown().await;
    let labels = [("subscription", "parking"), ("cause", "failed")];
    let failures = measured.with("eventlogs_handler_failures_total", &labels);
    // Three times each; the wishes of the test succeed.
    assert_eq!(failures.len(), 6);
    measured.clone()
}

/// The gauge says that a subscription has stopped, until it runs again.
#[tokio::test]
async fn a_subscription_that_stops_is_measured() {
    stopped().await;
}

async fn stopped() -> Measured {
    let measured = Measured::default();
    let _guard = metrics::set_default_local_recorder(&measured);
    let file = TemporaryStore::open().await;
    let payments = payments(file.store.clone());
    captured(&payments).await;
    let parking = Parking::default();
    let start = async || {
        let options = SubscriptionOptions {
            parked_limit: 0,
            ..Default::default()
        };
        let subscriptions = Subscriptions::new(&file.store).lease(Duration::from_millis(150));
        let subscriptions = subscriptions.projection_with(parking.clone(), options);
        subscriptions.start().await.unwrap()
    };
    let gauge_is = async |expected: f64| {
        let begun = std::time::Instant::now();
        let labels = [("subscription", "parking")];
        let last = || {
            measured
                .with("eventlogs_stopped_partitions", &labels)
                .last()
                .copied()
        };
        while last().is_none_or(|last| (last - expected).abs() > 0.1) {
            assert!(begun.elapsed() < Duration::from_secs(20), "{expected}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let running = start().await;
    gauge_is(1.0).await;
    running.shutdown().await;
    parking.is_corrected.store(true, Ordering::SeqCst);
    let running = start().await;
    gauge_is(0.0).await;
    running.shutdown().await;
    measured.clone()
}

/// Runs on one thread, so that the tasks of the subscription use the same recorder.
async fn a_subscription_measures<S>(store: S, measured: &Measured, lose_lease: impl AsyncFn())
where
    S: EventStore<PaymentEvent> + ProjectionStore<Elsewhere>,
{
    let payments = payments(store.clone());
    let subscriptions = Subscriptions::new(&store).lease(Duration::from_millis(150));
    let running = subscriptions.projection(Followed).start().await.unwrap();
    let wait = async |log_id| {
        let state = LogState::<PaymentEvent>::at(log_id, 1);
        let settled = running.wait_for("measured", state, Duration::from_secs(20));
        settled.await.unwrap();
    };
    wait(captured(&payments).await).await;
    assert_eq!(measured.sum("eventlogs_feed_events_total"), "2");
    let pages = measured.of("eventlogs_page_seconds");
    assert!(
        !pages.is_empty() && pages.iter().all(|seconds| *seconds > 0.0),
        "{pages:?}"
    );
    let lag_is = async |expected: std::ops::RangeInclusive<f64>| {
        let begun = std::time::Instant::now();
        while !measured
            .of("eventlogs_subscription_lag_seconds")
            .last()
            .is_some_and(|lag| expected.contains(lag))
        {
            assert!(begun.elapsed() < Duration::from_secs(20), "{expected:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    lag_is(0.0..=0.0).await;
    let idle = measured.of("eventlogs_subscription_idle_seconds");
    assert!(
        idle.last().is_some_and(|idle| (0.0..5.0).contains(idle)),
        "{idle:?}"
    );

    running.pause("measured").await.unwrap();
    let log_id = captured(&payments).await;
    lag_is(0.05..=20.0).await;
    running.resume("measured").await.unwrap();
    wait(log_id).await;

    assert!(measured.of("eventlogs_leases_lost_total").is_empty());
    lose_lease().await;
    wait(captured(&payments).await).await;
    assert_eq!(measured.of("eventlogs_leases_lost_total"), [1.0]);
    running.shutdown().await;
}

#[tokio::test]
async fn a_subscription_on_sqlite_measures() {
    let measured = Measured::default();
    let _guard = metrics::set_default_local_recorder(&measured);
    let file = TemporaryStore::open().await;
    let lose_lease = loses_leases_in_file(&file);
    a_subscription_measures(file.store.clone(), &measured, lose_lease).await;
}

fn loses_leases_in_file(file: &TemporaryStore) -> impl AsyncFn() {
    let path = file.path();
    async move || {
        crate::sqlite_file::execute(&path, "update checkpoints set token = token + 1").await;
    }
}

#[tokio::test]
async fn a_subscription_on_postgres_measures() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    let measured = Measured::default();
    let _guard = metrics::set_default_local_recorder(&measured);
    let lose_lease = async || {
        store
            .execute("update checkpoints set token = token + 1")
            .await;
    };
    a_subscription_measures(store.store.clone(), &measured, lose_lease).await;
}

#[tokio::test]
async fn what_the_feed_delivers_and_repairs_is_counted() {
    fed().await;
}

async fn fed() -> Option<Measured> {
    let store = TestStore::new().await?;
    let measured = Measured::default();
    let _guard = metrics::set_default_local_recorder(&measured);
    let payments = payments(store.store.clone());
    let log_id = captured(&payments).await;
    let mut feed = store.store.feed(Cursor::START);
    let mut delivered = 0;
    for index in 2..6 {
        while delivered < index {
            feed.wait().await.unwrap();
            if let Some(page) = feed.next_page().await.unwrap() {
                delivered += page.events.len();
            }
        }
        assert_eq!(
            measured.sum("eventlogs_feed_events_total"),
            index.to_string()
        );
        assert_eq!(measured.of("eventlogs_feed_repairs_total").len(), 0);
        let state = LogState::at(log_id, u64::try_from(index).unwrap() - 1);
        let none = AppendOptions::default();
        payments.append(state, &refund(1), &none).await.unwrap();
    }
    // An event is moved behind the reader.
    store
        .execute("update events set tx = '4' where event_index = 5")
        .await;
    let none = AppendOptions::default();
    let state = LogState::at(log_id, 5);
    payments.append(state, &refund(1), &none).await.unwrap();
    while delivered < 7 {
        feed.wait().await.unwrap();
        if let Some(page) = feed.next_page().await.unwrap() {
            delivered += page.events.len();
        }
    }
    assert_eq!(measured.sum("eventlogs_feed_events_total"), "7");
    assert_eq!(measured.sum("eventlogs_feed_repairs_total"), "1");

    let mut holder = store.connection().await;
    let begin = "begin; select pg_current_xact_id()";
    sqlx::raw_sql(begin).execute(&mut holder).await.unwrap();
    let state = LogState::at(log_id, 6);
    payments.append(state, &refund(1), &none).await.unwrap();
    for _ in 0..2 {
        store.store.head().await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let held = measured.of("eventlogs_feed_held_seconds");
    assert!(
        held.last().is_some_and(|seconds| *seconds > 0.01),
        "{held:?}"
    );
    Some(measured.clone())
}

/// An entry that another program has written over.
#[tokio::test]
async fn entries_of_redis_that_cannot_be_read_are_counted() {
    unreadable().await;
}

async fn unreadable() -> Option<Measured> {
    let url = servers::redis_url()?;
    let measured = Measured::default();
    let _guard = metrics::set_default_local_recorder(&measured);
    let options = RedisCacheOptions {
        namespace: format!("eventlogs-test-{}", LogId::new()),
        ..Default::default()
    };
    let pattern = format!("{}*", options.namespace);
    let cache = RedisAggregationCache::connect_with(&url, options).await;
    let manager = LogManagerOptions::default();
    let counters = LogManager::<Counter>::new(FakeEventStore::new(), cache.unwrap(), manager);
    let log_id = LogId::new();
    let added = CounterEvent::Added { amount: 1 };
    let created = counters.create(log_id, &added, CreateOptions::NONE).await;
    // Too few events are not worth an entry.
    let more = vec![added; 20];
    let none = AppendOptions::NONE;
    let appended = counters.append_all(created.unwrap(), &more, none).await;
    appended.unwrap();
    let client = redis::Client::open(url).unwrap();
    let mut raw = client.get_multiplexed_async_connection().await.unwrap();
    let mut keys: Vec<String> = Vec::new();
    for _ in 0..1_000 {
        counters.reduce(log_id).await.unwrap();
        counters.flush_cache().await;
        keys = cmd("KEYS")
            .arg(&pattern)
            .query_async(&mut raw)
            .await
            .unwrap();
        if !keys.is_empty() {
            break;
        }
    }
    assert!(!keys.is_empty());
    for key in keys {
        let set = cmd("SET")
            .arg(key)
            .arg("other")
            .arg("EX")
            .arg(60)
            .to_owned();
        let () = set.query_async(&mut raw).await.unwrap();
    }
    let labels = [("aggregate", Counter::name())];
    let is_counted = || {
        let counted = measured.with("eventlogs_cache_unreadable_total", &labels);
        !counted.is_empty()
    };
    // On a busy machine, the time limit of a lookup may pass first.
    for _ in 0..1_000 {
        if is_counted() {
            break;
        }
        counters.reduce(log_id).await.unwrap();
    }
    assert!(is_counted());
    counters.flush_cache().await;
    Some(measured.clone())
}
