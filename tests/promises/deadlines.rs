//! Deadlines and durations are exact: on databases, before the call, in the queue and during a write.

use crate::payments::{Payment, PaymentEvent, captured, payments, refund};
use crate::postgres::TestStore;
use crate::sqlite_file::{TemporaryStore, connect};
use eventlogs::ids::LogId;
use eventlogs::stores::StoreError;
use eventlogs::{
    AppendOptions, CreateOptions, DecideError, DecideOptions, LogManager, LogManagerError,
    LogState, SqliteEventStore, SqliteOptions,
};
use std::time::{Duration, Instant};

/// Allowance for a late result on a busy machine.
const LATE: Duration = Duration::from_millis(400);

fn store_error<T: std::fmt::Debug>(answer: Result<T, LogManagerError>) -> StoreError {
    match answer {
        Err(LogManagerError::Store(error)) => error,
        answer => panic!("{answer:?}"),
    }
}

fn of_decide<T>(answer: Result<T, DecideError<()>>) -> Result<T, LogManagerError> {
    answer.map_err(|error| match error {
        DecideError::Log(error) => error,
        other => panic!("no decision refuses: {other:?}"),
    })
}

/// Runs each kind of write with a deadline, and returns its error. Writes other than creations use a log of their own.
async fn written_by(
    payments: &LogManager<Payment>,
    logs: [LogId; 5],
    deadline: impl Fn() -> Instant,
) -> Vec<(&'static str, StoreError)> {
    let append = || AppendOptions {
        deadline: Some(deadline()),
        ..Default::default()
    };
    let [new, one, all, many, decided] = logs;
    let requested = PaymentEvent::Requested { amount: 1 };
    let create = CreateOptions {
        deadline: Some(deadline()),
        ..Default::default()
    };
    let created = payments.create(&new, &requested, &create).await;
    let appended = payments
        .append(LogState::at(one, 1), &refund(1), &append())
        .await;
    let both = [refund(1), refund(1)];
    let appended_all = payments
        .append_all(LogState::at(all, 1), &both, &append())
        .await;
    let parts = [(LogState::at(many, 1), [refund(1)])];
    let appended_many = payments.append_across(parts, &append()).await;
    let options = DecideOptions {
        deadline: Some(deadline()),
        ..Default::default()
    };
    let decided = payments.decide(&decided, &options, |_| Ok::<_, ()>([refund(1)]));
    let decided = of_decide(decided.await);
    vec![
        ("create", store_error(created)),
        ("append", store_error(appended)),
        ("append_all", store_error(appended_all)),
        ("append_across", store_error(appended_many)),
        ("decide", store_error(decided)),
    ]
}

async fn logs(payments: &LogManager<Payment>) -> [LogId; 5] {
    let mut logs = [LogId::new(); 5];
    for log_id in &mut logs[1..] {
        *log_id = captured(payments).await;
        payments.reduce(*log_id).await.unwrap();
    }
    payments.flush_cache().await;
    logs
}

async fn nothing_is_stored(payments: &LogManager<Payment>, logs: [LogId; 5]) {
    let new = payments.reduce(&logs[0]).await;
    assert!(
        matches!(new, Err(LogManagerError::LogNotFound { .. })),
        "{new:?}"
    );
    for log_id in &logs[1..] {
        let payment = payments.reduce(log_id).await.unwrap();
        assert_eq!(payment.through_index(), 1);
    }
}

async fn passed_at_the_call(payments: LogManager<Payment>) {
    let logs = logs(&payments).await;
    let past = Instant::now();
    for (operation, error) in written_by(&payments, logs, || past).await {
        assert!(
            matches!(error, StoreError::DeadlineExceeded),
            "{operation}: {error:?}"
        );
    }
    nothing_is_stored(&payments, logs).await;
}

#[tokio::test]
async fn a_deadline_that_had_passed_at_the_call_on_sqlite() {
    let file = TemporaryStore::open().await;
    passed_at_the_call(payments(file.store.clone())).await;
}

#[tokio::test]
async fn a_deadline_that_had_passed_at_the_call_on_postgres() {
    if let Some(store) = TestStore::new().await {
        passed_at_the_call(payments(store.store.clone())).await;
    }
}

/// Another connection's lock on a SQLite file, and the one write that the store is busy with meanwhile.
struct Stuck {
    lock: sqlx::SqliteConnection,
    first: tokio::task::JoinHandle<Result<LogState<PaymentEvent>, LogManagerError>>,
}

