//! How old a reduced state may be, and when the store is asked.

use crate::counting::{Counting, Remote, asked};
use crate::payments::{Payment, PaymentEvent, cached_payments, captured, refund};
use crate::postgres::TestStore;
use crate::servers;
use crate::sqlite_file::TemporaryStore;
use eventlogs::caches::fake::FakeAggregationCache;
use eventlogs::ids::LogId;
use eventlogs::stores::fake::FakeEventStore;
use eventlogs::testing::conformance::{Counter, CounterEvent};
use eventlogs::{
    AggregationCache, AppendOptions, CreateOptions, DecideError, DecideOptions, EventStore,
    Freshness, LogManager, LogManagerError, LogManagerOptions, LogState, MemoryAggregationCache,
    RedisAggregationCache, RedisCacheOptions, ReduceOptions, TieredAggregationCache,
};
use futures_util::future::join_all;
use std::sync::Arc;
use std::time::Duration;

const CACHED: ReduceOptions = ReduceOptions {
    freshness: Freshness::Cached,
};
const HOUR: ReduceOptions = at_most(Duration::from_hours(1));
const LATEST: ReduceOptions = ReduceOptions {
    freshness: Freshness::Latest,
};

const fn at_most(age: Duration) -> ReduceOptions {
    ReduceOptions {
        freshness: Freshness::AtMost(age),
    }
}

/// Appends a refund with another manager, so that the tested one does not know of it.
async fn refund_elsewhere(
    store: &(impl EventStore<PaymentEvent> + Clone),
    state: LogState<PaymentEvent>,
) {
    let other = cached_payments(store.clone(), MemoryAggregationCache::default());
    let none = AppendOptions::default();
    other.append(state, &refund(60), &none).await.unwrap();
}

async fn a_hit_asks_nobody(
    store: impl EventStore<PaymentEvent> + Clone,
    cache: impl AggregationCache<Payment>,
) {
    let store = Counting::new(store);
    let payments = cached_payments(store.clone(), cache);
    let log_id = captured(&payments).await;
    payments.reduce(log_id).await.unwrap();
    payments.flush_cache().await;
    let state = LogState::at(log_id, 1);
    refund_elsewhere(&store, state).await;
    let before = store.reads();
    for options in [CACHED, HOUR, at_most(Duration::MAX)] {
        let shown = payments.reduce_with(log_id, &options).await.unwrap();
        assert_eq!((shown.through_index(), shown.applied_events()), (1, 0));
        assert_eq!(shown.aggregate().refunded, 0);
        assert_eq!(store.reads(), before, "{options:?}");
    }
    let latest = payments.reduce_with(log_id, &LATEST).await.unwrap();
    assert_eq!((latest.through_index(), latest.applied_events()), (2, 1));
    assert_eq!(latest.aggregate().refunded, 60);
    assert_eq!(store.reads(), before + 1);
    payments.flush_cache().await;
    for options in [CACHED, HOUR] {
        let shown = payments.reduce_with(log_id, &options).await.unwrap();
        assert_eq!((shown.through_index(), shown.applied_events()), (2, 0));
        assert_eq!(store.reads(), before + 1, "{options:?}");
    }
    payments.reduce(log_id).await.unwrap();
    assert_eq!(store.reads(), before + 2);
}

#[tokio::test]
async fn a_state_in_the_process_takes_no_call_to_the_store_unless_the_latest_is_wanted() {
    let near = MemoryAggregationCache::default;
    a_hit_asks_nobody(FakeEventStore::new(), near()).await;
    a_hit_asks_nobody(FakeEventStore::new(), FakeAggregationCache::new()).await;
    a_hit_asks_nobody(FakeEventStore::new(), Arc::new(near())).await;
    let tiers = TieredAggregationCache::new(near(), Remote::default());
    a_hit_asks_nobody(FakeEventStore::encoding(), tiers).await;
    a_hit_asks_nobody(TemporaryStore::open().await.kept(), near()).await;
    if let Some(store) = TestStore::new().await {
        a_hit_asks_nobody(store.store, near()).await;
    }
}

#[tokio::test]
async fn a_state_that_is_too_old_is_compared_and_then_is_young_again() {
    let store = Counting::new(FakeEventStore::new());
    let payments = cached_payments(store.clone(), MemoryAggregationCache::default());
    let log_id = captured(&payments).await;
    payments.reduce(log_id).await.unwrap();
    payments.flush_cache().await;
    assert_eq!(store.folds(), (1, 0));
    let age = Duration::from_secs(2);
    for round in 1..=2 {
        tokio::time::sleep(age + Duration::from_millis(50)).await;
        // It finds no new event, so the cache is not written.
        payments.reduce_with(log_id, &at_most(age)).await.unwrap();
        assert_eq!(store.folds(), (1, round), "compared again");
        payments.reduce_with(log_id, &at_most(age)).await.unwrap();
        assert_eq!(store.folds(), (1, round), "young again");
    }
    // So does any other read of the log.
    tokio::time::sleep(age + Duration::from_millis(50)).await;
    for result in payments.reduce_many([log_id]).await {
        result.unwrap();
    }
    assert_eq!(store.folds(), (1, 3));
    payments.reduce_with(log_id, &at_most(age)).await.unwrap();
    assert_eq!(store.folds(), (1, 3));

    // An age of nothing is never young enough.
    payments
        .reduce_with(log_id, &at_most(Duration::ZERO))
        .await
        .unwrap();
    assert_eq!(store.folds(), (1, 4));
}

