//! The aggregates that reach the cache.

use crate::payments::{Payment, PaymentEvent, cached_payments, captured, refund};
use eventlogs::caches::fake::FakeAggregationCache;
use eventlogs::ids::LogId;
use eventlogs::stores::fake::FakeEventStore;
use eventlogs::{
    Aggregate, Aggregation, AggregationCachingPolicy, AppendOptions, CacheRules, CreateOptions,
    EventHandler, EventRecord, LogAgePolicy, LogLengthPolicy, LogManager, LogManagerOptions,
    LogState, MemoryAggregationCache,
};
use std::sync::Arc;
use std::time::Duration;

/// Returns the number of events that a reduction applies after the cache had time to store the state: 0 if it was cached.
async fn applied_after_caching<A: Aggregate>(logs: &LogManager<A>, log_id: &LogId) -> u64 {
    logs.reduce(log_id).await.unwrap();
    logs.flush_cache().await;
    logs.reduce(log_id).await.unwrap().applied_events()
}

async fn is_cached_under(policy: impl AggregationCachingPolicy<Payment>) -> bool {
    let options = LogManagerOptions {
        caching_policy: Some(Arc::new(policy)),
        ..Default::default()
    };
    let payments = LogManager::new(
        FakeEventStore::new(),
        FakeAggregationCache::<Payment>::new(),
        options,
    );
    let log_id = captured(&payments).await;
    applied_after_caching(&payments, &log_id).await == 0
}

#[tokio::test]
async fn aggregates_are_cached_unless_somebody_objects() {
    let payments = cached_payments(FakeEventStore::new(), FakeAggregationCache::new());
    let log_id = captured(&payments).await;
    assert_eq!(applied_after_caching(&payments, &log_id).await, 0);
}

#[tokio::test]
async fn a_policy_in_the_options_decides() {
    assert!(is_cached_under(|_: &Aggregation<Payment>| true).await);
    assert!(!is_cached_under(|_: &Aggregation<Payment>| false).await);
    assert!(
        is_cached_under(|payment: &Aggregation<Payment>| payment.aggregate().captured == 100).await
    );
}

#[tokio::test]
async fn the_length_policy_counts_events() {
    // The log has two events.
    assert!(is_cached_under(LogLengthPolicy::at_least(2)).await);
    assert!(!is_cached_under(LogLengthPolicy::at_least(3)).await);
    assert!(is_cached_under(LogLengthPolicy::within(0..=2)).await);
    assert!(!is_cached_under(LogLengthPolicy::within(0..=1)).await);
}

#[tokio::test]
async fn the_age_policy_counts_from_the_first_event() {
    assert!(is_cached_under(LogAgePolicy::at_most(Duration::from_hours(1))).await);
    assert!(!is_cached_under(LogAgePolicy::at_least(Duration::from_hours(1))).await);
    assert!(is_cached_under(LogAgePolicy::at_least(Duration::ZERO)).await);
}

/// Defines aggregates that count the events applied to them.
macro_rules! counting_aggregate {
    ($name:ident, $($cache:tt)*) => {
        #[derive(Debug, Default, Clone, Aggregate)]
        #[aggregate(event = PaymentEvent, cache($($cache)*))]
        struct $name {
            events: u64,
        }

        impl EventHandler<PaymentEvent> for $name {
            fn handle(&mut self, _: &impl EventRecord<PaymentEvent>) {
                self.events += 1;
            }
        }
    };
}

counting_aggregate!(Long, min_events = 3);
counting_aggregate!(Short, max_events = 2);
counting_aggregate!(Sparse, every = 3);
counting_aggregate!(Never, never);
counting_aggregate!(Old, min_age = "1h");
counting_aggregate!(Young, max_age = "1h");
counting_aggregate!(Brief, ttl = "5ms");
counting_aggregate!(Even, when = is_even);

fn is_even(aggregation: &Aggregation<Even>) -> bool {
    aggregation.aggregate().events.is_multiple_of(2)
}

/// Returns the number of events that the reduction after caching applies, for logs of one to six events, grown event by event.
async fn applied_by_length<A: Aggregate<Event = PaymentEvent>>() -> Vec<u64> {
    let logs = LogManager::<A>::new(
        FakeEventStore::new(),
        MemoryAggregationCache::default(),
        LogManagerOptions::default(),
    );
    let log_id = LogId::new();
    let mut state = logs
        .create(&log_id, &PaymentEvent::Voided, &CreateOptions::default())
        .await
        .unwrap();
    let mut applied = vec![applied_after_caching(&logs, &log_id).await];
    for amount in 1..6 {
        state = logs
            .append(state, &refund(amount), &AppendOptions::default())
            .await
            .unwrap();
        applied.push(applied_after_caching(&logs, &log_id).await);
    }
    applied
}

