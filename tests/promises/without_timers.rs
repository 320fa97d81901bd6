//! The fake stores and the cache in memory need no runtime: a test can poll their futures by hand.

use crate::payments::{Payment, PaymentEvent, payments, refund};
use eventlogs::caches::fake::FakeAggregationCache;
use eventlogs::ids::LogId;
use eventlogs::stores::fake::FakeEventStore;
use eventlogs::{
    AggregationCache, AppendOptions, CreateOptions, DecideError, DecideOptions, LogManager,
    LogManagerOptions, MemoryAggregationCache,
};
use futures_util::{FutureExt, TryStreamExt};
use std::time::{Duration, Instant};

fn on_the_fake(cache: impl AggregationCache<Payment>) -> LogManager<Payment> {
    LogManager::new(FakeEventStore::new(), cache, LogManagerOptions::default())
}

async fn everything(payments: LogManager<Payment>) {
    let log_id = LogId::new();
    let requested = PaymentEvent::Requested { amount: 9 };
    let options = CreateOptions::default();
    let created = payments.create(&log_id, &requested, &options).await;
    let state = created.unwrap();
    let captured = PaymentEvent::Captured { amount: 9 };
    let options = AppendOptions::default();
    payments.append(state, &captured, &options).await.unwrap();
    for deadline in [None, Some(Instant::now() + Duration::from_hours(1))] {
        assert_eq!(
            payments.reduce(&log_id).await.unwrap().aggregate().captured,
            9
        );
        let options = DecideOptions {
            deadline,
            idempotency_key: Some(format!("{log_id} {deadline:?}")),
            ..Default::default()
        };
        for _ in 0..2 {
            let decided = payments.decide(&log_id, &options, |_| Ok::<_, ()>([refund(1)]));
            decided.await.unwrap();
        }
        let without_key = DecideOptions {
            idempotency_key: None,
            ..options
        };
        let refused = payments.decide(&log_id, &without_key, |_| Err::<[_; 0], _>("no"));
        let refused = refused.await;
        assert!(
            matches!(refused, Err(DecideError::Refused("no"))),
            "{refused:?}"
        );
        let records: Vec<_> = payments.stream(log_id, 0).try_collect().await.unwrap();
        assert!(records.len() >= 3);
        payments.flush_cache().await;
    }
    let forgotten = payments.prune_idempotency_keys(Duration::MAX).await;
    assert_eq!(forgotten.unwrap(), 0);
}

#[test]
fn without_a_runtime() {
    let managers = [
        payments(FakeEventStore::new()),
        on_the_fake(FakeAggregationCache::new()),
        on_the_fake(MemoryAggregationCache::default()),
    ];
    for manager in managers {
        everything(manager)
            .now_or_never()
            .expect("the futures never wait");
    }
}

#[test]
fn on_a_runtime_without_timers() {
    let mut single = tokio::runtime::Builder::new_current_thread();
    let mut several = tokio::runtime::Builder::new_multi_thread();
    for runtime in [&mut single, several.worker_threads(2)] {
        let runtime = runtime.build().unwrap();
        runtime.block_on(everything(payments(FakeEventStore::new())));
        runtime.block_on(everything(on_the_fake(FakeAggregationCache::new())));
    }
}