/// Each kind of read is held back for longer than the age.
#[tokio::test]
async fn the_age_counts_from_the_time_at_which_the_read_was_sent() {
    let store = Counting::new(FakeEventStore::new());
    let payments = cached_payments(store.clone(), MemoryAggregationCache::default());
    let log_id = captured(&payments).await;
    let age = Duration::from_secs(1);
    let too_long = age + Duration::from_millis(200);
    let held_back = async |with_new_event: Option<u64>, many: bool| {
        if let Some(index) = with_new_event {
            refund_elsewhere(&store, LogState::at(log_id, index)).await;
        }
        store.hold();
        let reading = tokio::spawn({
            let payments = payments.clone();
            async move {
                if many {
                    for result in payments.reduce_many([log_id]).await {
                        result.unwrap();
                    }
                } else {
                    payments.reduce(log_id).await.unwrap();
                }
            }
        });
        store.until_held(1).await;
        tokio::time::sleep(too_long).await;
        store.release();
        reading.await.unwrap();
        payments.flush_cache().await;
        let before = store.reads();
        // By the time of its answer, the state would be young.
        payments.reduce_with(log_id, &HOUR).await.unwrap();
        assert_eq!(store.reads(), before);
        payments.reduce_with(log_id, &at_most(age)).await.unwrap();
        assert_eq!(store.reads(), before + 1);
    };
    held_back(None, false).await;
    held_back(None, false).await;
    held_back(None, true).await;
    held_back(Some(1), false).await;
    held_back(Some(2), true).await;
}

/// `newest` has an implementation on PostgreSQL only.
async fn what_another_process_has_cached<S: EventStore<PaymentEvent> + Clone>(store: S) {
    let store = Counting::new(store);
    let far = Arc::new(Remote::default());
    let elsewhere = cached_payments(store.clone(), Arc::clone(&far));
    let log_id = captured(&elsewhere).await;
    elsewhere.reduce(log_id).await.unwrap();
    elsewhere.flush_cache().await;
    refund_elsewhere(&store, LogState::at(log_id, 1)).await;

    // Without a tier in the process.
    let payments = cached_payments(store.clone(), Arc::clone(&far));
    let before = store.reads();
    let shown = payments.reduce_with(log_id, &CACHED).await.unwrap();
    assert_eq!((shown.through_index(), shown.applied_events()), (1, 0));
    assert_eq!(store.reads(), before, "any state will do");
    for _ in 0..2 {
        let reads = store.reads();
        let shown = payments.reduce_with(log_id, &HOUR).await.unwrap();
        assert_eq!(shown.through_index(), 2);
        assert!(store.reads() > reads, "of unknown age");
        payments.flush_cache().await;
    }

    // With one.
    let tiers = || TieredAggregationCache::new(MemoryAggregationCache::default(), Arc::clone(&far));
    for first in [CACHED, HOUR, LATEST] {
        let payments = cached_payments(store.clone(), tiers());
        let reads = store.reads();
        payments.reduce_with(log_id, &first).await.unwrap();
        assert_eq!(store.reads() == reads, first == CACHED);
        let reads = store.reads();
        payments.reduce_with(log_id, &CACHED).await.unwrap();
        assert_eq!(store.reads(), reads);
        payments.reduce_with(log_id, &HOUR).await.unwrap();
        assert_eq!(store.reads() == reads, first != CACHED, "{first:?}");
        let reads = store.reads();
        payments.reduce_with(log_id, &HOUR).await.unwrap();
        assert_eq!(store.reads(), reads, "compared by now");
    }
}

#[tokio::test]
async fn a_state_of_a_shared_cache_is_of_unknown_age_on_the_fake() {
    what_another_process_has_cached(FakeEventStore::encoding()).await;
}

#[tokio::test]
async fn a_state_of_a_shared_cache_is_of_unknown_age_on_postgres() {
    if let Some(store) = TestStore::new().await {
        what_another_process_has_cached(store.store).await;
    }
}

