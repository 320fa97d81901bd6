//! Reducing several logs with one call gives the same as reducing each of them.

use crate::counting::{Counting, Remote};
use crate::payments::{Payment, PaymentEvent, cached_payments, payments};
use crate::postgres::TestStore;
use crate::sqlite_file::TemporaryStore;
use eventlogs::ids::LogId;
use eventlogs::stores::fake::FakeEventStore;
use eventlogs::{
    AggregationCache, AppendOptions, CreateOptions, EventStore, LogManager, LogManagerError,
    MemoryAggregationCache, PointInTime, TieredAggregationCache,
};

/// Creates a log of three events, which the cache has if `is_cached`, and then appends `more` with another manager.
async fn log(
    payments: &LogManager<Payment>,
    elsewhere: &LogManager<Payment>,
    is_cached: bool,
    more: u64,
) -> LogId {
    let log_id = LogId::new();
    let requested = PaymentEvent::Requested { amount: 9 };
    let none = AppendOptions::default();
    let capture = |amounts: std::ops::Range<u64>| -> Vec<_> {
        let captured = amounts.map(|amount| PaymentEvent::Captured { amount });
        captured.collect()
    };
    let options = CreateOptions::default();
    let state = elsewhere
        .create(&log_id, &requested, &options)
        .await
        .unwrap();
    let state = elsewhere
        .append_all(state, &capture(1..3), &none)
        .await
        .unwrap();
    if is_cached {
        assert_eq!(
            payments.reduce(log_id).await.unwrap().aggregate().captured,
            3
        );
        payments.flush_cache().await;
    }
    if more > 0 {
        let more = capture(3..3 + more);
        elsewhere.append_all(state, &more, &none).await.unwrap();
    }
    log_id
}

async fn equals_single_reductions(
    store: impl EventStore<PaymentEvent> + Clone,
    cache: impl AggregationCache<Payment>,
) {
    let payments = cached_payments(store.clone(), cache);
    let elsewhere = cached_payments(store.clone(), MemoryAggregationCache::default());
    let mut logs = Vec::new();
    for more in [0, 1, 31, 32, 33, 200] {
        logs.push((log(&payments, &elsewhere, true, more).await, Some(more)));
        logs.push((LogId::new(), None));
        logs.push((
            log(&payments, &elsewhere, false, more).await,
            Some(3 + more),
        ));
    }
    // Twice each, in another order.
    let mut twice = logs.clone();
    twice.reverse();
    twice.extend(logs.clone());
    twice.push(logs[0]);
    let results = payments
        .reduce_many(twice.iter().map(|(log_id, _)| *log_id))
        .await;
    assert_eq!(results.len(), twice.len());
    for ((log_id, applied), result) in twice.iter().zip(results) {
        let Some(applied) = applied else {
            assert!(
                matches!(result, Err(LogManagerError::LogNotFound { log_id: of, .. }) if of == *log_id),
                "{result:?}"
            );
            continue;
        };
        let found = result.unwrap();
        assert_eq!(found.log_id(), *log_id);
        let end = PointInTime::Index(u64::MAX);
        let whole = elsewhere.reduce_at(log_id, end).await.unwrap();
        assert_eq!(found.aggregate(), whole.aggregate(), "{applied} events");
        assert_eq!(found.position(), whole.position());
        assert_eq!(found.created_at(), whole.created_at());
        assert_eq!(found.updated_at(), whole.updated_at());
        // A log that comes twice may be read once, or after the other.
        let max = *applied;
        assert!(found.applied_events() <= max, "{found:?}");
        let single = payments.reduce(log_id).await.unwrap();
        assert_eq!(single.aggregate(), found.aggregate());
        assert_eq!(single.position(), found.position());
    }
    payments.flush_cache().await;
    let known = logs.iter().filter(|(_, applied)| applied.is_some());
    let known: Vec<_> = known.map(|(log_id, _)| *log_id).collect();
    for result in payments.reduce_many(known).await {
        assert_eq!(result.unwrap().applied_events(), 0, "all are cached by now");
    }
}

async fn with_every_cache(store: impl EventStore<PaymentEvent> + Clone) {
    let near = MemoryAggregationCache::default;
    equals_single_reductions(store.clone(), near()).await;
    equals_single_reductions(store.clone(), Remote::default()).await;
    let tiers = TieredAggregationCache::new(near(), Remote::default());
    equals_single_reductions(store, tiers).await;
}

#[tokio::test]
async fn several_logs_on_the_fake_are_reduced_as_each_alone() {
    with_every_cache(FakeEventStore::new()).await;
    with_every_cache(FakeEventStore::encoding()).await;
}

#[tokio::test]
async fn several_logs_on_sqlite_are_reduced_as_each_alone() {
    with_every_cache(TemporaryStore::open().await.kept()).await;
}

#[tokio::test]
async fn several_logs_on_postgres_are_reduced_as_each_alone() {
    if let Some(store) = TestStore::new().await {
        with_every_cache(store.store).await;
    }
}

async fn three_hundred(store: impl EventStore<PaymentEvent> + Clone) {
    let store = Counting::new(store);
    let payments = payments(store.clone());
    let elsewhere = crate::payments::payments(store.clone());
    let mut logs = Vec::new();
    for number in 0..300 {
        logs.push((
            log(&payments, &elsewhere, number % 3 > 0, number % 2).await,
            number,
        ));
    }
    let before = store.folds();
    let results = payments
        .reduce_many(logs.iter().map(|(log_id, _)| log_id))
        .await;
    assert_eq!(results.len(), 300);
    for ((log_id, number), result) in logs.iter().zip(results) {
        let found = result.unwrap();
        let captured = 3 + 3 * (number % 2);
        assert_eq!(found.log_id(), *log_id);
        assert_eq!(found.aggregate().captured, captured);
        assert_eq!(found.through_index(), 2 + number % 2);
    }
    let after = store.folds();
    assert_eq!((after.0 - before.0, after.1 - before.1), (100, 200));
}

#[tokio::test]
async fn three_hundred_logs_are_reduced_at_once() {
    three_hundred(FakeEventStore::new()).await;
    three_hundred(TemporaryStore::open().await.kept()).await;
    if let Some(store) = TestStore::new().await {
        three_hundred(store.store).await;
    }
}

#[tokio::test]
async fn no_logs_take_no_call_that_matters() {
    let store = Counting::new(FakeEventStore::<PaymentEvent>::new());
    let payments = payments(store.clone());
    let none: [LogId; 0] = [];
    assert!(payments.reduce_many(none).await.is_empty());
    assert_eq!(store.reads(), 0);
    if let Some(store) = TestStore::new().await {
        let payments = crate::payments::payments(store.store);
        assert!(payments.reduce_many(none).await.is_empty());
    }
}
