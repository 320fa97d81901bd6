//! Appends inside a transaction of the user, together with a table of the user.

use super::TestStore;
use crate::payments::{Payment, PaymentEvent, captured, payments, refund};
use eventlogs::ids::LogId;
use eventlogs::stores::{InvalidAppend, StoreError};
use eventlogs::{
    AppendOptions, CreateOptions, EventRecord, IdempotencyScope, LogManager, LogManagerError,
    LogState, Metadata, PostgresEventStore, PostgresOptions, RequestFingerprint,
};
use futures_util::future::join_all;
use sqlx::{Connection, Executor, PgConnection, Row};
use std::time::Duration;

/// A store, its manager, and a table of the user's in the same schema.
struct Shop {
    server: TestStore,
    store: PostgresEventStore,
    payments: LogManager<Payment>,
}

impl Shop {
    async fn open() -> Option<Self> {
        Self::with(PostgresOptions::default()).await
    }

    async fn with(options: PostgresOptions) -> Option<Self> {
        let server = TestStore::with(options).await?;
        server
            .execute("create table orders (id bigint primary key)")
            .await;
        let store = server.store.clone();
        Some(Self {
            payments: payments(store.clone()),
            store,
            server,
        })
    }

    async fn connection(&self) -> PgConnection {
        self.server.connection().await
    }

