//! What reductions find in the cache, and how many events they apply.

use super::recorder::Measured;
use crate::counting::Remote;
use crate::payments::{Payment, PaymentEvent, cached_payments, captured, refund};
use crate::postgres::TestStore;
use crate::telemetry::Log;
use eventlogs::caches::CacheError;
use eventlogs::ids::{EventId, LogId};
use eventlogs::stores::fake::FakeEventStore;
use eventlogs::{
    Aggregation, AggregationCache, AppendOptions, EventStore, Freshness, LogManager,
    LogManagerOptions, LogPosition, LogState, MemoryAggregationCache, ReduceOptions,
    ReducedThrough, TieredAggregationCache,
};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;

/// Returns how often each result was counted, without those that never were.
fn lookups(measured: &Measured) -> Vec<(&'static str, usize)> {
    let results = [
        "hit", "miss", "stale", "ahead", "forked", "too_slow", "failed",
    ];
    let counted = results.map(|result| {
        let labels = [("aggregate", "Payment"), ("result", result)];
        let counted = measured.with("eventlogs_cache_lookups_total", &labels);
        (result, counted.len())
    });
    let total = measured.of("eventlogs_cache_lookups_total").len();
    assert_eq!(total, counted.iter().map(|(_, count)| count).sum::<usize>());
    counted
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .collect()
}

/// Returns how many events each reduction has applied.
fn reduced(measured: &Measured) -> String {
    let reduced = measured.with("eventlogs_reduced_events", &[("aggregate", "Payment")]);
    assert_eq!(reduced, measured.of("eventlogs_reduced_events"));
    format!("{reduced:?}")
}

/// Puts a state of another history into the cache.
async fn forge(cache: &impl AggregationCache<Payment>, log_id: LogId, index: u64) {
    cache.forget(log_id).await.unwrap();
    let now = chrono::Utc::now();
    let reach = ReducedThrough {
        log_id,
        index,
        event_id: EventId::new(),
        created_at: now,
        updated_at: now,
    };
    let forged = Aggregation::from_parts(Arc::default(), reach, now);
    cache.put(forged, None).await.unwrap();
}

