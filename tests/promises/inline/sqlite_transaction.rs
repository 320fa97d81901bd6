//! Transactions of a SQLite store: appends together with tables of the user, and what others do meanwhile.

use super::domain::tallies;
use crate::payments::{Payment, PaymentEvent, captured, payments, refund};
use crate::sqlite_file;
use crate::sqlite_file::TemporaryStore;
use crate::subscriptions::PATIENCE;
use eventlogs::ids::LogId;
use eventlogs::projection::CatchUpError;
use eventlogs::stores::{InvalidAppend, Limits, StoreError};
use eventlogs::{
    AppendOptions, CreateOptions, Event, EventFeed, EventRecord, IdempotencyScope, LogManager,
    LogManagerError, LogState, Metadata, RequestFingerprint, Rows, SqliteEventStore, SqliteOptions,
};
use futures_util::FutureExt;
use sqlx::{Connection, Executor};
use std::time::{Duration, Instant};

tallies!(SqliteTally, "tallies", sqlite, "on_sqlite.sql");

/// A store, its manager, and a table of the user's in the same file.
struct Shop {
    file: TemporaryStore,
    store: SqliteEventStore,
    payments: LogManager<Payment>,
}

impl Shop {
    async fn open() -> Self {
        Self::with(SqliteOptions::default()).await
    }

    async fn with(options: SqliteOptions) -> Self {
        let file = TemporaryStore::open().await;
        sqlite_file::execute(&file.path(), "create table orders (id integer primary key)").await;
        let store = SqliteEventStore::open_with(file.path(), options)
            .await
            .unwrap();
        Self {
            file,
            payments: payments(store.clone()),
            store,
        }
    }

    async fn orders(&self) -> Vec<i64> {
        let mut connection = sqlite_file::connect(&self.file.path()).await;
        let orders = sqlx::query_scalar("select id from orders order by id");
        let orders = orders.fetch_all(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        orders
    }

    async fn refunded(&self, log_id: LogId) -> u64 {
        self.payments
            .reduce(&log_id)
            .await
            .unwrap()
            .aggregate()
            .refunded
    }
}

async fn order(transaction: &mut eventlogs::SqliteTransaction, id: i64) {
    let insert = sqlx::query("insert into orders values (?)").bind(id);
    let mut connection = transaction.connection().expect("the transaction is usable");
    insert
        .execute(&mut *connection)
        .await
        .expect("the transaction is usable");
}

fn keyed(key: &str) -> AppendOptions {
    AppendOptions {
        idempotency_key: Some(key.to_owned()),
        ..Default::default()
    }
}

fn many_events() -> Limits {
    Limits {
        max_events_per_append: 10_000,
        ..Default::default()
    }
}

fn reason(error: &StoreError) -> &'static str {
    match error {
        StoreError::TransactionUnusable { reason, .. } => reason,
        error => panic!("{error:?}"),
    }
}

