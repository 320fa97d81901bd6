//! More writes than the server can take: the queue is bounded, and a caller that gives up knows the outcome.

use super::TestStore;
use crate::payments::{Payment, PaymentEvent, payments, refund};
use eventlogs::ids::LogId;
use eventlogs::stores::{Limits, StoreError};
use eventlogs::{
    AppendOptions, CreateOptions, DecideError, DecideOptions, LogManager, LogManagerError,
    LogState, Metadata, PostgresOptions,
};
use futures_util::future::join_all;
use sqlx::{Connection, Executor, PgConnection, Row};
use std::time::{Duration, Instant};

/// Blocks all writers until it is rolled back.
async fn lock(connection: &mut PgConnection) -> sqlx::Transaction<'_, sqlx::Postgres> {
    let mut transaction = connection.begin().await.unwrap();
    transaction
        .execute("lock table events in share mode")
        .await
        .unwrap();
    transaction
}

fn small_queue() -> PostgresOptions {
    PostgresOptions {
        lock_timeout: Duration::from_secs(25),
        limits: Limits {
            max_queued_bytes: 64 * 1024,
            ..Limits::default()
        },
        ..PostgresOptions::default()
    }
}

/// Creates a log with an event that takes 8 KiB while it waits.
async fn create_large(
    payments: &LogManager<Payment>,
    log_id: LogId,
    deadline: Option<Instant>,
) -> Result<LogState<PaymentEvent>, LogManagerError> {
    let options = CreateOptions {
        metadata: Metadata::new().with("large", "x".repeat(7_950)),
        deadline,
        ..Default::default()
    };
    let requested = PaymentEvent::Requested { amount: 1 };
    payments.create(&log_id, &requested, &options).await
}

async fn is_stored(payments: &LogManager<Payment>, log_id: LogId) -> bool {
    match payments.reduce(&log_id).await {
        Ok(_) => true,
        Err(LogManagerError::LogNotFound { .. }) => false,
        Err(error) => panic!("the log can be read: {error:?}"),
    }
}

#[tokio::test]
async fn those_that_find_no_room_in_time_have_written_nothing() {
    let Some(store) = TestStore::with(small_queue()).await else {
        return;
    };
    let payments = payments(store.store.clone());
    let ids: Vec<_> = (0..200).map(|_| LogId::new()).collect();
    let mut connection = store.connection().await;
    let locked = lock(&mut connection).await;
    // As many as the queue has room for; they have no deadline.
    let (fitting, beyond) = ids.split_at(7);
    let waiting: Vec<_> = fitting
        .iter()
        .map(|log_id| {
            let (payments, log_id) = (payments.clone(), *log_id);
            tokio::spawn(async move { create_large(&payments, log_id, None).await })
        })
        .collect();
    // A pause, so that they are first in the queue.
    tokio::time::sleep(Duration::from_millis(50)).await;
    let deadline = Some(Instant::now() + Duration::from_millis(500));
    let late = beyond
        .iter()
        .map(|log_id| create_large(&payments, *log_id, deadline));
    for refused in join_all(late).await {
        assert!(
            matches!(
                refused,
                Err(LogManagerError::Store(StoreError::DeadlineExceeded))
            ),
            "{refused:?}"
        );
    }
    locked.rollback().await.unwrap();
    for waited in waiting {
        waited
            .await
            .unwrap()
            .expect("the queue has room, and the lock is gone");
    }
    for log_id in fitting {
        assert!(is_stored(&payments, *log_id).await);
    }
    let stored = sqlx::query("select count(*) from events")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(stored.get::<i64, _>(0), 7);
    // Writes that were refused because the queue was full can be tried again.
    for answer in join_all(beyond.iter().map(|id| create_large(&payments, *id, None))).await {
        answer.unwrap();
    }
}

/// Whatever the result: no event is stored after a result that says it is not.
#[tokio::test]
async fn those_that_run_out_of_time_are_told_the_truth() {
    let Some(store) = TestStore::with(PostgresOptions {
        timeout: Duration::from_millis(500),
        ..small_queue()
    })
    .await
    else {
        return;
    };
    let patient = payments(store.another().await);
    let payments = payments(store.store.clone());
    let ids: Vec<_> = (0..200).map(|_| LogId::new()).collect();
    let mut connection = store.connection().await;
    let locked = lock(&mut connection).await;
    let appends = ids
        .iter()
        .map(|log_id| create_large(&payments, *log_id, None));
    let answers = join_all(appends).await;
    locked.rollback().await.unwrap();
    let mut overloaded = 0;
    for (log_id, answer) in ids.iter().zip(&answers) {
        let unknown = match answer {
            Err(LogManagerError::Store(StoreError::Overloaded)) => {
                overloaded += 1;
                false
            }
            Err(LogManagerError::Store(
                StoreError::Busy { .. } | StoreError::Unavailable { .. },
            )) => false,
            Err(LogManagerError::Store(StoreError::OutcomeUnknown { .. })) => true,
            answer => panic!("the write cannot be stored, so it must fail: {answer:?}"),
        };
        if !unknown {
            assert!(!is_stored(&patient, *log_id).await, "{answer:?}");
        }
    }
    assert!(overloaded >= 190, "only {overloaded} writes were refused");
    // No write is stored later either.
    for (log_id, answer) in ids.iter().zip(&answers) {
        let unknown = matches!(
            answer,
            Err(LogManagerError::Store(StoreError::OutcomeUnknown { .. }))
        );
        let created = create_large(&patient, *log_id, None).await;
        let exists = matches!(created, Err(LogManagerError::LogAlreadyExists { .. }));
        assert!(created.is_ok() || (unknown && exists), "{created:?}");
    }
}