impl Stuck {
    async fn new(file: &TemporaryStore, deadline: Option<Instant>) -> Self {
        let mut lock = connect(&file.path()).await;
        let begin = sqlx::raw_sql("begin immediate").execute(&mut lock).await;
        begin.expect("no other writer holds the lock");
        let payments = payments(file.store.clone());
        let first = tokio::spawn(async move {
            let requested = PaymentEvent::Requested { amount: 1 };
            let options = CreateOptions {
                deadline,
                ..Default::default()
            };
            payments.create(&LogId::new(), &requested, &options).await
        });
        // By then the writer has taken the write from the queue, and waits for the lock.
        tokio::time::sleep(Duration::from_millis(50)).await;
        Self { lock, first }
    }

    async fn let_go(mut self) -> Result<LogState<PaymentEvent>, LogManagerError> {
        let commit = sqlx::raw_sql("rollback").execute(&mut self.lock).await;
        commit.expect("the lock is held");
        self.first.await.unwrap()
    }
}

#[tokio::test]
async fn a_deadline_that_passes_in_the_queue_of_sqlite() {
    let file = TemporaryStore::open().await;
    let payments = payments(file.store.clone());
    let logs = logs(&payments).await;
    let stuck = Stuck::new(&file, None).await;
    let soon = || Instant::now() + Duration::from_millis(50);
    let start = Instant::now();
    for (operation, error) in written_by(&payments, logs, soon).await {
        assert!(
            matches!(error, StoreError::DeadlineExceeded),
            "{operation}: {error:?}"
        );
    }
    assert!(start.elapsed() < 5 * LATE, "{:?}", start.elapsed());
    stuck.let_go().await.expect("the write had no deadline");
    nothing_is_stored(&payments, logs).await;
}

/// A write in progress returns near its deadline, too, with the outcome as far as it is known then.
#[tokio::test]
async fn a_deadline_that_passes_while_sqlite_writes() {
    let file = TemporaryStore::open().await;
    let start = Instant::now();
    let deadline = start + Duration::from_millis(150);
    let mut stuck = Stuck::new(&file, Some(deadline)).await;
    let answer = (&mut stuck.first).await.unwrap();
    let late = start.elapsed().saturating_sub(Duration::from_millis(150));
    assert!(late < LATE, "{late:?}");
    let error = store_error(answer);
    assert!(
        matches!(
            error,
            StoreError::OutcomeUnknown { .. } | StoreError::DeadlineExceeded
        ),
        "{error:?}"
    );
}

/// The store's own timeout, if it is shorter than the deadline, returns another error.
#[tokio::test]
async fn a_store_that_does_not_get_to_it_in_its_own_time_is_overloaded() {
    let file = TemporaryStore::open().await;
    let options = SqliteOptions {
        timeout: Duration::from_millis(100),
        ..Default::default()
    };
    let hasty = SqliteEventStore::open_with(file.path(), options)
        .await
        .unwrap();
    let payments = payments(hasty);
    let mut lock = connect(&file.path()).await;
    let begin = sqlx::raw_sql("begin immediate").execute(&mut lock).await;
    begin.expect("no other writer holds the lock");
    let options = CreateOptions {
        deadline: Some(Instant::now() + Duration::from_hours(1)),
        ..Default::default()
    };
    let requested = PaymentEvent::Requested { amount: 1 };
    let (one, other) = (LogId::new(), LogId::new());
    let first = payments.create(&one, &requested, &options);
    let second = async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        payments.create(&other, &requested, &options).await
    };
    let (_, second) = futures_util::future::join(first, second).await;
    let error = store_error(second);
    assert!(matches!(error, StoreError::Overloaded), "{error:?}");
}

/// A log that another transaction has locked: its writes wait in the store, and are not in progress.
#[tokio::test]
async fn a_deadline_that_passes_before_a_lock_of_postgres() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    let payments = payments(store.store.clone());
    let log_id = captured(&payments).await;
    let pool = sqlx::PgPool::connect_with(store.connect.clone())
        .await
        .unwrap();
    let mut transaction = pool.begin().await.unwrap();
    let (at, theirs) = (LogState::at(log_id, 1), [refund(1)]);
    store
        .store
        .append_in(&mut transaction, at, &theirs, &AppendOptions::default())
        .await
        .unwrap();
    let start = Instant::now();
    let options = AppendOptions {
        deadline: Some(start + Duration::from_millis(450)),
        ..Default::default()
    };
    let ours = payments
        .append(LogState::at(log_id, 1), &refund(2), &options)
        .await;
    let late = start.elapsed().saturating_sub(Duration::from_millis(450));
    assert!(late < LATE, "{late:?}");
    transaction.rollback().await.unwrap();
    match store_error(ours) {
        StoreError::DeadlineExceeded | StoreError::Busy { .. } => {
            tokio::time::sleep(Duration::from_millis(300)).await;
            let payment = payments.reduce(&log_id).await.unwrap();
            assert_eq!(payment.through_index(), 1);
        }
        // The write was being sent once more at that moment.
        StoreError::OutcomeUnknown { .. } => {}
        error => panic!("{error:?}"),
    }
}