#[tokio::test]
async fn the_events_are_recorded_if_and_only_if_the_transaction_is_committed() {
    let shop = Shop::open().await;
    let log_id = captured(&shop.payments).await;
    for end in ["drop", "roll back", "commit"] {
        let created = LogId::new();
        let mut transaction = shop.store.begin().await.unwrap();
        let options = AppendOptions {
            metadata: Metadata::new().with("user", "ada"),
            ..keyed("refund")
        };
        let state = LogState::at(log_id, 1);
        let events = [refund(1), refund(2)];
        let state = shop
            .store
            .append_in(&mut transaction, state, &events, &options)
            .await
            .unwrap();
        assert_eq!((state.log_id(), state.index()), (log_id, 3));
        // Two appends one after the other in the same transaction, and one to another log.
        let none = AppendOptions::default();
        let state = shop
            .store
            .append_in(&mut transaction, state, &[refund(4)], &none)
            .await
            .unwrap();
        let options = CreateOptions {
            idempotency_key: Some("create".to_owned()),
            ..Default::default()
        };
        let began =
            shop.store
                .create_in(&mut transaction, created, &PaymentEvent::Voided, &options);
        let began = began.await.unwrap();
        assert_eq!((began.log_id(), began.index()), (created, 0));
        order(&mut transaction, 1).await;
        assert_eq!(
            shop.refunded(log_id).await,
            0,
            "nothing is visible before the commit"
        );
        match end {
            "drop" => drop(transaction),
            "roll back" => transaction.rollback().await,
            _ => transaction.commit().await.unwrap(),
        }
        if end != "commit" {
            // The next transaction waits until this one is over.
            shop.store.begin().await.unwrap().commit().await.unwrap();
            assert_eq!(shop.refunded(log_id).await, 0);
            assert_eq!(shop.orders().await, [0_i64; 0]);
            let nothing = shop.payments.reduce(&created).await;
            assert!(
                matches!(nothing, Err(LogManagerError::LogNotFound { .. })),
                "{nothing:?}"
            );
            continue;
        }
        assert_eq!(shop.refunded(log_id).await, 7);
        assert_eq!(shop.orders().await, [1]);
        let records = shop.payments.load(&log_id, 2, 10).await.unwrap();
        let users = records
            .iter()
            .map(|record| record.metadata().get("user").is_some());
        assert_eq!(users.collect::<Vec<_>>(), [true, true, false]);
        // Later appends continue from the returned states.
        for state in [state, began] {
            shop.payments
                .append(state, &PaymentEvent::Voided, &none)
                .await
                .unwrap();
        }
    }
    // The events of a transaction have its stamp: the first position that it has given out.
    let mut connection = sqlite_file::connect(&shop.file.path()).await;
    let stamps: Vec<(i64, i64)> =
        sqlx::query_as("select tx, count(*) from events group by tx order by tx")
            .fetch_all(&mut connection)
            .await
            .unwrap();
    assert_eq!(stamps, [(1, 1), (2, 1), (3, 4), (7, 1), (8, 1)]);
    let mut feed = shop.store.feed(eventlogs::Cursor::START);
    let page = feed.next_page().await.unwrap().unwrap();
    assert_eq!(page.events.len(), 8);
    assert!(page.events.iter().map(|event| event.cursor).is_sorted());
}

#[tokio::test]
async fn a_used_key_leaves_the_transaction_usable() {
    let shop = Shop::open().await;
    let log_id = captured(&shop.payments).await;
    let options = AppendOptions {
        request_fingerprint: Some(RequestFingerprint::new(b"1")),
        ..keyed("used")
    };
    let used = shop
        .payments
        .append(LogState::at(log_id, 1), &refund(1), &options)
        .await
        .unwrap();
    let other = captured(&shop.payments).await;
    let store = &shop.store;
    let mut transaction = store.begin().await.unwrap();
    let two = [refund(8), refund(9)];
    for (state, events) in [(used, &two[..1]), (LogState::at(log_id, 1), &two[..])] {
        let replay = store
            .append_in(&mut transaction, state, events, &options)
            .await;
        assert!(
            matches!(
                replay,
                Err(LogManagerError::IdempotentReplay { state, event_index: 2, event_count: 1, .. }) if state == used
            ),
            "{replay:?}"
        );
    }
    let another = AppendOptions {
        request_fingerprint: Some(RequestFingerprint::new(b"2")),
        ..options.clone()
    };
    let elsewhere = LogState::at(other, 1);
    for (state, options) in [(used, &another), (elsewhere, &options)] {
        let reused = store
            .append_in(&mut transaction, state, &two, options)
            .await;
        assert!(
            matches!(reused, Err(LogManagerError::IdempotencyKeyReused { log_id: on, .. }) if on == log_id),
            "{reused:?}"
        );
    }
    let create = CreateOptions {
        idempotency_key: Some("used".to_owned()),
        ..Default::default()
    };
    let replay = store
        .create_in(&mut transaction, LogId::new(), &refund(1), &create)
        .await;
    assert!(
        matches!(replay, Err(LogManagerError::IdempotentReplay { .. })),
        "{replay:?}"
    );
    // After all refusals, a valid append still works; and its key counts within the transaction.
    let local = AppendOptions {
        idempotency_scope: IdempotencyScope::Log,
        ..options.clone()
    };
    let appended = store
        .append_in(&mut transaction, elsewhere, &[refund(5)], &local)
        .await
        .unwrap();
    let replay = store
        .append_in(&mut transaction, appended, &[refund(5)], &local)
        .await;
    assert!(
        matches!(replay, Err(LogManagerError::IdempotentReplay { state, .. }) if state == appended),
        "{replay:?}"
    );
    order(&mut transaction, 1).await;
    transaction.commit().await.unwrap();
    assert_eq!(shop.orders().await, [1]);
    assert_eq!(
        (shop.refunded(log_id).await, shop.refunded(other).await),
        (1, 5)
    );
}

