//! A fold that starts from the cache equals the fold from the start, for every history and every content of the cache.

use crate::payments::{Payment, PaymentEvent, cached_payments, payments, refund};
use crate::postgres::TestStore;
use crate::sqlite_file::{TemporaryStore, execute};
use eventlogs::caches::fake::FakeAggregationCache;
use eventlogs::ids::{EventId, LogId};
use eventlogs::stores::fake::FakeEventStore;
use eventlogs::{Aggregation, DecideOptions, EventStore, PointInTime, ReducedThrough};
use eventlogs::{
    AggregationCache, AppendOptions, CreateOptions, LogManager, LogManagerError, LogManagerOptions,
    MemoryAggregationCache, SqliteEventStore,
};
use proptest::prelude::*;
use std::num::NonZeroUsize;
use std::sync::Arc;

async fn on_every_store_and_cache() -> Vec<LogManager<Payment>> {
    let sqlite = || async { SqliteEventStore::in_memory().await.expect("SQLite starts") };
    vec![
        cached_payments(FakeEventStore::new(), FakeAggregationCache::new()),
        cached_payments(FakeEventStore::new(), MemoryAggregationCache::default()),
        cached_payments(sqlite().await, FakeAggregationCache::new()),
        cached_payments(sqlite().await, MemoryAggregationCache::default()),
    ]
}

/// Folds from the start: a past point never uses the cache.
async fn full_fold(payments: &LogManager<Payment>, log_id: &LogId) -> Payment {
    payments
        .reduce_at(log_id, PointInTime::Index(u64::MAX))
        .await
        .expect("the log exists")
        .into_aggregate()
}

#[tokio::test]
async fn reducing_from_a_warm_cache_without_new_events_keeps_the_index() {
    for payments in on_every_store_and_cache().await {
        let log_id = LogId::new();
        let state = payments
            .create(
                &log_id,
                &PaymentEvent::Requested { amount: 3 },
                &CreateOptions::default(),
            )
            .await
            .unwrap();
        let state = payments
            .append(
                state,
                &PaymentEvent::Captured { amount: 5 },
                &AppendOptions::default(),
            )
            .await
            .unwrap();
        for round in 0..3 {
            let payment = payments.reduce(&log_id).await.unwrap();
            assert_eq!(
                (payment.through_index(), payment.state()),
                (1, state),
                "round {round}"
            );
            assert_eq!(
                payment.applied_events(),
                if round == 0 { 2 } else { 0 },
                "round {round}"
            );
            payments.flush_cache().await;
        }
        let payment = payments.reduce(&log_id).await.unwrap();
        payments
            .append(
                payment,
                &PaymentEvent::Captured { amount: 7 },
                &AppendOptions::default(),
            )
            .await
            .unwrap();
        let payment = payments.reduce(&log_id).await.unwrap();
        assert_eq!(
            payment.aggregate(),
            &Payment {
                requested: 3,
                captured: 12,
                ..Payment::default()
            }
        );
        assert_eq!((payment.through_index(), payment.applied_events()), (2, 1));
        assert_eq!(payment.aggregate(), &full_fold(&payments, &log_id).await);
    }
}

#[tokio::test]
async fn a_log_longer_than_a_page_folds_like_a_short_one() {
    for page_size in [1, 2, 3, 7, 10, 11] {
        let options = LogManagerOptions {
            page_size: NonZeroUsize::new(page_size).unwrap(),
            ..Default::default()
        };
        let payments = LogManager::<Payment>::new(
            SqliteEventStore::in_memory().await.unwrap(),
            MemoryAggregationCache::default(),
            options,
        );
        let log_id = LogId::new();
        let state = payments
            .create(
                &log_id,
                &PaymentEvent::Requested { amount: 1 },
                &CreateOptions::default(),
            )
            .await
            .unwrap();
        let batch: Vec<_> = (0..9)
            .map(|amount| PaymentEvent::Captured { amount })
            .collect();
        payments
            .append_all(state, &batch, &AppendOptions::default())
            .await
            .unwrap();
        let payment = payments.reduce(&log_id).await.unwrap();
        assert_eq!(
            (payment.aggregate().captured, payment.through_index()),
            (36, 9),
            "pages of {page_size}"
        );
    }
}

