//! Real errors: their kind is the documented one, and their text alone says what, why and what to do.

use crate::payments::{Payment, PaymentEvent, captured, on_every_store, payments, refund};
use crate::postgres::TestStore;
use crate::sqlite_file::{TemporaryStore, connect, execute};
use eventlogs::ids::LogId;
use eventlogs::{
    Aggregate, AppendOptions, CreateOptions, DecideOptions, ErrorKind, Event, EventStore,
    LogManager, LogManagerError, LogManagerOptions, LogState, MemoryAggregationCache,
    PostgresEventStore, PostgresOptions, RedisAggregationCache, RequestFingerprint,
    SqliteEventStore, SqliteOptions, event_handler,
};
use std::error::Error;
use std::time::{Duration, Instant};

/// Checks what an error asks its reader to do.
#[track_caller]
fn asks<T: std::fmt::Debug>(answer: Result<T, LogManagerError>, kind: ErrorKind, again: bool) {
    let error = answer.expect_err("the call fails");
    assert_eq!(
        (error.kind(), error.is_retryable()),
        (kind, again),
        "{error}"
    );
    assert!(error.to_string().contains("; "), "no advice: {error}");
}

/// Checks that a text has a cause once, and returns it.
#[track_caller]
fn says(error: &dyn Error, cause: &str) -> String {
    let text = error.to_string();
    assert_eq!(text.matches(cause).count(), 1, "{text}");
    assert!(text.contains("; "), "no advice: {text}");
    assert!(!text.contains("error returned from database"), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
    text
}

fn keyed(key: &str, request: &[u8]) -> AppendOptions {
    AppendOptions {
        idempotency_key: Some(key.to_owned()),
        request_fingerprint: Some(RequestFingerprint::new(request)),
        ..AppendOptions::default()
    }
}

#[tokio::test]
async fn on_every_store_the_kinds_of_refusals_are_as_documented() {
    for (_, payments) in on_every_store().await {
        let (log_id, missing) = (captured(&payments).await, LogId::new());
        let (none, event) = (AppendOptions::NONE, refund(1));
        let append = |state, options| payments.append(state, &event, options);
        let old = LogState::at(log_id, 0);
        asks(append(old, none).await, ErrorKind::Conflict, false);
        let create = payments.create(log_id, &event, CreateOptions::NONE);
        asks(create.await, ErrorKind::Conflict, false);
        let begin = LogState::at(missing, 0);
        asks(append(begin, none).await, ErrorKind::NotFound, false);
        asks(payments.reduce(missing).await, ErrorKind::NotFound, false);

        let end = LogState::at(log_id, 1);
        let empty = keyed("", b"");
        asks(append(end, &empty).await, ErrorKind::Invalid, false);
        let key = format!("key of {log_id}");
        let one = keyed(&key, b"one");
        append(end, &one).await.unwrap();
        asks(append(end, &one).await, ErrorKind::Done, false);
        let other = keyed(&key, b"other");
        asks(append(end, &other).await, ErrorKind::Invalid, false);

        let over = AppendOptions {
            deadline: Some(Instant::now()),
            ..AppendOptions::default()
        };
        let end = LogState::at(log_id, 2);
        asks(append(end, &over).await, ErrorKind::TryAgain, false);
        let refused = payments
            .decide(log_id, DecideOptions::NONE, |payment| {
                assert_eq!(payment.refunded, 1);
                Err::<[PaymentEvent; 0], _>("too much")
            })
            .await;
        let refused = refused.expect_err("the closure refuses");
        assert_eq!(refused.kind(), ErrorKind::Refused);
        assert!(!refused.is_retryable());
    }
}

/// Events of newer code in logs of payments.
#[derive(Debug, Clone, PartialEq, Event)]
#[event(log_type = "payment")]
enum NewerEvent {
    /// No older code knows it.
    #[event(name = "payment.teleported")]
    Teleported,
    /// Older code expects another field.
    #[event(name = "payment.captured")]
    Captured { cents: u64 },
}

#[derive(Debug, Default, Clone, Aggregate)]
#[aggregate(event = NewerEvent)]
struct NewerPayment {
    cents: u64,
}

#[event_handler(NewerEvent, ignore(Teleported))]
impl NewerPayment {
    #[on(Captured)]
    fn capture(&mut self, cents: u64) {
        self.cents += cents;
    }
}

#[derive(Debug, Clone, PartialEq, Event)]
enum OrderEvent {
    #[event(name = "order.placed")]
    Placed,
}

#[derive(Debug, Default, Clone, Aggregate)]
#[aggregate(event = OrderEvent)]
struct Order {
    placed: u64,
}

#[event_handler(OrderEvent)]
impl Order {
    #[on(Placed)]
    fn place(&mut self) {
        self.placed += 1;
    }
}

fn manager<A: Aggregate>(store: impl EventStore<A::Event>) -> LogManager<A> {
    LogManager::new(
        store,
        MemoryAggregationCache::default(),
        LogManagerOptions::default(),
    )
}

/// Events that this code cannot read or write, and a log of another kind.
async fn what_the_code_cannot_read_says_why<S>(store: &S)
where
    S: EventStore<PaymentEvent> + EventStore<NewerEvent> + EventStore<OrderEvent> + Clone,
{
    let payments = payments(store.clone());
    let newer = manager::<NewerPayment>(store.clone());
    for (event, cause) in [
        (
            NewerEvent::Teleported,
            "this code knows no event of that name",
        ),
        (NewerEvent::Captured { cents: 1 }, "missing field `amount`"),
    ] {
        let log_id = LogId::new();
        let create = newer.create(log_id, &event, CreateOptions::NONE);
        create.await.unwrap();
        let error = payments.reduce(log_id).await.unwrap_err();
        let text = says(&error, cause);
        assert!(text.contains(&format!("event 0 of log {log_id}")), "{text}");
        asks::<()>(Err(error), ErrorKind::Unreadable, false);
        let decided = payments.decide(log_id, DecideOptions::NONE, |_| {
            Ok::<_, String>([refund(1)])
        });
        let error = decided.await.unwrap_err();
        says(&error, cause);
        assert_eq!(error.kind(), ErrorKind::Unreadable);
    }
    let nan = PaymentEvent::Rated(f64::NAN);
    let error = payments
        .create(LogId::new(), &nan, CreateOptions::NONE)
        .await
        .unwrap_err();
    says(&error, "NaN");
    asks::<()>(Err(error), ErrorKind::Internal, false);

    let order = LogId::new();
    let create = manager::<Order>(store.clone());
    create
        .create(order, &OrderEvent::Placed, CreateOptions::NONE)
        .await
        .unwrap();
    asks(payments.reduce(order).await, ErrorKind::NotFound, false);
    let event = refund(1);
    let append = payments.append(LogState::at(order, 0), &event, AppendOptions::NONE);
    asks(append.await, ErrorKind::NotFound, false);
}

#[tokio::test]
async fn on_every_database_what_the_code_cannot_read_says_why() {
    what_the_code_cannot_read_says_why(&SqliteEventStore::in_memory().await.unwrap()).await;
    if let Some(server) = TestStore::new().await {
        what_the_code_cannot_read_says_why(&server.store).await;
    }
}

async fn a_closed_store(payments: LogManager<Payment>) {
    asks(
        payments.reduce(LogId::new()).await,
        ErrorKind::Internal,
        false,
    );
    let event = refund(1);
    let create = payments.create(LogId::new(), &event, CreateOptions::NONE);
    asks(create.await, ErrorKind::Internal, false);
}

#[tokio::test]
async fn a_closed_store_is_a_mistake_of_the_service() {
    let file = TemporaryStore::open().await;
    file.store.close().await;
    a_closed_store(payments(file.store.clone())).await;
    if let Some(server) = TestStore::new().await {
        server.store.close().await;
        a_closed_store(payments(server.store.clone())).await;
    }
}

#[tokio::test]
async fn a_trigger_that_refuses_is_named_once_and_lasts() {
    let file = TemporaryStore::open().await;
    let refuse = "create trigger guard before insert on events begin select raise(abort, 'the books are closed'); end";
    execute(&file.path(), refuse).await;
    let create = |payments: LogManager<Payment>| async move {
        let event = refund(1);
        let created = payments.create(LogId::new(), &event, CreateOptions::NONE);
        created.await.unwrap_err()
    };
    let error = create(payments(file.store.clone())).await;
    says(&error, "the books are closed");
    asks::<()>(Err(error), ErrorKind::Internal, false);

    let Some(server) = TestStore::new().await else {
        return;
    };
    server
        .execute("create function guard() returns trigger language plpgsql as $$ begin raise 'the books are closed'; end $$")
        .await;
    server
        .execute(
            "create trigger guard before insert on events for each row execute function guard()",
        )
        .await;
    let error = create(payments(server.store.clone())).await;
    says(&error, "the books are closed");
    asks::<()>(Err(error), ErrorKind::Internal, false);
    // The same words with a code of a conflict between transactions: that passes.
    server
        .execute("create or replace function guard() returns trigger language plpgsql as $$ begin raise 'the books are closed' using errcode = '40001'; end $$")
        .await;
    let error = create(payments(server.store.clone())).await;
    says(&error, "the books are closed");
    asks::<()>(Err(error), ErrorKind::TryAgain, true);
}

#[tokio::test]
async fn a_locked_file_says_so_and_may_be_tried_again() {
    let file = TemporaryStore::open().await;
    let hasty = SqliteOptions {
        busy_timeout: Duration::from_millis(50),
        ..SqliteOptions::default()
    };
    let store = SqliteEventStore::open_with(file.path(), hasty)
        .await
        .unwrap();
    let mut lock = connect(&file.path()).await;
    let begin = sqlx::raw_sql("begin immediate").execute(&mut lock).await;
    begin.unwrap();
    let create = payments(store);
    let create = create
        .create(LogId::new(), &refund(1), CreateOptions::NONE)
        .await;
    let error = create.unwrap_err();
    says(&error, "database is locked");
    asks::<()>(Err(error), ErrorKind::TryAgain, true);
}

#[tokio::test]
async fn a_full_database_says_so_and_needs_somebody() {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteOptions {
        max_bytes: Some(256 * 1024),
        ..SqliteOptions::default()
    };
    let path = folder.path().join("events.db");
    let store = SqliteEventStore::open_with(path, options).await.unwrap();
    let payments = payments(store);
    let batch = vec![PaymentEvent::Voided; 200];
    let mut state = payments
        .create(LogId::new(), &PaymentEvent::Voided, CreateOptions::NONE)
        .await
        .unwrap();
    let error = loop {
        match payments
            .append_all(state, &batch, AppendOptions::NONE)
            .await
        {
            Ok(next) => state = next,
            Err(error) => break error,
        }
        assert!(
            state.index() < 100_000,
            "256 KiB cannot hold so many events"
        );
    };
    says(&error, "database or disk is full");
    asks::<()>(Err(error), ErrorKind::Internal, false);
}

/// No server listens at port 1.
#[tokio::test]
async fn servers_that_cannot_be_reached_say_why_without_the_password() {
    let options = PostgresOptions {
        timeout: Duration::from_millis(300),
        ..PostgresOptions::default()
    };
    let url = "postgres://app:hunter2@127.0.0.1:1/db";
    let error = PostgresEventStore::connect_url_with(url, options)
        .await
        .unwrap_err();
    says(&error, "refused");
    assert_eq!(error.kind(), ErrorKind::TryAgain);
    assert!(error.is_retryable());
    let error = PostgresEventStore::connect("postgres://app:hunter2@host:port/db")
        .await
        .unwrap_err();
    let cause = error.source().expect("the URL has a mistake").to_string();
    says(&error, &cause);
    assert_eq!(error.kind(), ErrorKind::Internal);

    let url = "redis://app:hunter2@127.0.0.1:1";
    let error = RedisAggregationCache::<Payment>::connect(url).await;
    let error = error.map(|_| ()).unwrap_err();
    says(&error, "refused");
    assert_eq!(error.kind(), ErrorKind::TryAgain);
    assert!(error.is_retryable());
}

#[tokio::test]
async fn a_file_that_cannot_be_opened_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("no/such/folder/events.db");
    let error = SqliteEventStore::open(&path).await.unwrap_err();
    says(&error, "unable to open database file");
    assert_eq!(error.kind(), ErrorKind::Internal);
    let copy = SqliteEventStore::in_memory().await.unwrap();
    let error = copy.backup(&path).await.unwrap_err();
    says(&error, "No such file or directory");
    assert_eq!(error.kind(), ErrorKind::Internal);
}
