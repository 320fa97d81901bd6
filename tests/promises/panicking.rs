//! Aggregates whose `apply` panics: a caller whose events are stored never gets an error that says otherwise, nor that a log is
//! damaged.

use crate::gated::{Gated, stored};
use crate::payments::PaymentEvent;
use crate::postgres::TestStore;
use crate::sqlite_file::TemporaryStore;
use eventlogs::ids::LogId;
use eventlogs::stores::fake::FakeEventStore;
use eventlogs::{
    Aggregate, CreateOptions, DecideError, DecideOptions, Decided, EventRecord, EventStore,
    LogManager, LogManagerError, LogManagerOptions, MemoryAggregationCache,
};
use futures_util::FutureExt;
use futures_util::future::join_all;
use std::any::Any;
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Mutex, PoisonError};

/// The plan of each log: the calls of `apply` that panic.
static PLANS: Mutex<Option<HashMap<LogId, Plan>>> = Mutex::new(None);

#[derive(Clone, Copy)]
struct Plan {
    /// The number of calls so far.
    calls: u64,
    /// Returns `true` if this call panics.
    panics: fn(call: u64, wanted: u64) -> bool,
    wanted: u64,
}

fn plan(log_id: LogId, wanted: u64, panics: fn(u64, u64) -> bool) {
    let plan = Plan {
        calls: 0,
        panics,
        wanted,
    };
    let mut plans = PLANS.lock().unwrap_or_else(PoisonError::into_inner);
    plans.get_or_insert_default().insert(log_id, plan);
}

fn panics_now(log_id: LogId) -> bool {
    let mut plans = PLANS.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(plan) = plans.get_or_insert_default().get_mut(&log_id) else {
        return false;
    };
    plan.calls += 1;
    (plan.panics)(plan.calls, plan.wanted)
}

#[derive(Debug, Default, Clone, PartialEq)]
struct Touchy {
    captured: u64,
    half_done: u64,
}

impl Aggregate for Touchy {
    type Event = PaymentEvent;

    fn apply(&mut self, record: &impl EventRecord<PaymentEvent>) {
        self.half_done += 1;
        assert!(!panics_now(record.log_id()), "a bug of the aggregate");
        if let PaymentEvent::Captured { amount } = record.event() {
            self.captured += amount;
        }
        self.half_done -= 1;
    }
}

fn touchy(store: impl EventStore<PaymentEvent>) -> LogManager<Touchy> {
    let cache = MemoryAggregationCache::default();
    LogManager::new(store, cache, LogManagerOptions::default())
}

/// Creates a log that a decision finds in the cache.
async fn cached(manager: &LogManager<Touchy>) -> LogId {
    let log_id = LogId::new();
    let requested = PaymentEvent::Requested { amount: 1 };
    let options = CreateOptions::default();
    manager.create(&log_id, &requested, &options).await.unwrap();
    manager.reduce(&log_id).await.unwrap();
    manager.flush_cache().await;
    log_id
}

type Answer = Result<Result<Decided<Touchy>, DecideError<()>>, Box<dyn Any + Send>>;

async fn capturing(manager: LogManager<Touchy>, log_id: LogId, amount: u64) -> Answer {
    let options = DecideOptions::default();
    let deciding = manager.decide(&log_id, &options, |_| {
        Ok([PaymentEvent::Captured { amount }])
    });
    AssertUnwindSafe(deciding).catch_unwind().await
}

/// Compares the result of each caller with the content of the log.
async fn check(manager: &LogManager<Touchy>, log_id: LogId, told: Vec<(u64, Answer)>) {
    plan(log_id, 0, |_, _| false);
    let records = manager.load(&log_id, 0, 100_000).await.unwrap();
    let amount_at = |index: u64| {
        let record = &records[usize::try_from(index).unwrap()];
        match record.event() {
            PaymentEvent::Captured { amount } => *amount,
            event => panic!("{event:?}"),
        }
    };
    let place = |wanted: u64| {
        let captured = PaymentEvent::Captured { amount: wanted };
        records
            .iter()
            .filter(move |record| *record.event() == captured)
    };
    for (amount, answer) in told {
        let stored = place(amount).count();
        assert!(stored <= 1);
        match answer {
            Ok(Ok(decided)) => {
                let aggregation = decided.into_aggregation();
                assert_eq!(amount_at(aggregation.through_index()), amount);
                assert_eq!(aggregation.aggregate().half_done, 0);
                let through = usize::try_from(aggregation.through_index()).unwrap();
                let captured = (1..=through as u64).map(amount_at).sum::<u64>();
                assert_eq!(aggregation.aggregate().captured, captured);
            }
            Ok(Err(DecideError::Log(LogManagerError::StoredWithoutState {
                log_id: of,
                event_index,
                event_count,
                source,
                ..
            }))) => {
                assert_eq!((of, event_count), (log_id, 1));
                assert_eq!(amount_at(event_index), amount);
                assert!(
                    source.to_string().contains("a bug of the aggregate"),
                    "{source}"
                );
            }
            Ok(Err(error)) => panic!("{error:?}, although {stored} of its events are stored"),
            Err(_) => assert_eq!(stored, 0, "a panic, but the event is stored"),
        }
    }
    let reduced = manager.reduce(&log_id).await.unwrap();
    assert_eq!(reduced.through_index() + 1, records.len() as u64);
    assert_eq!(reduced.aggregate().half_done, 0);
}

/// Panics at any point: while other decisions build on writes in flight, or when the first or a later result is folded.
#[tokio::test]
async fn a_panic_at_any_call_is_nobody_elses() {
    for panics in [
        (|call, wanted| call == wanted) as fn(u64, u64) -> bool,
        |call, wanted| call >= wanted && (call - wanted).is_multiple_of(2),
        |call, wanted| call >= wanted && call < wanted + 3,
    ] {
        for wanted in 1..=12 {
            let store = Gated::new();
            let manager = touchy(store.clone());
            let log_id = cached(&manager).await;
            plan(log_id, wanted, panics);
            store.close();
            let mut told = Vec::new();
            for amount in 1..=6 {
                let deciding = tokio::spawn(capturing(manager.clone(), log_id, amount));
                tokio::task::yield_now().await;
                told.push((amount, deciding));
            }
            assert_eq!(stored(&store, log_id).await.len(), 1);
            store.open();
            let told = told.into_iter().map(|(amount, deciding)| async move {
                (amount, deciding.await.expect("panics are caught"))
            });
            let told = join_all(told).await;
            check(&manager, log_id, told).await;
        }
    }
}

/// A soak test: `apply` panics now and then under a load on one log.
async fn under_load(store: impl EventStore<PaymentEvent>) {
    let manager = touchy(store);
    for every in [2, 7, 31] {
        let log_id = cached(&manager).await;
        plan(log_id, every, u64::is_multiple_of);
        let tasks = (0..24_u64).map(|task| {
            let manager = manager.clone();
            tokio::spawn(async move {
                let mut told = Vec::new();
                for round in 0..10 {
                    let amount = 1 + task * 100 + round;
                    told.push((amount, capturing(manager.clone(), log_id, amount).await));
                }
                told
            })
        });
        let mut told = Vec::new();
        for task in tasks.collect::<Vec<_>>() {
            told.extend(task.await.unwrap());
        }
        check(&manager, log_id, told).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn panics_under_load_on_the_fake() {
    under_load(FakeEventStore::new()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn panics_under_load_on_sqlite() {
    under_load(TemporaryStore::open().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn panics_under_load_on_postgres() {
    if let Some(store) = TestStore::new().await {
        under_load(store.store.clone()).await;
    }
}
