//! Each call of a manager is measured once, with its operation and its result.

use super::recorder::Measured;
use crate::payments::{Payment, PaymentEvent, captured, payments, refund};
use crate::postgres::TestStore;
use crate::sqlite_file::TemporaryStore;
use eventlogs::ids::LogId;
use eventlogs::stores::fake::FakeEventStore;
use eventlogs::{
    Aggregate, AppendOptions, CreateOptions, DecideOptions, EventStore, ListOptions, LogManager,
    LogManagerOptions, LogState, MemoryAggregationCache, PointInTime, across, event_handler,
};
use futures_util::{FutureExt, StreamExt, TryStreamExt};
use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

/// Another aggregate of the same events.
#[derive(Debug, Default, Clone, Aggregate)]
#[aggregate(event = PaymentEvent)]
pub(crate) struct Count {
    events: u64,
}

#[event_handler(PaymentEvent, ignore(Rated | Captured | Refunded | Voided))]
impl Count {
    #[on(Requested)]
    fn request(&mut self) {
        self.events += 1;
    }
}

/// Runs every operation once, successfully.
pub(crate) async fn run_all(store: impl EventStore<PaymentEvent> + Clone) {
    let counts = LogManager::<Count>::new(
        store.clone(),
        MemoryAggregationCache::default(),
        LogManagerOptions::default(),
    );
    let payments = payments(store);
    let none = AppendOptions::NONE;
    let id = LogId::new();
    let requested = PaymentEvent::Requested { amount: 9 };
    let state = payments.create(id, &requested, CreateOptions::NONE).await;
    let state = payments.append(state.unwrap(), &refund(1), none).await;
    let parts = [(state.unwrap(), [refund(1)])];
    payments.append_across(parts, none).await.unwrap();
    let one = |_: &Payment| Ok::<_, ()>([refund(1)]);
    let options = DecideOptions::NONE;
    payments.decide(id, options, one).await.unwrap();
    let each = |all: &[&Payment]| Ok::<_, ()>(all.iter().map(|_| [refund(1)]).collect::<Vec<_>>());
    payments.decide_each([id], options, each).await.unwrap();
    let other = captured(&payments).await;
    let both = |_: &Payment, _: &Payment| Ok::<_, ()>(([refund(1)], [refund(1)]));
    let own = across(((&payments, id), (&payments, other)));
    own.decide(options, both).await.unwrap();
    let mixed = |_: &Payment, _: &Count| Ok::<_, ()>(([refund(1)], [refund(1)]));
    let several = across(((&payments, id), (&counts, other)));
    several.decide(options, mixed).await.unwrap();
    payments.reduce(id).await.unwrap();
    payments.flush_cache().await;
    for reduced in payments.reduce_many([id, other]).await {
        reduced.unwrap();
    }
    let at = PointInTime::Index(0);
    payments.reduce_at(id, at).await.unwrap();
    payments.load(id, 0, 10).await.unwrap();
    let streamed: Vec<_> = payments.stream(id, 0).try_collect().await.unwrap();
    assert!(!streamed.is_empty());
    payments.list(&ListOptions::default()).await.unwrap();
    assert!(payments.exists(id).await.unwrap());
    assert!(payments.find_key("never used").await.unwrap().is_empty());
    payments.forget_cached(id).await.unwrap();
    let day = Duration::from_hours(24);
    payments.prune_idempotency_keys(day).await.unwrap();
}

/// Returns how often each operation had each result, without the calls of `captured`.
fn calls(measured: &Measured, labels: &[(&str, &str)]) -> BTreeMap<(String, String), usize> {
    let mut calls = BTreeMap::new();
    for recorded in measured.all() {
        let has = |(name, value): &(&str, &str)| recorded.labels[*name] == *value;
        if recorded.name == "eventlogs_operation_seconds" && labels.iter().all(has) {
            let label = |name: &str| recorded.labels[name].clone();
            *calls
                .entry((label("operation"), label("result")))
                .or_default() += 1;
        }
    }
    calls
}

fn ok(operations: &[(&str, usize)]) -> BTreeMap<(String, String), usize> {
    let ok = |(operation, times): &(&str, usize)| (((*operation).into(), "ok".into()), *times);
    operations.iter().map(ok).collect()
}

async fn each_operation_is_measured(store: impl EventStore<PaymentEvent> + Clone) -> Measured {
    let measured = Measured::default();
    let _guard = metrics::set_default_local_recorder(&measured);
    let name = store.store_name();
    run_all(store).await;
    let expected = ok(&[
        ("create", 2),
        ("append", 2),
        ("append_across", 1),
        ("decide", 1),
        ("decide_each", 1),
        ("decide_across", 1),
        ("reduce", 1),
        ("flush_cache", 1),
        ("reduce_many", 1),
        ("reduce_at", 1),
        ("load", 1),
        ("stream", 1),
        ("list", 1),
        ("exists", 1),
        ("find_key", 1),
        ("forget_cached", 1),
        ("prune_idempotency_keys", 1),
    ]);
    let labels = [("aggregate", "Payment"), ("store", name)];
    assert_eq!(calls(&measured, &labels), expected, "{name}");
    let labels = [("aggregate", "several"), ("store", name)];
    let several = ok(&[("decide_across", 1)]);
    assert_eq!(calls(&measured, &labels), several, "{name}");
    let seconds = measured.of("eventlogs_operation_seconds");
    assert!(seconds.iter().all(|took| (0.0..60.0).contains(took)));
    measured.clone()
}