#[derive(Debug, Event)]
enum OtherEvent {
    #[event(name = "other.happened")]
    Happened,
}

#[tokio::test]
async fn a_wrong_state_leaves_the_transaction_usable() {
    let shop = Shop::open().await;
    let log_id = captured(&shop.payments).await;
    let none = AppendOptions::default();
    let current = shop
        .payments
        .append(LogState::at(log_id, 1), &refund(1), &none)
        .await
        .unwrap();
    let store = &shop.store;
    let mut transaction = store.begin().await.unwrap();
    let two = [refund(8), refund(9)];
    for stale in [LogState::at(log_id, 1), LogState::at(log_id, 7)] {
        let conflict = store.append_in(&mut transaction, stale, &two, &none).await;
        assert!(
            matches!(conflict, Err(LogManagerError::ConcurrentAppend { .. })),
            "{conflict:?}"
        );
    }
    let missing = store
        .append_in(&mut transaction, LogState::at(LogId::new(), 0), &two, &none)
        .await;
    assert!(
        matches!(missing, Err(LogManagerError::LogNotFound { .. })),
        "{missing:?}"
    );
    let created = store
        .create_in(&mut transaction, log_id, &refund(1), CreateOptions::NONE)
        .await;
    assert!(
        matches!(created, Err(LogManagerError::LogAlreadyExists { .. })),
        "{created:?}"
    );
    let kind = LogState::<OtherEvent>::at(log_id, 2);
    let kind = store
        .append_in(&mut transaction, kind, &[OtherEvent::Happened], &none)
        .await;
    assert!(
        matches!(kind, Err(LogManagerError::WrongKind { .. })),
        "{kind:?}"
    );
    let nothing = store
        .append_in::<PaymentEvent>(&mut transaction, current, &[], &none)
        .await;
    assert!(
        matches!(
            nothing,
            Err(LogManagerError::Invalid(InvalidAppend::NoEvents))
        ),
        "{nothing:?}"
    );
    let unreadable = [PaymentEvent::Rated(f64::NAN)];
    let unreadable = store
        .append_in(&mut transaction, current, &unreadable, &none)
        .await;
    assert!(
        matches!(unreadable, Err(LogManagerError::Encode(_))),
        "{unreadable:?}"
    );
    let late = AppendOptions {
        deadline: Some(Instant::now()),
        ..Default::default()
    };
    let late = store
        .append_in(&mut transaction, current, &two, &late)
        .await;
    assert!(
        matches!(
            late,
            Err(LogManagerError::Store(StoreError::DeadlineExceeded))
        ),
        "{late:?}"
    );
    store
        .append_in(&mut transaction, current, &[refund(5)], &none)
        .await
        .unwrap();
    order(&mut transaction, 1).await;
    transaction.commit().await.unwrap();
    assert_eq!(shop.orders().await, [1]);
    assert_eq!(shop.refunded(log_id).await, 6);
}

