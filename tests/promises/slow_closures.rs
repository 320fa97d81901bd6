//! A closure or an aggregate that takes long delays its own log, and no thread but its own.

use crate::payments::{Payment, PaymentEvent};
use crate::payments::{captured, payments, refund};
use crate::postgres::TestStore;
use crate::sqlite_file::TemporaryStore;
use eventlogs::LogManager;
use eventlogs::ids::LogId;
use eventlogs::stores::StoreError;
use eventlogs::stores::fake::FakeEventStore;
use eventlogs::{DecideError, DecideOptions, EventStore, LogManagerError};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// Duration of the closure.
const LONG: Duration = Duration::from_secs(1);
/// Time allowed for operations that must not wait for the closure, on a busy machine.
const SOON: Duration = Duration::from_millis(700);

/// Decides with a closure that blocks its thread, and signals that it has begun.
async fn slowly(payments: LogManager<Payment>, log_id: LogId, begun: oneshot::Sender<()>) {
    let mut begun = Some(begun);
    let options = DecideOptions::default();
    let deciding = payments.decide(&log_id, &options, |_| {
        if let Some(begun) = begun.take() {
            begun.send(()).expect("the test waits for the signal");
            tokio::task::block_in_place(|| std::thread::sleep(LONG));
        }
        Ok::<_, ()>([refund(1)])
    });
    deciding.await.expect("the decision never refuses");
}

async fn only_its_own_log_waits(store: impl EventStore<PaymentEvent>) {
    let payments = payments(store);
    let log_id = captured(&payments).await;
    let other = captured(&payments).await;
    let (begun, has_begun) = oneshot::channel();
    let slow = tokio::spawn(slowly(payments.clone(), log_id, begun));
    has_begun.await.unwrap();
    let start = Instant::now();
    let waiting = (0..8).map(|_| {
        let payments = payments.clone();
        tokio::spawn(async move {
            let options = DecideOptions::default();
            let decided = payments.decide(&log_id, &options, |_| Ok::<_, ()>([refund(1)]));
            decided.await.expect("the decision gets its turn");
        })
    });
    let waiting: Vec<_> = waiting.collect();
    let hurried = (0..4).map(|_| {
        let payments = payments.clone();
        tokio::spawn(async move {
            let options = DecideOptions {
                deadline: Some(Instant::now() + Duration::from_millis(200)),
                ..Default::default()
            };
            let decided = payments.decide(&log_id, &options, |_| Ok::<_, ()>([refund(50)]));
            (decided.await, start.elapsed())
        })
    });
    let hurried: Vec<_> = hurried.collect();
    for _ in 0..20 {
        let payments = payments.clone();
        let loading = tokio::spawn(async move { payments.load(&other, 0, 10).await });
        assert_eq!(loading.await.unwrap().unwrap().len(), 2);
    }
    assert!(start.elapsed() < SOON, "loads took {:?}", start.elapsed());
    for hurried in hurried {
        let (answer, took) = hurried.await.unwrap();
        assert!(
            matches!(
                answer,
                Err(DecideError::Log(LogManagerError::Store(
                    StoreError::DeadlineExceeded
                )))
            ),
            "{answer:?}"
        );
        assert!(took < SOON, "{took:?}");
    }
    slow.await.unwrap();
    for waiting in waiting {
        waiting.await.unwrap();
    }
    let refunded = payments.reduce(&log_id).await.unwrap().aggregate().refunded;
    assert_eq!(refunded, 9);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_closure_holds_up_its_own_log_on_the_fake() {
    only_its_own_log_waits(FakeEventStore::new()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_closure_holds_up_its_own_log_on_sqlite() {
    only_its_own_log_waits(TemporaryStore::open().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_closure_holds_up_its_own_log_on_postgres() {
    if let Some(store) = TestStore::new().await {
        only_its_own_log_waits(store.store.clone()).await;
    }
}

/// The decision before the slow one returns meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_closure_holds_up_no_answer() {
    let file = TemporaryStore::open().await;
    let payments = payments(file.store.clone());
    let log_id = captured(&payments).await;
    let (first, second) = (payments.clone(), payments.clone());
    let (begun, has_begun) = oneshot::channel();
    // The slow decision follows at once after the other, which is then in flight.
    let slow = tokio::spawn(async move {
        has_begun.await.unwrap();
        let (begun, _listening) = oneshot::channel();
        slowly(second, log_id, begun).await;
    });
    let mut begun = Some(begun);
    let start = Instant::now();
    let options = DecideOptions::default();
    let decided = first.decide(&log_id, &options, |_| {
        if let Some(begun) = begun.take() {
            begun.send(()).expect("the other task waits for the signal");
        }
        Ok::<_, ()>([refund(2)])
    });
    let decided = decided.await.unwrap();
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
    assert_eq!(decided.aggregation().aggregate().refunded, 2);
    slow.await.unwrap();
}

/// Decisions on one log run in the order of arrival: none is overtaken for long while every task decides on the log.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn turns_are_taken_in_the_order_of_arrival() {
    let file = TemporaryStore::open().await;
    let payments = payments(file.store.clone());
    let log_id = captured(&payments).await;
    let longest = Arc::new(AtomicU64::new(0));
    let decided = Arc::new(AtomicU64::new(0));
    let tasks = (0..32).map(|_| {
        let payments = payments.clone();
        let (longest, decided) = (Arc::clone(&longest), Arc::clone(&decided));
        tokio::spawn(async move {
            for _ in 0..30 {
                let before = decided.load(Ordering::SeqCst);
                let options = DecideOptions::default();
                let answer = payments.decide(&log_id, &options, |_| {
                    // Enough yields for the other tasks to arrive.
                    for _ in 0..1_000 {
                        std::hint::spin_loop();
                    }
                    Ok::<_, ()>([PaymentEvent::Captured { amount: 1 }])
                });
                answer.await.unwrap();
                let meanwhile = decided.fetch_add(1, Ordering::SeqCst) - before;
                longest.fetch_max(meanwhile, Ordering::SeqCst);
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    // While one decision waits, each of the others runs once or twice; a task that is not polled for a while does not count as
    // waiting.
    let longest = longest.load(Ordering::SeqCst);
    assert!(longest < 400, "{longest} of 960 decisions overtook one");
}
