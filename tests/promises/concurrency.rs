//! Real tasks on several threads, and a check of what they were told against what is stored.

use crate::payments::{Payment, PaymentEvent, payments};
use crate::postgres::TestStore;
use crate::sqlite_file::TemporaryStore;
use eventlogs::ids::LogId;
use eventlogs::stores::fake::FakeEventStore;
use eventlogs::{
    AppendOptions, CreateOptions, EventRecord, LogManager, LogManagerError, LogState,
    SqliteEventStore,
};
use std::collections::{HashMap, HashSet};

/// One acknowledged append.
#[derive(Debug, Clone)]
struct Acknowledged {
    log_id: LogId,
    state: LogState,
    /// Unique for each append, so that it can be found again.
    amount: u64,
    key: Option<String>,
}

/// What one task was told.
#[derive(Debug, Default)]
struct History {
    acknowledged: Vec<Acknowledged>,
    replayed: Vec<(String, LogId, u64)>,
    conflicts: u64,
}

/// Appends to a few logs as fast as it can, sometimes with a key that a sibling uses, too.
async fn work(payments: LogManager<Payment>, logs: Vec<LogId>, task: u64) -> History {
    let mut history = History::default();
    for round in 0..60 {
        let log_id = logs[fastrand_index(task, round, logs.len())];
        let state = payments
            .reduce(&log_id)
            .await
            .expect("the log is there")
            .state();
        // So that others get in between also where nothing ever waits.
        tokio::task::yield_now().await;
        let amount = 1_000_000 + task * 1_000 + round;
        // Every third append shares its key with a twin task that aims at the same log.
        let key = (round % 3 == 0).then(|| format!("{log_id}-{round}-{}", task / 2));
        let options = AppendOptions {
            idempotency_key: key.clone(),
            ..Default::default()
        };
        match payments
            .append(state, &PaymentEvent::Captured { amount }, &options)
            .await
        {
            Ok(state) => history.acknowledged.push(Acknowledged {
                log_id,
                state,
                amount,
                key,
            }),
            Err(LogManagerError::ConcurrentAppend { .. }) => history.conflicts += 1,
            Err(LogManagerError::IdempotentReplay {
                log_id,
                event_index,
                ..
            }) => {
                history.replayed.push((
                    key.expect("only keyed appends are replays"),
                    log_id,
                    event_index,
                ));
            }
            Err(error) => panic!("unexpected: {error:?}"),
        }
    }
    history
}

/// A choice that twins make alike, and that spreads over the logs.
fn fastrand_index(task: u64, round: u64, logs: usize) -> usize {
    usize::try_from((task / 2 * 31 + round * 17) % logs as u64).expect("a small number")
}

async fn check(managers: Vec<LogManager<Payment>>) {
    let mut logs = Vec::new();
    for _ in 0..3 {
        let log_id = LogId::new();
        managers[0]
            .create(
                &log_id,
                &PaymentEvent::Requested { amount: 1 },
                &CreateOptions::default(),
            )
            .await
            .unwrap();
        logs.push(log_id);
    }
    let tasks: Vec<_> = (0..12u64)
        .map(|task| {
            let manager = managers[usize::try_from(task).unwrap() % managers.len()].clone();
            tokio::spawn(work(manager, logs.clone(), task))
        })
        .collect();
    let mut histories = Vec::new();
    for task in tasks {
        histories.push(task.await.unwrap());
    }

    let mut stored = HashMap::new();
    for log_id in &logs {
        let records = managers[0].load(log_id, 0, 100_000).await.unwrap();
        for (record, index) in records.iter().zip(0..) {
            assert_eq!(record.index(), index, "indices are dense");
            stored.insert((*log_id, index), record.clone());
        }
    }
    let acknowledged: Vec<_> = histories
        .iter()
        .flat_map(|history| &history.acknowledged)
        .collect();
    assert_eq!(
        stored.len(),
        logs.len() + acknowledged.len(),
        "what is stored is what was acknowledged"
    );
    let mut places = HashSet::new();
    let mut by_key = HashMap::new();
    for ack in acknowledged {
        let place = (ack.log_id, ack.state.index());
        assert!(places.insert(place), "{place:?} has two winners");
        let record = &stored[&place];
        assert_eq!(record.state(), ack.state);
        assert_eq!(
            record.event(),
            &PaymentEvent::Captured { amount: ack.amount }
        );
        if let Some(key) = &ack.key {
            assert!(
                by_key.insert(key.clone(), place).is_none(),
                "{key} was used twice"
            );
        }
    }
    for (key, log_id, index) in histories.iter().flat_map(|history| &history.replayed) {
        assert_eq!(
            by_key.get(key),
            Some(&(*log_id, *index)),
            "a replay answers what the original was told"
        );
    }
    let conflicts: u64 = histories.iter().map(|history| history.conflicts).sum();
    assert!(conflicts > 0, "the tasks did race");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_answer_is_true_on_the_fake() {
    let store = FakeEventStore::new();
    check((0..3).map(|_| payments(store.clone())).collect()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_answer_is_true_on_sqlite_with_one_writer() {
    let file = TemporaryStore::open().await;
    check((0..3).map(|_| payments(file.store.clone())).collect()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_answer_is_true_on_sqlite_with_a_writer_each() {
    let file = TemporaryStore::open().await;
    let mut managers = Vec::new();
    for _ in 0..3 {
        managers.push(payments(SqliteEventStore::open(file.path()).await.unwrap()));
    }
    check(managers).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_answer_is_true_on_postgres_with_a_pool_each() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    let mut managers = Vec::new();
    for _ in 0..3 {
        managers.push(payments(store.another().await));
    }
    check(managers).await;
}