async fn a_restored_database_is_reduced_afresh(
    payments: LogManager<Payment>,
    execute: impl AsyncFn(&'static str),
) {
    let log_id = LogId::new();
    let mut state = payments
        .create(
            &log_id,
            &PaymentEvent::Requested { amount: 1 },
            &CreateOptions::default(),
        )
        .await
        .unwrap();
    let first = state;
    for amount in [10, 20, 30] {
        state = payments
            .append(
                state,
                &PaymentEvent::Captured { amount },
                &AppendOptions::default(),
            )
            .await
            .unwrap();
    }
    payments.reduce(&log_id).await.unwrap();
    payments.flush_cache().await;

    // The cache is ahead of the store.
    execute("delete from events where event_index > 1").await;
    let payment = payments.reduce(&log_id).await.unwrap();
    assert_eq!(
        (payment.aggregate().captured, payment.through_index()),
        (10, 1)
    );
    let into_the_hole = payments
        .append(state, &PaymentEvent::Voided, &AppendOptions::default())
        .await;
    assert!(
        matches!(into_the_hole, Err(LogManagerError::ConcurrentAppend { .. })),
        "{into_the_hole:?}"
    );

    // The cache has another history of the same length.
    payments.flush_cache().await;
    execute("delete from events where event_index > 0").await;
    payments
        .append(
            first,
            &PaymentEvent::Captured { amount: 77 },
            &AppendOptions::default(),
        )
        .await
        .unwrap();
    let payment = payments.reduce(&log_id).await.unwrap();
    assert_eq!(
        (payment.aggregate().captured, payment.through_index()),
        (77, 1)
    );

    // The log no longer exists.
    payments.flush_cache().await;
    execute("delete from events").await;
    let gone = payments.reduce(&log_id).await;
    assert!(
        matches!(gone, Err(LogManagerError::LogNotFound { .. })),
        "{gone:?}"
    );
}

async fn a_missing_event_is_an_error(
    payments: LogManager<Payment>,
    execute: impl AsyncFn(&'static str),
) {
    let log_id = LogId::new();
    let state = payments
        .create(
            &log_id,
            &PaymentEvent::Requested { amount: 1 },
            &CreateOptions::default(),
        )
        .await
        .unwrap();
    let batch = [
        PaymentEvent::Captured { amount: 1 },
        PaymentEvent::Captured { amount: 2 },
        PaymentEvent::Voided,
    ];
    payments
        .append_all(state, &batch, &AppendOptions::default())
        .await
        .unwrap();
    execute("delete from events where event_index = 2").await;
    let broken = payments.reduce(&log_id).await;
    assert!(
        matches!(
            broken,
            Err(LogManagerError::BrokenLog {
                expected: 2,
                found: 3,
                ..
            })
        ),
        "{broken:?}"
    );
    execute("delete from events where event_index = 0").await;
    let broken = payments.reduce(&log_id).await;
    assert!(
        matches!(
            broken,
            Err(LogManagerError::BrokenLog {
                expected: 0,
                found: 1,
                ..
            })
        ),
        "{broken:?}"
    );
}

#[tokio::test]
async fn the_aggregate_of_a_restored_file_is_reduced_afresh() {
    let file = TemporaryStore::open().await;
    let payments = payments(file.store.clone());
    a_restored_database_is_reduced_afresh(payments, async |sql| execute(&file.path(), sql).await)
        .await;
}

#[tokio::test]
async fn the_aggregate_of_a_restored_server_is_reduced_afresh() {
    let Some(server) = TestStore::new().await else {
        return;
    };
    let payments = payments(server.store.clone());
    a_restored_database_is_reduced_afresh(payments, async |sql| server.execute(sql).await).await;
}

#[tokio::test]
async fn a_missing_event_in_a_file_is_an_error_not_a_wrong_sum() {
    let file = TemporaryStore::open().await;
    let payments = payments(file.store.clone());
    a_missing_event_is_an_error(payments, async |sql| execute(&file.path(), sql).await).await;
}

#[tokio::test]
async fn a_missing_event_on_a_server_is_an_error_not_a_wrong_sum() {
    let Some(server) = TestStore::new().await else {
        return;
    };
    let payments = payments(server.store.clone());
    a_missing_event_is_an_error(payments, async |sql| server.execute(sql).await).await;
}

#[tokio::test]
async fn a_decision_folds_what_was_stored_not_what_was_said() {
    // The refund's note is not stored, so no reader sees it; the decision must not see it either.
    for payments in on_every_store_and_cache().await.split_off(2) {
        let log_id = crate::payments::captured(&payments).await;
        let noted = PaymentEvent::Refunded(crate::payments::Refund {
            amount: 4,
            note: "a friend".to_owned(),
        });
        let decided = payments
            .decide(&log_id, &DecideOptions::default(), |_| {
                Ok::<_, ()>([noted.clone()])
            })
            .await
            .unwrap();
        assert_eq!(
            decided.aggregation().aggregate(),
            &full_fold(&payments, &log_id).await
        );
        payments.flush_cache().await;
        assert_eq!(
            payments.reduce(&log_id).await.unwrap().aggregate().notes,
            ""
        );
    }
}

/// One step of a random history.
#[derive(Debug, Clone)]
enum Step {
    /// Appends this many events.
    Append(u8),
    /// Decides on one event.
    Decide,
    /// Reduces and waits until the cache has the result.
    Reduce,
    /// The cache forgets the log.
    Forget,
    /// The cache gets the result of an earlier reduction.
    Older,
    /// The cache gets a state of another history, possibly further.
    Forged(u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (1..5u8).prop_map(Step::Append),
        Just(Step::Decide),
        Just(Step::Reduce),
        Just(Step::Forget),
        Just(Step::Older),
        (0..12u8).prop_map(Step::Forged),
    ]
}

async fn run(
    steps: Vec<Step>,
    store: impl EventStore<PaymentEvent> + 'static,
    cache: impl AggregationCache<Payment>,
) {
    // The cache is shared, so that the test can change it while the manager uses it.
    let cache = Arc::new(cache);
    let payments = cached_payments(store, Arc::clone(&cache));
    let log_id = LogId::new();
    // The state that the log must reduce to, computed independently.
    let mut expected = Payment {
        requested: 1,
        ..Payment::default()
    };
    let mut state = payments
        .create(
            &log_id,
            &PaymentEvent::Requested { amount: 1 },
            &CreateOptions::default(),
        )
        .await
        .unwrap();
    let mut seen = Vec::new();
    for step in steps {
        match step {
            Step::Append(events) => {
                let batch: Vec<_> = (1..=u64::from(events))
                    .map(|amount| PaymentEvent::Captured { amount })
                    .collect();
                expected.captured += (1..=u64::from(events)).sum::<u64>();
                state = payments
                    .append_all(state, &batch, &AppendOptions::default())
                    .await
                    .unwrap();
            }
            Step::Decide => {
                let decide = |payment: &Payment| {
                    let amount = 1 + payment.outstanding() % 3;
                    Ok::<_, ()>([
                        PaymentEvent::Captured { amount: amount + 3 },
                        refund(amount),
                    ])
                };
                let amount = 1 + expected.outstanding() % 3;
                expected.captured += amount + 3;
                expected.refunded += amount;
                let decided = payments
                    .decide(&log_id, &DecideOptions::default(), decide)
                    .await
                    .unwrap();
                assert_eq!(decided.aggregation().aggregate(), &expected);
                state = decided.aggregation().state();
            }
            Step::Reduce => {
                let payment = payments.reduce(&log_id).await.unwrap();
                assert_eq!((payment.aggregate(), payment.state()), (&expected, state));
                seen.push(payment);
                payments.flush_cache().await;
            }
            Step::Forget => {
                if let Some(entry) = cache.get(log_id).await.unwrap() {
                    cache.remove(entry.position()).await.unwrap();
                }
            }
            Step::Older => {
                if let Some(older) = seen.first() {
                    if let Some(entry) = cache.get(log_id).await.unwrap() {
                        cache.remove(entry.position()).await.unwrap();
                    }
                    cache.put(older.clone(), None).await.unwrap();
                }
            }
            Step::Forged(index) => {
                let now = chrono::Utc::now();
                let reach = ReducedThrough {
                    log_id,
                    index: u64::from(index),
                    event_id: EventId::new(),
                    created_at: now,
                    updated_at: now,
                };
                let forged = Payment {
                    captured: 1_000_000,
                    ..Payment::default()
                };
                cache
                    .put(Aggregation::from_parts(Arc::new(forged), reach, now), None)
                    .await
                    .unwrap();
            }
        }
    }
    let payment = payments.reduce(&log_id).await.unwrap();
    assert_eq!((payment.aggregate(), payment.state()), (&expected, state));
    assert_eq!(full_fold(&payments, &log_id).await, expected);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_history_and_no_cache_content_changes_the_fold(steps in prop::collection::vec(step(), 1..24)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            run(steps.clone(), FakeEventStore::new(), FakeAggregationCache::new()).await;
            run(steps.clone(), SqliteEventStore::in_memory().await.unwrap(), FakeAggregationCache::new()).await;
            run(steps.clone(), SqliteEventStore::in_memory().await.unwrap(), MemoryAggregationCache::default()).await;
            if let Some(server) = TestStore::new().await {
                run(steps, server.store, MemoryAggregationCache::default()).await;
            }
        });
    }
}
