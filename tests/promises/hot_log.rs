//! One log that every task decides on.

use crate::payments::{Payment, PaymentEvent, captured, payments, refund};
use crate::postgres::TestStore;
use crate::sqlite_file::TemporaryStore;
use eventlogs::ids::LogId;
use eventlogs::stores::fake::FakeEventStore;
use eventlogs::{Aggregate, Aggregation, DecideOptions, EventRecord, LogManager, SqliteEventStore};
use futures_util::future::join_all;
use std::future::poll_fn;
use std::task::Poll;

const TASKS: u64 = 32;
const ROUNDS: u64 = 30;

/// Returns the number of events of a decision.
fn events_of(round: u64) -> usize {
    if round.is_multiple_of(5) { 3 } else { 1 }
}

/// Runs the decisions of one task, each with an amount of its own, and returns their results.
async fn work(
    payments: LogManager<Payment>,
    log_id: LogId,
    task: u64,
) -> Vec<(u64, Aggregation<Payment>)> {
    let options = DecideOptions {
        // With several processes, a decision may be overtaken many times.
        max_attempts: 10_000,
        ..Default::default()
    };
    let mut told = Vec::new();
    for round in 0..ROUNDS {
        let amount = 1_000 + task * 100 + round;
        let decided = payments
            .decide(&log_id, &options, |_| {
                Ok::<_, ()>(vec![PaymentEvent::Captured { amount }; events_of(round)])
            })
            .await
            .expect("the decision never refuses");
        told.push((amount, decided.into_aggregation()));
    }
    told
}

