//! Many callers who reduce one log that the cache does not have share a read. None of them gets a state that is older than its
//! call, and none of them suffers from another.

use crate::counting::{Counting, asked, polled_once};
use crate::payments::{Payment, PaymentEvent, captured, payments, refund};
use crate::postgres::TestStore;
use crate::sqlite_file::{TemporaryStore, execute};
use eventlogs::caches::CacheError;
use eventlogs::ids::LogId;
use eventlogs::stores::StoreError;
use eventlogs::stores::fake::FakeEventStore;
use eventlogs::{
    Aggregate, Aggregation, AggregationCache, AppendOptions, EventRecord, EventStore, LogManager,
    LogManagerError, LogManagerOptions, LogPosition, LogState, MemoryAggregationCache,
};
use futures_util::FutureExt;
use futures_util::future::join_all;
use std::iter;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::task::JoinHandle;

/// Far more than any of these waits takes, and far less than the timeout of a store.
const SOON: Duration = Duration::from_secs(10);

async fn soon<T>(future: impl Future<Output = T>) -> T {
    let result = tokio::time::timeout(SOON, future).await;
    result.expect("nobody waits for a caller who does not go on")
}

/// Asks in a task of its own, which goes on by itself.
fn spawned(
    payments: &LogManager<Payment>,
    log_id: LogId,
) -> JoinHandle<Result<Aggregation<Payment>, LogManagerError>> {
    let payments = payments.clone();
    tokio::spawn(async move { payments.reduce(log_id).await })
}

async fn one_full_read(store: impl EventStore<PaymentEvent> + Clone) {
    let store = Counting::new(store);
    let payments = payments(store.clone());
    let log_id = captured(&payments).await;
    store.hold();
    // The first call sends the full read.
    let first = spawned(&payments, log_id);
    store.until_held(1).await;
    let early = asked(249, || payments.reduce(log_id)).await;
    // The full read has its events. This one is not among them.
    let none = AppendOptions::default();
    let state = LogState::at(log_id, 1);
    payments.append(state, &refund(10), &none).await.unwrap();
    let late = asked(250, || payments.reduce(log_id)).await;
    store.release();
    let state = first.await.unwrap().unwrap();
    let aggregate = state.aggregate();
    assert_eq!((state.through_index(), aggregate.captured), (1, 100));
    assert_eq!(aggregate.refunded, 0);
    // All who asked after it was sent are answered together.
    for state in join_all(early.into_iter().chain(late)).await {
        let state = state.unwrap();
        let aggregate = state.aggregate();
        assert_eq!((state.through_index(), aggregate.captured), (2, 100));
        assert_eq!((aggregate.requested, aggregate.refunded), (100, 10));
    }
    assert_eq!(store.folds(), (1, 1));
    // The next one starts from the cache.
    payments.flush_cache().await;
    assert_eq!(payments.reduce(log_id).await.unwrap().applied_events(), 0);
    assert_eq!(store.folds(), (1, 2));
}

#[tokio::test]
async fn five_hundred_callers_cause_one_full_read_and_one_of_the_events_since_on_the_fake() {
    one_full_read(FakeEventStore::encoding()).await;
    one_full_read(FakeEventStore::new()).await;
}

#[tokio::test]
async fn five_hundred_callers_cause_one_full_read_and_one_of_the_events_since_on_sqlite() {
    one_full_read(TemporaryStore::open().await.kept()).await;
}

#[tokio::test]
async fn five_hundred_callers_cause_one_full_read_and_one_of_the_events_since_on_postgres() {
    if let Some(store) = TestStore::new().await {
        one_full_read(store.store).await;
    }
}

/// Keeps nothing, so that each reduction reads the whole log.
struct Nothing;

impl<A: Send + Sync + 'static> AggregationCache<A> for Nothing {
    async fn get(&self, _: LogId) -> Result<Option<Aggregation<A>>, CacheError> {
        Ok(None)
    }

    async fn put(&self, _: Aggregation<A>, _: Option<Duration>) -> Result<(), CacheError> {
        Ok(())
    }

    async fn remove(&self, _: LogPosition) -> Result<(), CacheError> {
        Ok(())
    }

    async fn forget(&self, _: LogId) -> Result<(), CacheError> {
        Ok(())
    }
}

