//! Tables that change while connections have statements prepared on them.

use crate::payments::{captured, payments, refund};
use crate::postgres::TestStore;
use eventlogs::{AppendOptions, LogState};
use futures_util::future::join_all;
use sqlx::Connection;

#[tokio::test]
async fn a_column_of_another_type_is_noticed_by_nobody() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    let manager = payments(store.store.clone());
    let log_id = captured(&manager).await;
    let mut state = LogState::at(log_id, 1);
    store.execute("drop view readable_events").await;
    for change in [
        "alter table events alter event_type type varchar(500), alter recorded_at type timestamptz(5)",
        "alter table events alter event_type type text, alter recorded_at type timestamptz(6)",
        "alter table events alter event_type type varchar(400), alter recorded_at type timestamptz(4)",
    ] {
        // Many connections that have the statements prepared, for reading and for writing.
        let options = AppendOptions::default();
        for read in join_all((0..12).map(|_| manager.load(&log_id, 0, 10))).await {
            read.unwrap();
        }
        join_all((0..40).map(|_| captured(&manager))).await;
        store.execute(change).await;
        state = manager.append(state, &refund(1), &options).await.unwrap();
        for read in join_all((0..12).map(|_| manager.load(&log_id, 0, 10))).await {
            read.unwrap();
        }
    }
    assert_eq!(
        manager.reduce(&log_id).await.unwrap().aggregate().refunded,
        3
    );
}

/// In a transaction of the caller, on a connection that has the statement prepared.
#[tokio::test]
async fn a_column_of_another_type_does_not_end_a_callers_transaction() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    let log_id = captured(&payments(store.store.clone())).await;
    store.execute("drop view readable_events").await;
    let mut connection = store.connection().await;
    let mut state = LogState::at(log_id, 1);
    for change in [
        "select 1",
        "alter table events alter recorded_at type timestamptz(5)",
        "alter table events alter recorded_at type timestamptz(6)",
    ] {
        store.execute(change).await;
        let mut transaction = connection.begin().await.unwrap();
        let options = AppendOptions::default();
        for _ in 0..8 {
            // The server keeps plans from the sixth execution on.
            let events = [refund(1)];
            let appended = store
                .store
                .append_in(&mut transaction, state, &events, &options);
            state = appended.await.unwrap();
        }
        transaction.commit().await.unwrap();
    }
    let manager = payments(store.store.clone());
    assert_eq!(
        manager.reduce(&log_id).await.unwrap().aggregate().refunded,
        24
    );
}

/// The error has the message of the server and does not report damage: an extension or a policy may raise these codes when it
/// fails.
#[tokio::test]
async fn an_internal_error_of_the_server_is_told_in_its_own_words() {
    use eventlogs::LogManagerError;
    use eventlogs::stores::StoreError;

    let Some(store) = TestStore::new().await else {
        return;
    };
    let manager = payments(store.store.clone());
    let log_id = captured(&manager).await;
    store
        .execute(
            "create function fail() returns trigger language plpgsql as $$
             begin raise exception 'cache lookup failed for type 4711' using errcode = tg_argv[0]; end $$",
        )
        .await;
    for (trigger, is_damage) in [
        (
            "create trigger fail before insert on events execute function fail('XX000')",
            false,
        ),
        (
            "create trigger fail before insert on events execute function fail('XX001')",
            true,
        ),
        (
            "create trigger fail before insert on events execute function fail('XX002')",
            true,
        ),
    ] {
        store.execute(trigger).await;
        let state = LogState::at(log_id, 1);
        let none = AppendOptions::default();
        let failed = manager.append(state, &refund(1), &none).await;
        let error = failed.unwrap_err();
        store.execute("drop trigger fail on events").await;
        let LogManagerError::Store(error) = error else {
            panic!("{error:?}");
        };
        match (&error, is_damage) {
            (StoreError::Corrupt { .. }, true) => {
                assert!(!error.to_string().contains("sqlite"), "{error}");
            }
            (StoreError::Database { .. }, false) => {
                assert!(error.to_string().contains("4711"), "{error}");
            }
            _ => panic!("{error:?}"),
        }
    }
}