async fn each_lookup_is_counted_once(
    store: impl EventStore<PaymentEvent> + Clone,
    cache: impl AggregationCache<Payment>,
) {
    let measured = Measured::default();
    let _guard = metrics::set_default_local_recorder(&measured);
    let cache = Arc::new(cache);
    let payments = cached_payments(store.clone(), Arc::clone(&cache));
    let log_id = captured(&payments).await;
    assert_eq!(lookups(&measured), []);
    payments.reduce(log_id).await.unwrap();
    assert_eq!(lookups(&measured), [("miss", 1)]);
    payments.flush_cache().await;
    payments.reduce(log_id).await.unwrap();
    assert_eq!(lookups(&measured), [("hit", 1), ("miss", 1)]);
    let cached = ReduceOptions {
        freshness: Freshness::Cached,
    };
    payments.reduce_with(log_id, &cached).await.unwrap();
    assert_eq!(lookups(&measured), [("hit", 2), ("miss", 1)]);

    let elsewhere = LogManager::<Payment>::new(
        store,
        MemoryAggregationCache::default(),
        LogManagerOptions::default(),
    );
    let none = AppendOptions::default();
    elsewhere
        .append(LogState::at(log_id, 1), &refund(1), &none)
        .await
        .unwrap();
    payments.reduce(log_id).await.unwrap();
    let so_far = |further: &[(&'static str, usize)]| {
        let mut counted = vec![("hit", 2), ("miss", 1), ("stale", 1)];
        counted.extend(further);
        counted
    };
    assert_eq!(lookups(&measured), so_far(&[]));
    payments.flush_cache().await;
    assert_eq!(reduced(&measured), "[2.0, 0.0, 1.0]");

    forge(&cache, log_id, 7).await;
    payments.reduce(log_id).await.unwrap();
    assert_eq!(lookups(&measured), so_far(&[("ahead", 1)]));
    payments.flush_cache().await;
    forge(&cache, log_id, 2).await;
    payments.reduce(log_id).await.unwrap();
    assert_eq!(lookups(&measured), so_far(&[("ahead", 1), ("forked", 1)]));
    payments.flush_cache().await;
    forge(&cache, log_id, 1).await;
    payments.reduce(log_id).await.unwrap();
    assert_eq!(lookups(&measured), so_far(&[("ahead", 1), ("forked", 2)]));
    assert_eq!(reduced(&measured), "[2.0, 0.0, 1.0, 3.0, 3.0, 3.0]");
}

#[tokio::test]
async fn what_reductions_find_in_the_cache_is_counted() {
    let near = MemoryAggregationCache::default;
    let fake = FakeEventStore::encoding;
    each_lookup_is_counted_once(fake(), near()).await;
    each_lookup_is_counted_once(fake(), Remote::default()).await;
    if let Some(store) = TestStore::new().await {
        each_lookup_is_counted_once(store.store.clone(), near()).await;
        each_lookup_is_counted_once(store.store.clone(), Remote::default()).await;
        let tiers = TieredAggregationCache::new(near(), Remote::default());
        each_lookup_is_counted_once(store.store, tiers).await;
    }
}

/// Fails or hangs.
struct Bad {
    hangs: bool,
    is_remote: bool,
    puts: Arc<Semaphore>,
}

impl AggregationCache<Payment> for Bad {
    async fn get(&self, _: LogId) -> Result<Option<Aggregation<Payment>>, CacheError> {
        if self.hangs {
            std::future::pending::<()>().await;
        }
        Err("down".into())
    }

    fn is_remote(&self) -> bool {
        self.is_remote
    }

    async fn put(&self, _: Aggregation<Payment>, _: Option<Duration>) -> Result<(), CacheError> {
        self.puts.acquire().await?.forget();
        Ok(())
    }

    async fn remove(&self, _: LogPosition) -> Result<(), CacheError> {
        Ok(())
    }

    async fn forget(&self, _: LogId) -> Result<(), CacheError> {
        Ok(())
    }
}

async fn bad_lookups_are_counted(store: impl EventStore<PaymentEvent> + Clone) {
    for (hangs, result) in [(true, "too_slow"), (false, "failed")] {
        for is_remote in [true, false] {
            let measured = Measured::default();
            let _guard = metrics::set_default_local_recorder(&measured);
            let puts = Arc::new(Semaphore::new(100));
            let bad = Bad {
                hangs,
                is_remote,
                puts,
            };
            let payments = cached_payments(store.clone(), bad);
            let log_id = captured(&payments).await;
            payments.reduce(log_id).await.unwrap();
            payments.reduce(log_id).await.unwrap();
            assert_eq!(lookups(&measured), [(result, 2)], "remote: {is_remote}");
            assert_eq!(reduced(&measured), "[2.0, 2.0]");
        }
    }
}

#[tokio::test]
async fn lookups_that_fail_or_take_too_long_are_counted() {
    bad_lookups_are_counted(FakeEventStore::new()).await;
    if let Some(store) = TestStore::new().await {
        bad_lookups_are_counted(store.store).await;
    }
}

/// A cache that is down would fill the log: each lookup is counted, and few are logged.
#[tokio::test]
async fn a_bad_cache_is_logged_seldom() {
    for (hangs, message) in [
        (true, "the cache is too slow; reducing without it"),
        (false, "the cache failed; reducing without it"),
    ] {
        let measured = Measured::default();
        let _guard = metrics::set_default_local_recorder(&measured);
        let log = Log::default();
        let subscriber = tracing_subscriber::registry().with(log.clone());
        let subscriber = subscriber.with(LevelFilter::WARN);
        let _log = tracing::subscriber::set_default(subscriber);
        let bad = Bad {
            hangs,
            is_remote: true,
            puts: Arc::new(Semaphore::new(100)),
        };
        let payments = cached_payments(FakeEventStore::new(), bad);
        let log_id = captured(&payments).await;
        for _ in 0..5 {
            payments.reduce(log_id).await.unwrap();
        }
        payments.flush_cache().await;
        assert_eq!(measured.of("eventlogs_cache_lookups_total").len(), 5);
        assert_eq!(log.messages(), [message]);
    }
}

#[tokio::test]
async fn aggregates_that_do_not_fit_into_the_queue_are_counted() {
    dropped().await;
}

pub(super) async fn dropped() -> Measured {
    let measured = Measured::default();
    let _guard = metrics::set_default_local_recorder(&measured);
    let puts = Arc::new(Semaphore::new(0));
    let bad = Bad {
        hangs: false,
        is_remote: false,
        puts: Arc::clone(&puts),
    };
    let options = LogManagerOptions {
        cache_queue: 1,
        cache_write_timeout: Duration::from_mins(1),
        ..Default::default()
    };
    let payments = LogManager::<Payment>::new(FakeEventStore::new(), bad, options);
    let dropped = || {
        let labels = [("aggregate", "Payment"), ("store", "fake")];
        measured
            .with("eventlogs_cache_dropped_total", &labels)
            .len()
    };
    let first = captured(&payments).await;
    payments.reduce(first).await.unwrap();
    // The task takes it from the queue.
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    let waits = captured(&payments).await;
    payments.reduce(waits).await.unwrap();
    assert_eq!(dropped(), 0);
    for number in 1..=3 {
        let log_id = captured(&payments).await;
        payments.reduce(log_id).await.unwrap();
        assert_eq!(dropped(), number);
    }
    payments.reduce(waits).await.unwrap();
    assert_eq!(dropped(), 3, "a log that waits takes one place");
    puts.add_permits(100);
    payments.flush_cache().await;
    measured.clone()
}