/// A soak test: readers compare each state with what was acknowledged before they asked.
async fn never_older(
    store: impl EventStore<PaymentEvent> + Clone,
    cache: impl AggregationCache<Payment>,
) {
    let payments = LogManager::<Payment>::new(store, cache, LogManagerOptions::default());
    let log_id = captured(&payments).await;
    let acknowledged = Arc::new(AtomicU64::new(1));
    let is_over = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = (0..32)
        .map(|_| {
            let (payments, acknowledged) = (payments.clone(), Arc::clone(&acknowledged));
            let is_over = Arc::clone(&is_over);
            tokio::spawn(async move {
                while !is_over.load(Ordering::SeqCst) {
                    let known = acknowledged.load(Ordering::SeqCst);
                    let state = payments.reduce(log_id).await.unwrap();
                    let index = state.through_index();
                    assert!(index >= known, "{index} is older than {known}");
                    // Each event captures one.
                    assert_eq!(state.aggregate().captured, 99 + index);
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    let none = AppendOptions::default();
    for index in 1..100 {
        let one = PaymentEvent::Captured { amount: 1 };
        let appended = payments.append(LogState::at(log_id, index), &one, &none);
        acknowledged.store(appended.await.unwrap().index(), Ordering::SeqCst);
    }
    is_over.store(true, Ordering::SeqCst);
    for reader in readers {
        reader.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_state_is_older_than_its_call_on_the_fake() {
    never_older(FakeEventStore::encoding(), Nothing).await;
    never_older(
        FakeEventStore::encoding(),
        MemoryAggregationCache::default(),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_state_is_older_than_its_call_on_sqlite() {
    never_older(TemporaryStore::open().await.kept(), Nothing).await;
    let cache = MemoryAggregationCache::default();
    never_older(TemporaryStore::open().await.kept(), cache).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_state_is_older_than_its_call_on_postgres() {
    if let Some(store) = TestStore::new().await {
        never_older(store.store.clone(), Nothing).await;
        never_older(store.store.clone(), MemoryAggregationCache::default()).await;
        never_older(store.store, crate::counting::Remote::default()).await;
    }
}

#[tokio::test]
async fn a_caller_who_gives_up_takes_no_other_caller_along() {
    let store = Counting::new(FakeEventStore::new());
    let payments = payments(store.clone());
    let log_id = captured(&payments).await;
    store.hold();
    let mut callers = asked(100, || payments.reduce(log_id)).await;
    store.until_held(1).await;
    // The one whose call started the read, and some others.
    drop(callers.drain(..30));
    store.release();
    for state in soon(join_all(callers)).await {
        assert_eq!(state.unwrap().aggregate().captured, 100);
    }
    assert_eq!(
        store.folds(),
        (1, 1),
        "one full read, and one of the events since"
    );

    // If nobody else waits, the read ends with its caller, and the next one reads.
    let log_id = captured(&payments).await;
    store.hold();
    let first = tokio::spawn({
        let payments = payments.clone();
        async move { payments.reduce(log_id).await }
    });
    store.until_held(1).await;
    first.abort();
    first.await.unwrap_err();
    let others = asked(10, || payments.reduce(log_id)).await;
    store.release();
    for state in soon(join_all(others)).await {
        assert_eq!(state.unwrap().aggregate().captured, 100);
    }
    assert_eq!(store.folds(), (3, 2));
}

/// Returns the address of the cause that the wrapper made.
fn cause(result: Result<Aggregation<Payment>, LogManagerError>) -> usize {
    match result {
        Err(LogManagerError::Store(StoreError::Database { source })) => {
            assert_eq!(source.to_string(), "on purpose");
            std::ptr::from_ref(&*source).cast::<()>().addr()
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_error_reaches_those_who_waited_and_nobody_else() {
    let store = Counting::new(FakeEventStore::new());
    let payments = payments(store.clone());
    let log_id = captured(&payments).await;
    store.hold();
    store.fail_next(2);
    let first = asked(1, || payments.reduce(log_id)).await;
    store.until_held(1).await;
    let others = asked(50, || payments.reduce(log_id)).await;
    store.release();
    let first: Vec<_> = join_all(first).await.into_iter().map(cause).collect();
    let causes: Vec<_> = join_all(others).await.into_iter().map(cause).collect();
    assert!(causes.iter().all(|cause| *cause == causes[0]));
    assert_ne!(first[0], causes[0], "that was another read");
    // Nothing is known after a failed read: the next one reads the whole log.
    assert_eq!(store.folds(), (2, 0));
    let state = payments.reduce(log_id).await.unwrap();
    assert_eq!(state.aggregate().captured, 100);
    assert_eq!(store.folds(), (3, 0));

    let log_id = captured(&payments).await;
    store.fail_next(1);
    cause(payments.reduce(log_id).await);
    let state = payments.reduce(log_id).await.unwrap();
    assert_eq!(state.aggregate().captured, 100);
}

static PANICS: AtomicBool = AtomicBool::new(false);

/// An aggregate whose `apply` panics as long as a test demands it.
#[derive(Debug, Default, Clone)]
struct Bomb {
    events: u64,
}

impl Aggregate for Bomb {
    type Event = PaymentEvent;

    fn apply(&mut self, _: &impl EventRecord<PaymentEvent>) {
        assert!(!PANICS.load(Ordering::SeqCst), "a bug of the aggregate");
        self.events += 1;
    }
}

#[tokio::test]
async fn a_panic_of_the_aggregate_reaches_all_who_waited_and_nobody_else() {
    let store = Counting::new(FakeEventStore::new());
    let payments = payments(store.clone());
    let cache = MemoryAggregationCache::default();
    let bombs = LogManager::<Bomb>::new(store.clone(), cache, LogManagerOptions::default());
    let log_id = captured(&payments).await;
    for events in [2, 3] {
        store.hold();
        let first = asked(1, || bombs.reduce(log_id)).await;
        store.until_held(1).await;
        let state = LogState::at(log_id, events - 1);
        let none = AppendOptions::default();
        payments.append(state, &refund(1), &none).await.unwrap();
        PANICS.store(true, Ordering::SeqCst);
        let waiting = asked(50, || AssertUnwindSafe(bombs.reduce(log_id)).catch_unwind()).await;
        let before = store.folds();
        store.release();
        for state in soon(join_all(first)).await {
            assert_eq!(state.unwrap().aggregate().events, events);
        }
        for panic in soon(join_all(waiting)).await {
            let panic = panic.expect_err("a panic");
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
            assert_eq!(text, Some("a bug of the aggregate"));
        }
        PANICS.store(false, Ordering::SeqCst);
        let expected = (before.0, before.1 + 1);
        assert_eq!(store.folds(), expected, "all waited for one read");
        let state = soon(bombs.reduce(log_id)).await.unwrap();
        assert_eq!(state.aggregate().events, events + 1);
        bombs.flush_cache().await;
        bombs.forget_cached(log_id).await.unwrap();
    }
}

#[tokio::test]
async fn whoever_asks_after_a_log_was_forgotten_gets_nothing_that_was_read_before() {
    let file = TemporaryStore::open().await;
    let path = file.path();
    let store = Counting::new(file.kept());
    let payments = payments(store.clone());
    let log_id = captured(&payments).await;
    store.hold();
    let early = spawned(&payments, log_id);
    store.until_held(1).await;
    let change =
        r#"update events set payload = cast('{"amount":7}' as blob) where event_index = 1"#;
    execute(&path, change).await;
    payments.forget_cached(log_id).await.unwrap();
    let late = asked(5, || payments.reduce(log_id)).await;
    store.release();
    let early = early.await.unwrap().unwrap();
    assert_eq!(early.aggregate().captured, 100, "read before");
    for state in join_all(late).await {
        assert_eq!(state.unwrap().aggregate().captured, 7);
    }
    assert_eq!(store.folds(), (2, 0));
    payments.flush_cache().await;
    let state = payments.reduce(log_id).await.unwrap();
    assert_eq!(state.aggregate().captured, 7);
}

async fn nothing_is_found(store: impl EventStore<PaymentEvent> + Clone) {
    let store = Counting::new(store);
    let payments = payments(store.clone());
    let log_id = LogId::new();
    store.hold();
    let first = spawned(&payments, log_id);
    store.until_held(1).await;
    let others = asked(99, || payments.reduce(log_id)).await;
    store.release();
    let first = first.await.unwrap();
    for result in iter::once(first).chain(join_all(others).await) {
        assert!(
            matches!(result, Err(LogManagerError::LogNotFound { log_id: of, .. }) if of == log_id),
            "{result:?}"
        );
    }
    assert_eq!(store.folds(), (2, 0), "one read per group of callers");
}

#[tokio::test]
async fn a_log_that_does_not_exist_is_found_by_nobody() {
    nothing_is_found(FakeEventStore::new()).await;
    nothing_is_found(FakeEventStore::encoding()).await;
    nothing_is_found(TemporaryStore::open().await.kept()).await;
    if let Some(store) = TestStore::new().await {
        nothing_is_found(store.store).await;
    }
}

#[tokio::test]
async fn a_caller_who_stops_polling_holds_up_nobody_who_waits_for_the_same_log() {
    let store = Counting::new(FakeEventStore::new());
    let payments = payments(store.clone());
    let log_id = captured(&payments).await;
    // Its call sends the read.
    store.hold();
    let parked = asked(1, || payments.reduce(log_id)).await;
    store.release();
    for _ in 0..3 {
        let state = soon(payments.reduce(log_id)).await.unwrap();
        assert_eq!(state.aggregate().captured, 100);
    }
    for state in join_all(parked).await {
        assert_eq!(state.unwrap().aggregate().captured, 100);
    }
}

async fn parked_callers(flush: bool) {
    let Some(store) = TestStore::new().await else {
        return;
    };
    let payments = payments(store.store.clone());
    let mut logs = Vec::new();
    for _ in 0..10 {
        let log_id = captured(&payments).await;
        if flush {
            payments.reduce(log_id).await.unwrap();
        }
        logs.push(log_id);
    }
    payments.flush_cache().await;
    let mut parked = Vec::new();
    // On a busy machine, an answer may be there before its caller looks for it.
    for log_id in logs.iter().cycle().take(10_000) {
        parked.extend(polled_once(5, || payments.reduce(*log_id)).await);
        if parked.len() > 40 {
            break;
        }
    }
    assert!(parked.len() > 10, "{} of them wait", parked.len());
    for _ in 0..3 {
        for state in soon(join_all(logs.iter().map(|log_id| payments.reduce(*log_id)))).await {
            assert_eq!(state.unwrap().aggregate().captured, 100);
        }
        for state in soon(payments.reduce_many(logs.clone())).await {
            assert_eq!(state.unwrap().aggregate().captured, 100);
        }
    }
    for state in soon(join_all(parked)).await {
        assert_eq!(state.unwrap().aggregate().captured, 100);
    }
}

#[tokio::test]
async fn callers_of_cached_logs_who_stop_polling_hold_up_nobody_on_postgres() {
    parked_callers(true).await;
}

#[tokio::test]
async fn callers_of_other_logs_who_stop_polling_hold_up_nobody_on_postgres() {
    parked_callers(false).await;
}

#[test]
fn the_end_of_the_runtime_that_reads_harms_nobody_on_another_one() {
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(1).enable_all().build().unwrap()
    };
    let (first, second) = (runtime(), runtime());
    let store = Counting::new(FakeEventStore::new());
    let payments = payments(store.clone());
    let log_id = second.block_on(captured(&payments));
    store.hold();
    let reading = first.spawn({
        let payments = payments.clone();
        async move { payments.reduce(log_id).await.map(drop) }
    });
    second.block_on(async {
        store.until_held(1).await;
        let waiting = asked(5, || payments.reduce(log_id)).await;
        first.shutdown_background();
        reading.await.unwrap_err();
        store.release();
        for state in soon(join_all(waiting)).await {
            assert_eq!(state.unwrap().aggregate().captured, 100);
        }
        let state = soon(payments.reduce(log_id)).await.unwrap();
        assert_eq!(state.aggregate().captured, 100);
    });
}
