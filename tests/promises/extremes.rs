//! Options at their extremes: users write "never", "no limit" and "none".

use crate::payments::{Payment, PaymentEvent, captured, payments, refund};
use crate::postgres::TestStore;
use eventlogs::ids::LogId;
use eventlogs::stores::Limits;
use eventlogs::stores::fake::FakeEventStore;
use eventlogs::{
    AppendOptions, CreateOptions, DecideOptions, EventStore, LogManager, LogManagerOptions,
    MemoryAggregationCache, PostgresOptions, SqliteEventStore, SqliteOptions,
};
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

/// Returns the last point in time that the clock can express.
fn end_of_time() -> Instant {
    let mut end = Instant::now();
    let mut step = Duration::MAX;
    while !step.is_zero() {
        match end.checked_add(step) {
            Some(later) => end = later,
            None => step /= 2,
        }
    }
    end
}

/// Takes a payment through its life, which must work as usual.
async fn works(payments: &LogManager<Payment>, deadline: Option<Instant>, max_attempts: u32) {
    let log_id = LogId::new();
    let create = CreateOptions {
        deadline,
        ..Default::default()
    };
    let requested = PaymentEvent::Requested { amount: 9 };
    let state = payments.create(&log_id, &requested, &create).await.unwrap();
    let append = AppendOptions {
        deadline,
        ..Default::default()
    };
    let captured = PaymentEvent::Captured { amount: 9 };
    let state = payments.append(state, &captured, &append).await.unwrap();
    let many = payments.append_across([(state, [refund(1)])], &append);
    many.await.unwrap();
    let decide = DecideOptions {
        deadline,
        max_attempts,
        idempotency_key: Some(log_id.to_string()),
        ..Default::default()
    };
    for _ in 0..2 {
        let decided = payments.decide(&log_id, &decide, |_| Ok::<_, ()>([refund(1)]));
        decided.await.unwrap();
    }
    let without_key = DecideOptions {
        idempotency_key: None,
        ..decide
    };
    let refused = payments.decide(&log_id, &without_key, |_| Err::<[_; 0], _>("no"));
    refused.await.unwrap_err();
    payments.flush_cache().await;
    let payment = payments.reduce(&log_id).await.unwrap();
    assert_eq!(payment.aggregate().refunded, 2);
    assert_eq!(
        payments.load(&log_id, 0, usize::MAX).await.unwrap().len(),
        4
    );
    let forgotten = payments.prune_idempotency_keys(Duration::MAX).await;
    assert_eq!(forgotten.unwrap(), 0);
}

fn limits(max: usize) -> Limits {
    Limits {
        max_events_per_append: max,
        max_payload_bytes: max,
        max_metadata_bytes: max,
        max_queued_bytes: max,
        max_waiting_reads: max,
    }
}

#[tokio::test]
async fn sqlite_takes_every_extreme() {
    for timeout in [
        Duration::MAX,
        Duration::from_secs(u64::MAX / 4),
        Duration::from_secs(5),
    ] {
        for limits in [
            limits(usize::MAX),
            Limits {
                max_queued_bytes: 0,
                ..Limits::default()
            },
        ] {
            let options = SqliteOptions {
                timeout,
                limits,
                ..Default::default()
            };
            let store = SqliteEventStore::in_memory_with(options).await.unwrap();
            let payments = payments(store);
            for deadline in [None, Some(end_of_time())] {
                works(&payments, deadline, 20).await;
            }
        }
    }
}

#[tokio::test]
async fn postgres_takes_every_extreme() {
    let options = PostgresOptions {
        timeout: Duration::from_secs(5),
        limits: limits(usize::MAX),
        ..Default::default()
    };
    if let Some(store) = TestStore::with(options).await {
        let payments = payments(store.store.clone());
        for deadline in [None, Some(end_of_time())] {
            works(&payments, deadline, 20).await;
        }
    }
}

async fn managers_take_every_extreme(store: impl EventStore<PaymentEvent> + Clone) {
    let defaults = LogManagerOptions::<Payment>::default;
    let every = [Duration::ZERO, Duration::MAX];
    let cases = every.into_iter().flat_map(|time| {
        [
            LogManagerOptions {
                cache_timeout: time,
                ..defaults()
            },
            LogManagerOptions {
                cache_write_timeout: time,
                ..defaults()
            },
        ]
    });
    let sizes = [0, 1, usize::MAX].map(|cache_queue| LogManagerOptions {
        cache_queue,
        ..defaults()
    });
    let pages = [NonZeroUsize::MIN, NonZeroUsize::MAX].map(|page_size| LogManagerOptions {
        page_size,
        ..defaults()
    });
    for options in cases.chain(sizes).chain(pages) {
        let cache = MemoryAggregationCache::default();
        let payments = LogManager::<Payment>::new(store.clone(), cache, options);
        for max_attempts in [0, 1, u32::MAX] {
            works(&payments, Some(end_of_time()), max_attempts).await;
        }
        captured(&payments).await;
    }
}

#[tokio::test]
async fn managers_on_the_fake_take_every_extreme() {
    managers_take_every_extreme(FakeEventStore::new()).await;
}

#[tokio::test]
async fn managers_on_sqlite_take_every_extreme() {
    managers_take_every_extreme(SqliteEventStore::in_memory().await.unwrap()).await;
}