/// Other writers wait, with their deadlines, and go on afterwards.
#[tokio::test]
async fn others_wait_for_the_end() {
    let shop = Shop::open().await;
    let (log_id, other) = (
        captured(&shop.payments).await,
        captured(&shop.payments).await,
    );
    let (payments, state) = (shop.payments.clone(), LogState::at(log_id, 1));
    let mut transaction = shop.store.begin().await.unwrap();
    let one = [refund(1)];
    let appended = shop
        .store
        .append_in(&mut transaction, state, &one, AppendOptions::NONE);
    appended.await.unwrap();
    let waiting = tokio::spawn({
        let payments = payments.clone();
        async move {
            payments
                .append(LogState::at(other, 1), &refund(2), AppendOptions::NONE)
                .await
        }
    });
    let outdated = tokio::spawn({
        let payments = payments.clone();
        async move {
            payments
                .append(state, &refund(4), AppendOptions::NONE)
                .await
        }
    });
    // A deadline that passes meanwhile: nothing was written, and the caller knows it.
    let limited = AppendOptions {
        deadline: Some(Instant::now() + Duration::from_millis(100)),
        ..Default::default()
    };
    let late = payments
        .append(LogState::at(other, 1), &refund(8), &limited)
        .await;
    assert!(
        matches!(
            late,
            Err(LogManagerError::Store(StoreError::DeadlineExceeded))
        ),
        "{late:?}"
    );
    assert!(!waiting.is_finished() && !outdated.is_finished());
    let second = shop.store.begin();
    let mut second = Box::pin(second);
    assert!(
        second.as_mut().now_or_never().is_none(),
        "there is one turn"
    );
    drop(second);
    let mut commits = shop.store.commits();
    transaction.commit().await.unwrap();
    tokio::time::timeout(PATIENCE, commits.next())
        .await
        .expect("the commit was signalled");
    waiting.await.unwrap().unwrap();
    let outdated = outdated.await.unwrap();
    assert!(
        matches!(outdated, Err(LogManagerError::ConcurrentAppend { .. })),
        "{outdated:?}"
    );
    assert_eq!(
        (shop.refunded(log_id).await, shop.refunded(other).await),
        (1, 2)
    );
}

/// A transaction that is forgotten is rolled back, and the others go on.
#[tokio::test]
async fn a_transaction_ends_after_its_time() {
    let shop = Shop::with(SqliteOptions {
        transaction_timeout: Duration::from_millis(200),
        ..Default::default()
    })
    .await;
    let log_id = captured(&shop.payments).await;
    let (state, none) = (LogState::at(log_id, 1), AppendOptions::default());
    let mut forgotten = shop.store.begin().await.unwrap();
    shop.store
        .append_in(&mut forgotten, state, &[refund(1)], &none)
        .await
        .unwrap();
    order(&mut forgotten, 1).await;
    // It waits for the forgotten one.
    let state = shop
        .payments
        .append(state, &refund(2), &none)
        .await
        .unwrap();
    assert!(reason(&forgotten.connection().unwrap_err()).contains("transaction_timeout"));
    let late = shop
        .store
        .append_in(&mut forgotten, state, &[refund(4)], &none)
        .await;
    assert!(
        matches!(
            late,
            Err(LogManagerError::Store(
                StoreError::TransactionUnusable { .. }
            ))
        ),
        "{late:?}"
    );
    assert!(reason(&forgotten.commit().await.unwrap_err()).contains("transaction_timeout"));
    // In use at its end, it ends after the statement.
    let mut used = shop.store.begin().await.unwrap();
    let mut connection = used.connection().unwrap();
    tokio::time::sleep(Duration::from_millis(400)).await;
    connection
        .execute("insert into orders values (2)")
        .await
        .unwrap();
    drop(connection);
    shop.payments
        .append(state, &refund(8), &none)
        .await
        .unwrap();
    assert!(reason(&used.commit().await.unwrap_err()).contains("transaction_timeout"));
    assert_eq!(shop.orders().await, [0_i64; 0]);
    assert_eq!(shop.refunded(log_id).await, 10);
}

