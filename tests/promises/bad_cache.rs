//! A cache that is slow, down, hung or wrong never gets in the way.

use crate::payments::{Payment, PaymentEvent, captured, refund};
use eventlogs::caches::CacheError;
use eventlogs::ids::LogId;
use eventlogs::stores::fake::FakeEventStore;
use eventlogs::{
    Aggregation, AggregationCache, AppendOptions, DecideOptions, LogManager, LogManagerOptions,
    LogPosition,
};
use std::sync::Arc;
use std::time::Duration;

/// Returns an error from every call.
struct Broken;

impl AggregationCache<Payment> for Broken {
    async fn get(&self, _: LogId) -> Result<Option<Aggregation<Payment>>, CacheError> {
        Err("the cache is down".into())
    }

    async fn put(&self, _: Aggregation<Payment>, _: Option<Duration>) -> Result<(), CacheError> {
        Err("the cache is full".into())
    }

    async fn remove(&self, _: LogPosition) -> Result<(), CacheError> {
        Err("the cache is read-only".into())
    }

    async fn forget(&self, _: LogId) -> Result<(), CacheError> {
        Err("the cache is read-only".into())
    }
}

/// Never returns from any call.
struct Hung;

impl AggregationCache<Payment> for Hung {
    async fn get(&self, _: LogId) -> Result<Option<Aggregation<Payment>>, CacheError> {
        std::future::pending().await
    }

    async fn put(&self, _: Aggregation<Payment>, _: Option<Duration>) -> Result<(), CacheError> {
        std::future::pending().await
    }

    async fn remove(&self, _: LogPosition) -> Result<(), CacheError> {
        std::future::pending().await
    }

    async fn forget(&self, _: LogId) -> Result<(), CacheError> {
        std::future::pending().await
    }
}

/// Returns the same entry for every log, which belongs to a log that no test uses.
struct Confused;

impl AggregationCache<Payment> for Confused {
    async fn get(&self, _: LogId) -> Result<Option<Aggregation<Payment>>, CacheError> {
        let now = chrono::Utc::now();
        let reach = eventlogs::ReducedThrough {
            log_id: LogId::new(),
            index: 0,
            event_id: eventlogs::ids::EventId::new(),
            created_at: now,
            updated_at: now,
        };
        let other = Payment {
            captured: 9_999,
            ..Payment::default()
        };
        Ok(Some(Aggregation::from_parts(Arc::new(other), reach, now)))
    }

    async fn put(&self, _: Aggregation<Payment>, _: Option<Duration>) -> Result<(), CacheError> {
        Ok(())
    }

    async fn remove(&self, _: LogPosition) -> Result<(), CacheError> {
        Ok(())
    }

    async fn forget(&self, _: LogId) -> Result<(), CacheError> {
        Ok(())
    }
}

async fn everything_works_with(cache: impl AggregationCache<Payment>) {
    let options = LogManagerOptions {
        cache_timeout: Duration::from_millis(1),
        cache_write_timeout: Duration::from_millis(1),
        ..Default::default()
    };
    let payments = LogManager::<Payment>::new(FakeEventStore::new(), cache, options);
    let log_id = captured(&payments).await;
    for _ in 0..3 {
        assert_eq!(
            payments.reduce(&log_id).await.unwrap().aggregate().captured,
            100
        );
    }
    let decided = payments
        .decide(&log_id, &DecideOptions::default(), |_| {
            Ok::<_, ()>([refund(30)])
        })
        .await
        .unwrap();
    assert_eq!(decided.aggregation().aggregate().outstanding(), 70);
    let state = decided.into_aggregation();
    payments
        .append(state, &PaymentEvent::Voided, &AppendOptions::default())
        .await
        .unwrap();
    assert_eq!(
        payments.reduce(&log_id).await.unwrap().aggregate().voided,
        1
    );
    payments.flush_cache().await;
}

#[tokio::test]
async fn a_cache_that_fails_is_a_miss() {
    everything_works_with(Broken).await;
}

#[tokio::test]
async fn a_cache_that_hangs_costs_its_time_box() {
    everything_works_with(Hung).await;
}

#[tokio::test]
async fn an_entry_of_another_log_is_a_miss() {
    everything_works_with(Confused).await;
}

/// Delays every write until the test allows it.
#[derive(Clone)]
struct Slow {
    gate: Arc<tokio::sync::Semaphore>,
    entered: Arc<tokio::sync::Notify>,
    written: Arc<std::sync::Mutex<Vec<(LogId, u64)>>>,
}

impl AggregationCache<Payment> for Slow {
    async fn get(&self, _: LogId) -> Result<Option<Aggregation<Payment>>, CacheError> {
        Ok(None)
    }

    async fn put(
        &self,
        aggregation: Aggregation<Payment>,
        _: Option<Duration>,
    ) -> Result<(), CacheError> {
        self.entered.notify_one();
        self.gate.acquire().await?.forget();
        self.written
            .lock()
            .unwrap()
            .push((aggregation.log_id(), aggregation.through_index()));
        Ok(())
    }

    async fn remove(&self, _: LogPosition) -> Result<(), CacheError> {
        Ok(())
    }

    async fn forget(&self, _: LogId) -> Result<(), CacheError> {
        Ok(())
    }
}

#[tokio::test]
async fn waiting_writes_are_bounded_and_hold_the_newest_of_each_log() {
    let slow = Slow {
        gate: Arc::new(tokio::sync::Semaphore::new(0)),
        entered: Arc::default(),
        written: Arc::default(),
    };
    let options = LogManagerOptions {
        cache_queue: 2,
        cache_write_timeout: Duration::from_mins(1),
        ..Default::default()
    };
    let payments = LogManager::<Payment>::new(FakeEventStore::new(), slow.clone(), options);
    let first = captured(&payments).await;
    payments.reduce(&first).await.unwrap();
    // The first write is in flight; later ones wait for it.
    slow.entered.notified().await;
    let second = captured(&payments).await;
    for _ in 0..5 {
        let payment = payments.reduce(&second).await.unwrap();
        payments
            .append(payment, &refund(1), &AppendOptions::default())
            .await
            .unwrap();
    }
    let third = captured(&payments).await;
    payments.reduce(&third).await.unwrap();
    let dropped = captured(&payments).await;
    payments.reduce(&dropped).await.unwrap();

    slow.gate.add_permits(100);
    payments.flush_cache().await;
    let mut written = slow.written.lock().unwrap().clone();
    written.sort_unstable();
    let mut expected = vec![(first, 1), (second, 5), (third, 1)];
    expected.sort_unstable();
    assert_eq!(written, expected);
}