/// Runs every operation on every store.
pub(super) async fn on_every_store() -> Measured {
    let measured = Measured::default();
    let _guard = metrics::set_default_local_recorder(&measured);
    run_all(FakeEventStore::encoding()).await;
    run_all(TemporaryStore::open().await.kept()).await;
    if let Some(store) = TestStore::new().await {
        run_all(store.store).await;
    }
    measured.clone()
}

#[tokio::test]
async fn each_call_is_measured_with_its_labels() {
    each_operation_is_measured(FakeEventStore::encoding()).await;
    each_operation_is_measured(TemporaryStore::open().await.kept()).await;
    if let Some(store) = TestStore::new().await {
        each_operation_is_measured(store.store).await;
    }
}

async fn results(store: impl EventStore<PaymentEvent>) {
    let payments = payments(store);
    let id = captured(&payments).await;
    let measured = Measured::default();
    let _guard = metrics::set_default_local_recorder(&measured);
    let mut expected = BTreeMap::new();
    let mut expect = |operation: &str, result: &str| {
        *expected
            .entry((operation.to_owned(), result.to_owned()))
            .or_default() += 1;
        assert_eq!(calls(&measured, &[]), expected);
    };
    let none = AppendOptions::NONE;
    let keyed = AppendOptions {
        idempotency_key: Some(format!("key of {id}")),
        ..Default::default()
    };
    let before = payments.reduce(id).await.unwrap();
    expect("reduce", "ok");
    let stale: LogState<PaymentEvent> = before.into();
    payments.append(stale, &refund(1), &keyed).await.unwrap();
    expect("append", "ok");
    payments
        .append(stale, &refund(1), &keyed)
        .await
        .unwrap_err();
    expect("append", "replay");
    payments.append(stale, &refund(1), none).await.unwrap_err();
    expect("append", "conflict");
    payments.append_all(stale, &[], none).await.unwrap_err();
    expect("append", "invalid");
    let missing = payments.reduce(LogId::new()).await;
    missing.unwrap_err();
    expect("reduce", "not_found");
    let some = payments.reduce_many([id, LogId::new()]).await;
    assert!(some[0].is_ok() && some[1].is_err());
    expect("reduce_many", "not_found");
    let passed = AppendOptions {
        deadline: Some(Instant::now()),
        ..Default::default()
    };
    payments
        .append(stale, &refund(1), &passed)
        .await
        .unwrap_err();
    expect("append", "try_again");

    let options = DecideOptions::NONE;
    let refuse = |_: &Payment| Err::<[PaymentEvent; 0], _>("no");
    payments.decide(id, options, refuse).await.unwrap_err();
    expect("decide", "refused");
    let nothing = |_: &Payment| Ok::<_, ()>(Vec::new());
    payments.decide(id, options, nothing).await.unwrap();
    expect("decide", "ok");
    let key = DecideOptions {
        idempotency_key: Some(format!("decision on {id}")),
        ..Default::default()
    };
    for result in ["ok", "replay"] {
        let one = |_: &Payment| Ok::<_, ()>([refund(1)]);
        payments.decide(id, &key, one).await.unwrap();
        expect("decide", result);
    }
    let panic = |_: &Payment| -> Result<Vec<PaymentEvent>, ()> { panic!("on purpose") };
    let panicked = AssertUnwindSafe(payments.decide(id, options, panic)).catch_unwind();
    assert!(panicked.await.is_err());
    expect("decide", "panicked");

    // Dropped before the first poll, a call has not begun.
    drop(payments.reduce(id));
    assert_eq!(calls(&measured, &[]).values().sum::<usize>(), 13);
    let _ = payments.stream(id, 0).next().await.unwrap();
}

#[tokio::test]
async fn each_call_is_measured_with_its_result() {
    results(FakeEventStore::encoding()).await;
    results(TemporaryStore::open().await).await;
    if let Some(store) = TestStore::new().await {
        results(store.store).await;
    }
}

#[tokio::test]
async fn a_call_whose_future_is_dropped_counts_as_dropped() {
    let file = TemporaryStore::open().await;
    let transaction = file.store.begin().await.unwrap();
    let payments = payments(file.store.clone());
    let measured = Measured::default();
    let _guard = metrics::set_default_local_recorder(&measured);
    let event = PaymentEvent::Requested { amount: 1 };
    let create = payments.create(LogId::new(), &event, CreateOptions::NONE);
    // It cannot begin to write.
    let waited = tokio::time::timeout(Duration::from_millis(20), create).await;
    assert!(waited.is_err());
    let dropped = (("create".to_owned(), "dropped".to_owned()), 1);
    assert_eq!(calls(&measured, &[]), BTreeMap::from([dropped]));
    transaction.rollback().await;
}

#[tokio::test]
async fn a_closed_store_is_for_an_operator() {
    let file = TemporaryStore::open().await;
    let payments = payments(file.store.clone());
    file.store.close().await;
    let measured = Measured::default();
    let _guard = metrics::set_default_local_recorder(&measured);
    payments.reduce(LogId::new()).await.unwrap_err();
    let closed = (("reduce".to_owned(), "internal".to_owned()), 1);
    assert_eq!(calls(&measured, &[]), BTreeMap::from([closed]));
}

#[tokio::test]
async fn a_recorder_that_is_installed_later_gets_what_follows() {
    let payments = payments(FakeEventStore::new());
    let id = captured(&payments).await;
    let measured = Measured::default();
    let guard = metrics::set_default_local_recorder(&measured);
    payments.reduce(id).await.unwrap();
    drop(guard);
    payments.reduce(id).await.unwrap();
    assert_eq!(calls(&measured, &[]), ok(&[("reduce", 1)]));
}