/// A future that is dropped half-way leaves no half.
#[tokio::test]
async fn a_dropped_future_leaves_no_half() {
    let shop = Shop::with(SqliteOptions {
        limits: many_events(),
        ..Default::default()
    })
    .await;
    let log_id = captured(&shop.payments).await;
    let none = AppendOptions::default();
    let mut state = LogState::at(log_id, 1);
    // Begun, and nobody waits any more.
    for _ in 0..20 {
        let mut begin = Box::pin(shop.store.begin());
        let _ = begin.as_mut().now_or_never();
        tokio::task::yield_now().await;
        let _ = begin.as_mut().now_or_never();
        drop(begin);
    }
    // An append that was dropped: the transaction cannot be committed any more.
    let many = vec![refund(1); 3_000];
    let mut transaction = shop.store.begin().await.unwrap();
    let mut append = Box::pin(shop.store.append_in(&mut transaction, state, &many, &none));
    assert!(append.as_mut().now_or_never().is_none());
    drop(append);
    assert!(reason(&transaction.connection().unwrap_err()).contains("dropped"));
    assert!(reason(&transaction.commit().await.unwrap_err()).contains("dropped"));
    assert_eq!(shop.refunded(log_id).await, 0);
    // A commit that was dropped is carried out.
    let mut transaction = shop.store.begin().await.unwrap();
    state = shop
        .store
        .append_in(&mut transaction, state, &[refund(2)], &none)
        .await
        .unwrap();
    let mut commit = Box::pin(transaction.commit());
    assert!(commit.as_mut().now_or_never().is_none());
    drop(commit);
    shop.payments
        .append(state, &refund(4), &none)
        .await
        .unwrap();
    assert_eq!(shop.refunded(log_id).await, 6);
    // So is a rollback.
    let mut transaction = shop.store.begin().await.unwrap();
    order(&mut transaction, 1).await;
    let mut rollback = Box::pin(transaction.rollback());
    assert!(rollback.as_mut().now_or_never().is_none());
    drop(rollback);
    shop.store.begin().await.unwrap().commit().await.unwrap();
    assert_eq!(shop.orders().await, [0_i64; 0]);
}

/// When the disk is full, SQLite ends the transaction by itself. Nothing of it stays, and the writer goes on.
#[tokio::test]
async fn after_an_error_of_the_database_the_transaction_is_over() {
    let shop = Shop::with(SqliteOptions {
        max_bytes: Some(400_000),
        limits: many_events(),
        ..Default::default()
    })
    .await;
    let log_id = captured(&shop.payments).await;
    let (state, none) = (LogState::at(log_id, 1), AppendOptions::default());
    let mut transaction = shop.store.begin().await.unwrap();
    order(&mut transaction, 1).await;
    let many = vec![refund(1); 9_000];
    let full = shop
        .store
        .append_in(&mut transaction, state, &many, &none)
        .await;
    assert!(
        matches!(
            full,
            Err(LogManagerError::Store(StoreError::StorageFull { .. }))
        ),
        "{full:?}"
    );
    let over = shop
        .store
        .append_in(&mut transaction, state, &[refund(1)], &none)
        .await;
    assert!(
        matches!(
            over,
            Err(LogManagerError::Store(
                StoreError::TransactionUnusable { .. }
            ))
        ),
        "{over:?}"
    );
    // Others do not wait for it.
    shop.payments
        .append(state, &refund(2), &none)
        .await
        .unwrap();
    assert!(reason(&transaction.commit().await.unwrap_err()).contains("failed"));
    assert_eq!(shop.orders().await, [0_i64; 0]);
    assert_eq!(shop.refunded(log_id).await, 2);
}

#[tokio::test]
async fn transactions_within_it_are_savepoints() {
    let shop = Shop::open().await;
    let log_id = captured(&shop.payments).await;
    let none = AppendOptions::default();
    let mut transaction = shop.store.begin().await.unwrap();
    let mut connection = transaction.connection().unwrap();
    let mut inner = connection.begin().await.unwrap();
    inner
        .execute("insert into orders values (1)")
        .await
        .unwrap();
    inner.commit().await.unwrap();
    let mut inner = connection.begin().await.unwrap();
    inner
        .execute("insert into orders values (2)")
        .await
        .unwrap();
    drop(inner);
    drop(connection);
    let state = LogState::at(log_id, 1);
    shop.store
        .append_in(&mut transaction, state, &[refund(1)], &none)
        .await
        .unwrap();
    assert_eq!(shop.orders().await, [0_i64; 0]);
    transaction.commit().await.unwrap();
    assert_eq!(shop.orders().await, [1]);
    assert_eq!(shop.refunded(log_id).await, 1);
}