#[tokio::test]
async fn the_rules_of_the_attribute_hold() {
    assert_eq!(applied_by_length::<Long>().await, [1, 2, 0, 0, 0, 0]);
    assert_eq!(applied_by_length::<Short>().await, [0, 0, 1, 2, 3, 4]);
    assert_eq!(applied_by_length::<Sparse>().await, [1, 2, 0, 1, 2, 0]);
    assert_eq!(applied_by_length::<Never>().await, [1, 2, 3, 4, 5, 6]);
    assert_eq!(applied_by_length::<Old>().await, [1, 2, 3, 4, 5, 6]);
    assert_eq!(applied_by_length::<Young>().await, [0; 6]);
    assert_eq!(applied_by_length::<Even>().await, [1, 0, 1, 0, 1, 0]);
}

#[tokio::test]
async fn entries_expire_as_the_attribute_says() {
    let logs = LogManager::<Brief>::new(
        FakeEventStore::new(),
        MemoryAggregationCache::default(),
        LogManagerOptions::default(),
    );
    let log_id = LogId::new();
    logs.create(&log_id, &PaymentEvent::Voided, &CreateOptions::default())
        .await
        .unwrap();
    logs.reduce(&log_id).await.unwrap();
    logs.flush_cache().await;
    // Once the entry has expired, the whole log is applied again.
    while logs.reduce(&log_id).await.unwrap().applied_events() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_policy_in_the_options_takes_the_place_of_the_attributes() {
    let policy: Arc<dyn AggregationCachingPolicy<Never>> = Arc::new(CacheRules::always());
    let options = LogManagerOptions {
        caching_policy: Some(policy),
        ..Default::default()
    };
    let logs = LogManager::<Never>::new(
        FakeEventStore::new(),
        MemoryAggregationCache::default(),
        options,
    );
    let log_id = LogId::new();
    logs.create(&log_id, &PaymentEvent::Voided, &CreateOptions::default())
        .await
        .unwrap();
    assert_eq!(applied_after_caching(&logs, &log_id).await, 0);
}

#[tokio::test]
async fn a_policy_that_panics_costs_the_cache_entry_only() {
    let options = LogManagerOptions::<Payment> {
        caching_policy: Some(Arc::new(|payment: &Aggregation<Payment>| {
            assert!(
                payment.through_index() > 1,
                "an intended mistake of the user"
            );
            true
        })),
        ..Default::default()
    };
    let payments = LogManager::new(
        FakeEventStore::new(),
        FakeAggregationCache::<Payment>::new(),
        options,
    );
    let log_id = captured(&payments).await;
    assert_eq!(applied_after_caching(&payments, &log_id).await, 2);
    payments
        .append(
            LogState::at(log_id, 1),
            &refund(1),
            &AppendOptions::default(),
        )
        .await
        .unwrap();
    assert_eq!(applied_after_caching(&payments, &log_id).await, 0);
}

#[tokio::test]
async fn a_full_memory_cache_lets_go_of_something_and_stays_right() {
    let payments = cached_payments(
        FakeEventStore::new(),
        MemoryAggregationCache::with_capacity(4),
    );
    let mut logs = Vec::new();
    for _ in 0..40 {
        logs.push(captured(&payments).await);
    }
    for _ in 0..2 {
        for log_id in &logs {
            assert_eq!(
                payments.reduce(log_id).await.unwrap().aggregate().captured,
                100
            );
        }
        payments.flush_cache().await;
    }
}

#[test]
fn a_cache_outlives_the_runtime_that_filled_it() {
    let payments = cached_payments(FakeEventStore::new(), FakeAggregationCache::new());
    let run = |future| {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
            .block_on(future)
    };
    // The runtime ends while the cache write may still be in flight.
    let manager = payments.clone();
    let log_id = run(Box::pin(async move {
        let log_id = captured(&manager).await;
        manager.reduce(&log_id).await.unwrap();
        log_id
    }) as std::pin::Pin<Box<dyn Future<Output = LogId>>>);
    run(Box::pin(async move {
        assert_eq!(applied_after_caching(&payments, &log_id).await, 0);
        log_id
    }));
}