/// Each decision is stored once, and each result is the fold of the log through its own events.
async fn everybody_decides(managers: Vec<LogManager<Payment>>) {
    let log_id = captured(&managers[0]).await;
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let manager = managers[usize::try_from(task).unwrap() % managers.len()].clone();
            tokio::spawn(work(manager, log_id, task))
        })
        .collect();
    let mut told = Vec::new();
    for task in tasks {
        told.extend(task.await.unwrap());
    }
    let records = managers[0].load(&log_id, 0, 100_000).await.unwrap();
    let mut states = Vec::new();
    let mut payment = Payment::default();
    for record in &records {
        payment.apply(record);
        states.push(payment.clone());
    }
    let decisions: usize = (0..ROUNDS).map(events_of).sum();
    let expected = 2 + usize::try_from(TASKS).unwrap() * decisions;
    assert_eq!(records.len(), expected, "every decision is stored once");
    for (amount, aggregation) in told {
        let index = usize::try_from(aggregation.through_index()).unwrap();
        let record = &records[index];
        assert_eq!(record.event(), &PaymentEvent::Captured { amount });
        assert_eq!(aggregation.state(), record.state());
        assert_eq!(aggregation.aggregate(), &states[index]);
        assert_eq!(aggregation.updated_at(), record.recorded_at());
        assert_eq!(aggregation.created_at(), records[0].recorded_at());
    }
    for manager in managers {
        manager.flush_cache().await;
        let reduced = manager.reduce(&log_id).await.unwrap();
        assert_eq!(reduced.aggregate(), &payment);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn everybody_decides_on_the_fake() {
    everybody_decides(vec![payments(FakeEventStore::new())]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn everybody_decides_on_sqlite() {
    let file = TemporaryStore::open().await;
    everybody_decides(vec![payments(file.store.clone())]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn everybody_decides_on_postgres() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    everybody_decides(vec![payments(store.store.clone())]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn everybody_in_several_processes_decides_on_postgres() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    let managers = [store.store.clone(), store.another().await];
    everybody_decides(managers.map(payments).into()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn everybody_in_several_processes_decides_on_sqlite() {
    let file = TemporaryStore::open().await;
    let other = SqliteEventStore::open(file.path()).await.unwrap();
    everybody_decides([file.store.clone(), other].map(payments).into()).await;
}

/// Creates a payment that a decision finds in the cache, so that its first poll queues the events.
async fn cached(payments: &LogManager<Payment>) -> LogId {
    let log_id = captured(payments).await;
    payments.reduce(&log_id).await.unwrap();
    payments.flush_cache().await;
    log_id
}

/// A dropped decision does not fail the decisions that build on it.
async fn one_of_many_is_dropped(payments: LogManager<Payment>) {
    for dropped in [0, 4, 15] {
        let log_id = cached(&payments).await;
        // One attempt is enough: another caller's drop is not a failed attempt.
        let options = DecideOptions {
            max_attempts: 1,
            ..Default::default()
        };
        let mut deciding = Vec::new();
        for task in 0..16u32 {
            let amount = 1 << task;
            let mut decide = Box::pin(payments.decide(&log_id, &options, move |_| {
                Ok::<_, ()>([PaymentEvent::Captured { amount }])
            }));
            let first = poll_fn(|context| Poll::Ready(decide.as_mut().poll(context))).await;
            deciding.push((decide, first));
        }
        drop(deciding.remove(dropped));
        let answers = join_all(deciding.into_iter().map(|(decide, first)| async {
            match first {
                Poll::Ready(answer) => answer,
                Poll::Pending => decide.await,
            }
        }));
        for answer in answers.await {
            answer.expect("the others succeed");
        }
        let all = (1 << 16) - 1;
        let captured = payments.reduce(&log_id).await.unwrap().aggregate().captured - 100;
        assert!(
            captured == all || captured == all - (1 << dropped),
            "{captured:b}: each amount is captured once, except perhaps the dropped one"
        );
    }
}

#[tokio::test]
async fn a_dropped_decision_takes_nobody_along_on_sqlite() {
    let file = TemporaryStore::open().await;
    one_of_many_is_dropped(payments(file.store.clone())).await;
}

#[tokio::test]
async fn a_dropped_decision_takes_nobody_along_on_postgres() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    one_of_many_is_dropped(payments(store.store.clone())).await;
}

/// The retry of a decision may be in flight together with the first attempt.
async fn twins_with_one_key(payments: LogManager<Payment>) {
    let log_id = cached(&payments).await;
    let decisions = (0..60u64).map(|task| {
        let payments = payments.clone();
        let pair = task / 2;
        tokio::spawn(async move {
            let options = DecideOptions {
                idempotency_key: Some(format!("{log_id}-{pair}")),
                max_attempts: 1_000,
                ..Default::default()
            };
            let decided = payments
                .decide(&log_id, &options, |_| Ok::<_, ()>([refund(1), refund(1)]))
                .await
                .expect("a replay is a success");
            let replayed = decided.replay().map(|replay| replay.state);
            (pair, replayed, decided.into_aggregation())
        })
    });
    let decisions: Vec<_> = decisions.collect();
    let mut told = Vec::new();
    for decision in decisions {
        told.push(decision.await.unwrap());
    }
    for pair in 0..30 {
        let twins: Vec<_> = told.iter().filter(|(of, _, _)| *of == pair).collect();
        let (decided, replayed) = match &twins[..] {
            [(_, None, one), (_, Some(replay), other)]
            | [(_, Some(replay), other), (_, None, one)] => ((one, replay), other),
            _ => panic!("one call decides, the other returns a replay: {twins:?}"),
        };
        assert_eq!(decided.0.state(), *decided.1);
        assert!(replayed.through_index() >= decided.0.through_index());
        for aggregation in [decided.0, replayed] {
            let refunded = aggregation.through_index() - 1;
            assert_eq!(aggregation.aggregate().refunded, refunded);
        }
    }
    let payment = payments.reduce(&log_id).await.unwrap();
    assert_eq!(payment.aggregate().refunded, 60);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn twins_with_one_key_decide_once_on_sqlite() {
    let file = TemporaryStore::open().await;
    twins_with_one_key(payments(file.store.clone())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn twins_with_one_key_decide_once_on_postgres() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    twins_with_one_key(payments(store.store.clone())).await;
}