#[tokio::test]
async fn a_file_that_was_moved_is_noticed() {
    let shop = Shop::open().await;
    let log_id = captured(&shop.payments).await;
    let (state, none) = (LogState::at(log_id, 1), AppendOptions::default());
    let mut transaction = shop.store.begin().await.unwrap();
    shop.store
        .append_in(&mut transaction, state, &[refund(1)], &none)
        .await
        .unwrap();
    let away = shop.file.path().with_extension("away");
    std::fs::rename(shop.file.path(), &away).unwrap();
    let moved = transaction.commit().await.unwrap_err();
    let StoreError::OutcomeUnknown {
        source: Some(source),
    } = &moved
    else {
        panic!("{moved:?}");
    };
    assert!(
        matches!(source.downcast_ref(), Some(StoreError::FileReplaced { .. })),
        "{source:?}"
    );
    let moved = shop.store.begin().await.unwrap_err();
    assert!(
        matches!(moved, StoreError::FileReplaced { .. }),
        "{moved:?}"
    );
    std::fs::rename(&away, shop.file.path()).unwrap();
    shop.store.begin().await.unwrap().commit().await.unwrap();
}

#[tokio::test]
async fn a_transaction_belongs_to_its_store() {
    let (shop, other) = (Shop::open().await, Shop::open().await);
    let mut transaction = shop.store.begin().await.unwrap();
    let created = other
        .store
        .create_in(
            &mut transaction,
            LogId::new(),
            &refund(1),
            CreateOptions::NONE,
        )
        .await;
    let Err(LogManagerError::Store(error)) = &created else {
        panic!("{created:?}");
    };
    assert!(reason(error).contains("another store"));
    let rows = Rows::<SqliteTally>::new();
    let caught_up = other
        .store
        .catch_up_in(&mut transaction, &rows, LogId::new())
        .await;
    let Err(CatchUpError::Store(error)) = &caught_up else {
        panic!("{caught_up:?}");
    };
    assert!(reason(error).contains("another store"));
    // A clone is the same store, and the transaction goes on.
    let clone = shop.store.clone();
    clone
        .create_in(
            &mut transaction,
            LogId::new(),
            &refund(1),
            CreateOptions::NONE,
        )
        .await
        .unwrap();
    transaction.commit().await.unwrap();
}

#[tokio::test]
async fn a_store_that_is_closed_has_no_transactions() {
    let shop = Shop::open().await;
    let log_id = captured(&shop.payments).await;
    let mut transaction = shop.store.begin().await.unwrap();
    let closing = tokio::spawn({
        let store = shop.store.clone();
        async move { store.close().await }
    });
    let state = LogState::at(log_id, 1);
    shop.store
        .append_in(&mut transaction, state, &[refund(1)], AppendOptions::NONE)
        .await
        .unwrap();
    assert!(!closing.is_finished());
    transaction.commit().await.unwrap();
    closing.await.unwrap();
    let closed = shop.store.begin().await.unwrap_err();
    assert!(matches!(closed, StoreError::Closed), "{closed:?}");
    let reopened = payments(SqliteEventStore::open(shop.file.path()).await.unwrap());
    assert_eq!(
        reopened.reduce(&log_id).await.unwrap().aggregate().refunded,
        1
    );
    let archive = SqliteEventStore::open_read_only(shop.file.path())
        .await
        .unwrap();
    let refused = archive.begin().await.unwrap_err();
    assert!(
        matches!(refused, StoreError::ReadOnly { .. }),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_database_in_memory_has_transactions_too() {
    let store = SqliteEventStore::in_memory().await.unwrap();
    let payments = payments(store.clone());
    let log_id = captured(&payments).await;
    let (state, none) = (LogState::at(log_id, 1), AppendOptions::default());
    for commit in [false, true] {
        let mut transaction = store.begin().await.unwrap();
        store
            .append_in(&mut transaction, state, &[refund(1)], &none)
            .await
            .unwrap();
        if commit {
            transaction.commit().await.unwrap();
        }
    }
    for _ in 0..20 {
        let mut begin = Box::pin(store.begin());
        let _ = begin.as_mut().now_or_never();
        tokio::task::yield_now().await;
        let _ = begin.as_mut().now_or_never();
        drop(begin);
    }
    payments
        .append(LogState::at(log_id, 2), &refund(2), &none)
        .await
        .unwrap();
    assert_eq!(
        payments.reduce(&log_id).await.unwrap().aggregate().refunded,
        3
    );
}