    /// Returns the user's rows.
    async fn orders(&self) -> Vec<i64> {
        let rows = sqlx::query("select id from orders order by id")
            .fetch_all(&mut self.connection().await)
            .await
            .unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    async fn refunded(&self, log_id: LogId) -> u64 {
        let payment = self.payments.reduce(&log_id).await.unwrap();
        payment.aggregate().refunded
    }
}

async fn order(connection: &mut PgConnection, id: i64) {
    sqlx::query("insert into orders values ($1)")
        .bind(id)
        .execute(connection)
        .await
        .expect("the transaction is usable");
}

fn keyed(key: &str) -> AppendOptions {
    AppendOptions {
        idempotency_key: Some(key.to_owned()),
        ..Default::default()
    }
}

#[tokio::test]
async fn the_events_are_recorded_if_and_only_if_the_transaction_is_committed() {
    let Some(shop) = Shop::open().await else {
        return;
    };
    let log_id = captured(&shop.payments).await;
    let mut connection = shop.connection().await;
    for commit in [false, true] {
        let created = LogId::new();
        let state = LogState::at(log_id, 1);
        let mut transaction = connection.begin().await.unwrap();
        let options = AppendOptions {
            metadata: Metadata::new().with("user", "ada"),
            ..keyed("refund")
        };
        let events = [refund(1), refund(2)];
        let state = shop
            .store
            .append_in(&mut transaction, state, &events, &options)
            .await
            .unwrap();
        assert_eq!((state.log_id(), state.index()), (log_id, 3));
        // Two appends one after the other in the same transaction, and one to another log.
        let state = shop
            .store
            .append_in(
                &mut transaction,
                state,
                &[refund(4)],
                &AppendOptions::default(),
            )
            .await
            .unwrap();
        let voided = PaymentEvent::Voided;
        let options = CreateOptions {
            idempotency_key: Some("create".to_owned()),
            ..Default::default()
        };
        let began = shop
            .store
            .create_in(&mut transaction, &created, &voided, &options)
            .await
            .unwrap();
        assert_eq!((began.log_id(), began.index()), (created, 0));
        order(&mut transaction, 1).await;
        assert_eq!(
            shop.refunded(log_id).await,
            0,
            "nothing is visible before the commit"
        );
        if !commit {
            transaction.rollback().await.unwrap();
            assert_eq!(shop.refunded(log_id).await, 0);
            assert_eq!(shop.orders().await, [0_i64; 0]);
            let nothing = shop.payments.reduce(&created).await;
            assert!(
                matches!(nothing, Err(LogManagerError::LogNotFound { .. })),
                "{nothing:?}"
            );
            continue;
        }
        transaction.commit().await.unwrap();
        assert_eq!(shop.refunded(log_id).await, 7);
        assert_eq!(shop.orders().await, [1]);
        let voided = shop.payments.reduce(&created).await.unwrap();
        assert_eq!(voided.aggregate().voided, 1);
        let records = shop.payments.load(&log_id, 2, 10).await.unwrap();
        let users: Vec<_> = records
            .iter()
            .map(|record| record.metadata().get("user").is_some())
            .collect();
        assert_eq!(users, [true, true, false]);
        assert!(records.iter().map(EventRecord::recorded_at).is_sorted());
        // Later appends continue from the returned states.
        for state in [state, began] {
            shop.payments
                .append(state, &PaymentEvent::Voided, &AppendOptions::default())
                .await
                .unwrap();
        }
    }
}

#[tokio::test]
async fn a_used_key_leaves_the_transaction_usable() {
    let Some(shop) = Shop::open().await else {
        return;
    };
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

    let mut connection = shop.connection().await;
    let mut transaction = connection.begin().await.unwrap();
    let store = &shop.store;
    let two = [refund(8), refund(9)];
    for (state, events) in [(used, &two[..1]), (LogState::at(log_id, 1), &two[..])] {
        let replay = store
            .append_in(&mut transaction, state, events, &options)
            .await;
        assert!(
            matches!(
                replay,
                Err(LogManagerError::IdempotentReplay { state, event_index: 2, event_count: 1, .. })
                    if state == used
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
        .create_in(&mut transaction, &LogId::new(), &refund(1), &create)
        .await;
    assert!(
        matches!(replay, Err(LogManagerError::IdempotentReplay { .. })),
        "{replay:?}"
    );

    // After all refusals, a valid append still works.
    order(&mut transaction, 1).await;
    let local = AppendOptions {
        idempotency_scope: IdempotencyScope::Log,
        ..options.clone()
    };
    store
        .append_in(&mut transaction, elsewhere, &[refund(5)], &local)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(shop.orders().await, [1]);
    assert_eq!(shop.refunded(log_id).await, 1);
    assert_eq!(shop.refunded(other).await, 5);
}

#[tokio::test]
async fn a_wrong_state_leaves_the_transaction_usable() {
    let Some(shop) = Shop::open().await else {
        return;
    };
    let log_id = captured(&shop.payments).await;
    let none = AppendOptions::default();
    let current = shop
        .payments
        .append(LogState::at(log_id, 1), &refund(1), &none)
        .await
        .unwrap();
    let mut connection = shop.connection().await;
    let mut transaction = connection.begin().await.unwrap();
    let store = &shop.store;
    let two = [refund(8), refund(9)];
    for stale in [LogState::at(log_id, 1), LogState::at(log_id, 7)] {
        let conflict = store.append_in(&mut transaction, stale, &two, &none).await;
        assert!(
            matches!(conflict, Err(LogManagerError::ConcurrentAppend { .. })),
            "{conflict:?}"
        );
    }
    let nowhere = LogState::at(LogId::new(), 0);
    let missing = store
        .append_in(&mut transaction, nowhere, &two, &none)
        .await;
    assert!(
        matches!(missing, Err(LogManagerError::LogNotFound { .. })),
        "{missing:?}"
    );
    let exists = store
        .create_in(
            &mut transaction,
            &log_id,
            &refund(1),
            &CreateOptions::default(),
        )
        .await;
    assert!(
        matches!(exists, Err(LogManagerError::LogAlreadyExists { .. })),
        "{exists:?}"
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
    let unreadable = store
        .append_in(
            &mut transaction,
            current,
            &[PaymentEvent::Rated(f64::NAN)],
            &none,
        )
        .await;
    assert!(
        matches!(unreadable, Err(LogManagerError::Encode(_))),
        "{unreadable:?}"
    );

    // After all refusals, a valid append still works.
    order(&mut transaction, 1).await;
    store
        .append_in(&mut transaction, current, &[refund(5)], &none)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(shop.orders().await, [1]);
    assert_eq!(shop.refunded(log_id).await, 6);
}

#[tokio::test]
async fn a_transaction_older_than_the_last_event_is_told_so_and_can_be_run_again() {
    let Some(shop) = Shop::open().await else {
        return;
    };
    let (log_id, quiet) = (
        captured(&shop.payments).await,
        captured(&shop.payments).await,
    );
    let mut connection = shop.connection().await;
    let mut transaction = connection.begin().await.unwrap();
    // From here on the transaction has its place in the order of transactions.
    order(&mut transaction, 1).await;
    let state = shop
        .payments
        .append(
            LogState::at(log_id, 1),
            &refund(1),
            &AppendOptions::default(),
        )
        .await
        .unwrap();
    let none = AppendOptions::default();
    for _ in 0..2 {
        let refused = shop
            .store
            .append_in(&mut transaction, state, &[refund(2)], &none)
            .await;
        assert!(
            matches!(
                refused,
                Err(LogManagerError::Store(StoreError::TransactionTooOld { log_id: of })) if of == log_id
            ),
            "{refused:?}"
        );
    }
    // A log whose last event is older accepts the append.
    shop.store
        .append_in(
            &mut transaction,
            LogState::at(quiet, 1),
            &[refund(3)],
            &none,
        )
        .await
        .unwrap();
    transaction.rollback().await.unwrap();

    let mut transaction = connection.begin().await.unwrap();
    shop.store
        .append_in(&mut transaction, state, &[refund(2)], &none)
        .await
        .unwrap();
    order(&mut transaction, 1).await;
    transaction.commit().await.unwrap();
    assert_eq!(shop.refunded(log_id).await, 3);
    assert_eq!(shop.refunded(quiet).await, 0);
    assert_eq!(shop.orders().await, [1]);

    // A transaction that has only read is never too old.
    let mut transaction = connection.begin().await.unwrap();
    transaction.execute("select * from orders").await.unwrap();
    let state = LogState::at(log_id, 3);
    let state = shop
        .payments
        .append(state, &refund(4), &none)
        .await
        .unwrap();
    shop.store
        .append_in(&mut transaction, state, &[refund(5)], &none)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(shop.refunded(log_id).await, 12);
}

#[tokio::test]
async fn a_rival_that_an_isolated_transaction_cannot_see_is_not_overwritten() {
    let Some(shop) = Shop::open().await else {
        return;
    };
    for level in ["repeatable read", "serializable"] {
        for keyed_rival in [false, true] {
            let log_id = captured(&shop.payments).await;
            let state = LogState::at(log_id, 1);
            let key = format!("key of {log_id}");
            let mut connection = shop.connection().await;
            let mut transaction = connection.begin().await.unwrap();
            let isolate = sqlx::AssertSqlSafe(format!("set transaction isolation level {level}"));
            transaction.execute(sqlx::raw_sql(isolate)).await.unwrap();
            // The transaction's snapshot is fixed from here on.
            transaction.execute("select * from orders").await.unwrap();
            let rival = if keyed_rival {
                // Only the key conflicts.
                let other = LogState::at(captured(&shop.payments).await, 1);
                shop.payments.append(other, &refund(1), &keyed(&key)).await
            } else {
                let options = AppendOptions::default();
                shop.payments.append(state, &refund(1), &options).await
            };
            rival.unwrap();
            let refused = shop
                .store
                .append_in(&mut transaction, state, &[refund(2)], &keyed(&key))
                .await;
            assert!(
                matches!(
                    refused,
                    Err(LogManagerError::ConcurrentAppend { .. }
                        | LogManagerError::Store(StoreError::TransactionFailed { .. }))
                ),
                "{level}: {refused:?}"
            );
            transaction.rollback().await.unwrap();
            let refunded = u64::from(!keyed_rival);
            assert_eq!(shop.refunded(log_id).await, refunded, "{level}");
            // Without a rival, the append works as in any other transaction.
            let mut transaction = connection.begin().await.unwrap();
            let isolate = sqlx::AssertSqlSafe(format!("set transaction isolation level {level}"));
            transaction.execute(sqlx::raw_sql(isolate)).await.unwrap();
            let state = LogState::at(log_id, 1 + refunded);
            shop.store
                .append_in(
                    &mut transaction,
                    state,
                    &[refund(5)],
                    &AppendOptions::default(),
                )
                .await
                .unwrap();
            transaction.commit().await.unwrap();
            assert_eq!(shop.refunded(log_id).await, 5 + refunded, "{level}");
        }
    }
}

/// The slow transaction of one user must not affect the logs of others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_transaction_holds_up_its_own_log_only() {
    let Some(shop) = Shop::with(PostgresOptions {
        lock_timeout: Duration::from_secs(20),
        ..PostgresOptions::default()
    })
    .await
    else {
        return;
    };
    for commit in [true, false] {
        let log_id = captured(&shop.payments).await;
        let others = join_all((0..50).map(|_| captured(&shop.payments))).await;
        let state = LogState::at(log_id, 1);
        let mut connection = shop.connection().await;
        let mut transaction = connection.begin().await.unwrap();
        shop.store
            .append_in(
                &mut transaction,
                state,
                &[refund(1)],
                &AppendOptions::default(),
            )
            .await
            .unwrap();
        let blocked = tokio::spawn({
            let payments = shop.payments.clone();
            async move {
                let options = AppendOptions::default();
                payments.append(state, &refund(2), &options).await
            }
        });
        // Together with the blocked append, and after it.
        for round in 0..3 {
            let appends = others.iter().map(|log_id| {
                let options = keyed(&format!("{log_id} {round}"));
                let state = LogState::at(*log_id, 1 + round);
                let payments = &shop.payments;
                async move { payments.append(state, &refund(1), &options).await }
            });
            for answer in join_all(appends).await {
                answer.expect("the append is not blocked");
            }
        }
        assert!(!blocked.is_finished(), "the transaction is still open");
        if commit {
            transaction.commit().await.unwrap();
            let refused = blocked.await.unwrap();
            assert!(
                matches!(refused, Err(LogManagerError::ConcurrentAppend { .. })),
                "{refused:?}"
            );
            assert_eq!(shop.refunded(log_id).await, 1);
        } else {
            transaction.rollback().await.unwrap();
            blocked.await.unwrap().expect("the index is free again");
            assert_eq!(shop.refunded(log_id).await, 2);
        }
    }
}

#[tokio::test]
async fn who_waits_for_an_open_transaction_is_told_in_the_end() {
    let Some(shop) = Shop::with(PostgresOptions {
        lock_timeout: Duration::from_millis(300),
        ..PostgresOptions::default()
    })
    .await
    else {
        return;
    };
    let (log_id, beside) = (
        captured(&shop.payments).await,
        captured(&shop.payments).await,
    );
    let none = AppendOptions::default();
    let state = LogState::at(log_id, 1);
    let mut connection = shop.connection().await;
    let mut transaction = connection.begin().await.unwrap();
    shop.store
        .append_in(&mut transaction, state, &[refund(1)], &keyed("taken"))
        .await
        .unwrap();
    // One append conflicts by index, one by key, and one goes to several logs.
    let event = refund(2);
    let other = LogState::at(beside, 1);
    let taken = keyed("taken");
    let several = [(other, [refund(2)]), (state, [refund(2)])];
    let (place, key, several) = futures_util::future::join3(
        shop.payments.append(state, &event, &none),
        shop.payments.append(other, &event, &taken),
        shop.payments.append_across(several, &none),
    )
    .await;
    for busy in [place, key, several.map(|states| states[0].into())] {
        assert!(
            matches!(busy, Err(LogManagerError::Store(StoreError::Busy { .. }))),
            "{busy:?}"
        );
    }
    transaction.commit().await.unwrap();
    assert_eq!(shop.refunded(log_id).await, 1);
    assert_eq!(shop.refunded(beside).await, 0);
    shop.payments.append(other, &event, &none).await.unwrap();
    let state = LogState::at(log_id, 2);
    shop.payments.append(state, &event, &none).await.unwrap();
}