/// A write larger than the whole queue waits until it is alone, and not indefinitely.
#[tokio::test]
async fn a_write_larger_than_the_queue_travels_alone() {
    let Some(store) = TestStore::with(PostgresOptions {
        limits: Limits {
            max_queued_bytes: 1,
            ..Limits::default()
        },
        ..PostgresOptions::default()
    })
    .await
    else {
        return;
    };
    let payments = payments(store.store.clone());
    let ids: Vec<_> = (0..20).map(|_| LogId::new()).collect();
    for answer in join_all(ids.iter().map(|id| create_large(&payments, *id, None))).await {
        answer.expect("each write gets its turn");
    }
}

#[tokio::test]
async fn a_decision_keeps_its_deadline() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    let payments = payments(store.store.clone());
    let log_id = crate::payments::captured(&payments).await;
    let mut connection = store.connection().await;
    let decide = || {
        let options = DecideOptions {
            deadline: Some(Instant::now() + Duration::from_millis(300)),
            ..Default::default()
        };
        let payments = payments.clone();
        async move {
            payments
                .decide(&log_id, &options, |_| Ok::<_, ()>([refund(1)]))
                .await
        }
    };
    // The lock blocks all readers.
    let mut locked = connection.begin().await.unwrap();
    locked
        .execute("lock table events in access exclusive mode")
        .await
        .unwrap();
    let late = decide().await;
    assert!(
        matches!(
            late,
            Err(DecideError::Log(LogManagerError::Store(
                StoreError::DeadlineExceeded
            )))
        ),
        "{late:?}"
    );
    locked.rollback().await.unwrap();
    assert_eq!(payments.reduce(&log_id).await.unwrap().through_index(), 1);
    payments.flush_cache().await;

    // The lock blocks all writers; the decision runs on the cached state.
    let locked = lock(&mut connection).await;
    let late = decide().await;
    let Err(DecideError::Log(LogManagerError::Store(error))) = late else {
        panic!("the decision cannot be stored: {late:?}");
    };
    locked.rollback().await.unwrap();
    let unknown = matches!(error, StoreError::OutcomeUnknown { .. });
    let decided = payments
        .decide(&log_id, &DecideOptions::default(), |_| {
            Ok::<_, ()>([refund(10)])
        })
        .await
        .unwrap();
    let refunded = decided.aggregation().aggregate().refunded;
    assert!(
        refunded == 10 || (unknown && refunded == 11),
        "{error:?}, but {refunded} refunded"
    );
}

/// In one statement, which is the gain of deciding on writes in flight.
#[tokio::test]
async fn decisions_that_are_on_their_way_together_are_committed_together() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    let payments = payments(store.store.clone());
    let log_id = crate::payments::captured(&payments).await;
    payments.reduce(&log_id).await.unwrap();
    payments.flush_cache().await;
    let options = DecideOptions::default();
    let decisions =
        (0..200).map(|_| payments.decide(&log_id, &options, |_| Ok::<_, ()>([refund(1)])));
    for decided in join_all(decisions).await {
        decided.unwrap();
    }
    let row =
        sqlx::query("select count(*), count(distinct tx::text) from events where log_id = $1")
            .bind(log_id.as_uuid())
            .fetch_one(&mut store.connection().await)
            .await
            .unwrap();
    assert_eq!(row.get::<i64, _>(0), 202);
    let transactions: i64 = row.get(1);
    assert!(transactions < 50, "{transactions} transactions");
}

/// Each task writes to a log of its own, and continues as soon as its last event is stored.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn appends_of_a_few_tasks_are_committed_together() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    let payments = payments(store.store.clone());
    let tasks = (0..8).map(|_| {
        let payments = payments.clone();
        tokio::spawn(async move {
            let requested = PaymentEvent::Requested { amount: 1 };
            let options = CreateOptions::default();
            let created = payments.create(&LogId::new(), &requested, &options).await;
            let mut state = created.unwrap();
            for _ in 0..20 {
                let options = AppendOptions::default();
                let appended = payments.append(state, &refund(1), &options).await;
                state = appended.unwrap();
            }
        })
    });
    for task in join_all(tasks).await {
        task.unwrap();
    }
    let row = sqlx::query("select count(*), count(distinct tx::text) from events")
        .fetch_one(&mut store.connection().await)
        .await
        .unwrap();
    assert_eq!(row.get::<i64, _>(0), 168);
    let transactions: i64 = row.get(1);
    assert!(transactions < 84, "{transactions} transactions");
}