#[tokio::test]
async fn a_state_of_redis_is_of_unknown_age() {
    let Some(url) = servers::redis_url() else {
        return;
    };
    let options = RedisCacheOptions {
        namespace: format!("eventlogs-test-{}", uuid::Uuid::now_v7()),
        default_ttl: Some(Duration::from_mins(2)),
        ..Default::default()
    };
    let connect = async || {
        let cache = RedisAggregationCache::<Counter>::connect_with(&url, options.clone()).await;
        cache.expect("Redis is available")
    };
    let store = Counting::new(FakeEventStore::<CounterEvent>::encoding());
    let patient = || LogManagerOptions {
        cache_timeout: Duration::from_secs(10),
        cache_write_timeout: Duration::from_secs(10),
        ..Default::default()
    };
    let elsewhere = LogManager::new(store.clone(), connect().await, patient());
    let log_id = LogId::new();
    let added = CounterEvent::Added { amount: 3 };
    let state = elsewhere
        .create(&log_id, &added, &CreateOptions::default())
        .await
        .unwrap();
    elsewhere.reduce(log_id).await.unwrap();
    elsewhere.flush_cache().await;
    elsewhere
        .append(state, &added, &AppendOptions::default())
        .await
        .unwrap();

    let near = MemoryAggregationCache::default();
    let tiers = TieredAggregationCache::new(near, connect().await);
    let here = LogManager::new(store.clone(), tiers, patient());
    let reads = store.reads();
    let shown = here.reduce_with(log_id, &CACHED).await.unwrap();
    assert_eq!((shown.aggregate().total, store.reads()), (3, reads));
    let shown = here.reduce_with(log_id, &HOUR).await.unwrap();
    assert_eq!((shown.aggregate().total, store.reads()), (6, reads + 1));
    here.flush_cache().await;
    let shown = here.reduce_with(log_id, &HOUR).await.unwrap();
    assert_eq!((shown.aggregate().total, store.reads()), (6, reads + 1));
}

#[tokio::test]
async fn a_state_that_no_cache_has_is_reduced() {
    let near = || MemoryAggregationCache::default();
    let tiers = || TieredAggregationCache::new(near(), Remote::default());
    for options in [CACHED, HOUR, at_most(Duration::ZERO), LATEST] {
        let store = Counting::new(FakeEventStore::new());
        let managers = [
            cached_payments(store.clone(), near()),
            cached_payments(store.clone(), Remote::default()),
            cached_payments(store.clone(), tiers()),
        ];
        for payments in managers {
            let log_id = captured(&payments).await;
            let state = payments.reduce_with(log_id, &options).await.unwrap();
            assert_eq!((state.through_index(), state.applied_events()), (1, 2));
            let missing = payments.reduce_with(LogId::new(), &options).await;
            assert!(
                matches!(missing, Err(LogManagerError::LogNotFound { .. })),
                "{missing:?}"
            );
        }
    }
}

#[tokio::test]
async fn callers_who_take_any_state_share_the_read_of_a_log_that_no_cache_has() {
    let store = Counting::new(FakeEventStore::new());
    let payments = cached_payments(store.clone(), MemoryAggregationCache::default());
    let log_id = captured(&payments).await;
    store.hold();
    let mut waiting = asked(50, || payments.reduce_with(log_id, &CACHED)).await;
    waiting.extend(asked(50, || payments.reduce_with(log_id, &CACHED)).await);
    store.release();
    for state in join_all(waiting).await {
        assert_eq!(state.unwrap().aggregate().captured, 100);
    }
    assert_eq!(store.folds(), (1, 1));
}

async fn decisions_are_right(store: impl EventStore<PaymentEvent> + Clone) {
    let payments = cached_payments(store.clone(), MemoryAggregationCache::default());
    let log_id = captured(&payments).await;
    payments.reduce(log_id).await.unwrap();
    payments.flush_cache().await;
    refund_elsewhere(&store, LogState::at(log_id, 1)).await;
    let shown = payments.reduce_with(log_id, &CACHED).await.unwrap();
    assert_eq!(shown.aggregate().outstanding(), 100);
    let refunding = |amount: u64| {
        move |payment: &Payment| {
            if payment.outstanding() < amount {
                return Err("too much");
            }
            Ok([refund(amount)])
        }
    };
    let options = DecideOptions::default();
    let refused = payments.decide(log_id, &options, refunding(50)).await;
    assert!(
        matches!(refused, Err(DecideError::Refused("too much"))),
        "{refused:?}"
    );
    let decided = payments.decide(log_id, &options, refunding(40)).await;
    assert_eq!(decided.unwrap().aggregation().aggregate().outstanding(), 0);
    // An append to the old state conflicts.
    let none = AppendOptions::default();
    let outdated = payments.append(shown, &refund(1), &none).await;
    assert!(
        matches!(outdated, Err(LogManagerError::ConcurrentAppend { .. })),
        "{outdated:?}"
    );
    let latest = payments.reduce(log_id).await.unwrap();
    assert_eq!(latest.aggregate().refunded, 100);
}

#[tokio::test]
async fn a_decision_after_an_old_state_was_shown_is_right() {
    decisions_are_right(FakeEventStore::new()).await;
    decisions_are_right(TemporaryStore::open().await.kept()).await;
    if let Some(store) = TestStore::new().await {
        decisions_are_right(store.store).await;
    }
}
