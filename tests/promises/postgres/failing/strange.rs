//! Changes to the tables that only another program can have made.

use crate::payments::{PaymentEvent, captured, payments, refund};
use crate::postgres::TestStore;
use eventlogs::stores::StoreError;
use eventlogs::{AppendOptions, EventRecord, LogManagerError, LogState, PostgresOptions};
use futures_util::future::join_all;
use sqlx::Executor;
use std::time::{Duration, Instant};

#[tokio::test]
async fn a_row_that_somebody_holds_locked_is_waited_for_and_then_reported() {
    let Some(store) = TestStore::with(PostgresOptions {
        lock_timeout: Duration::from_millis(50),
        ..PostgresOptions::default()
    })
    .await
    else {
        return;
    };
    let manager = payments(store.store.clone());
    let log_id = captured(&manager).await;
    let mut other = store.connection().await;
    other.execute("begin").await.unwrap();
    sqlx::query(
        "insert into events (log_id, event_index, event_id, event_type, event_version, codec, payload, recorded_at, epoch, kind)
         values ($1, 2, gen_random_uuid(), 'payment.voided', 1, 1, '{}', now(), 1, 0)",
    )
    .bind(log_id.as_uuid())
    .execute(&mut other)
    .await
    .unwrap();
    let blocked = manager
        .append(
            LogState::at(log_id, 1),
            &PaymentEvent::Voided,
            &AppendOptions::default(),
        )
        .await;
    assert!(
        matches!(
            blocked,
            Err(LogManagerError::Store(StoreError::Busy { .. }))
        ),
        "{blocked:?}"
    );
    other.execute("rollback").await.unwrap();
    manager
        .append(
            LogState::at(log_id, 1),
            &PaymentEvent::Voided,
            &AppendOptions::default(),
        )
        .await
        .unwrap();
}

#[tokio::test]
async fn times_that_no_calendar_has_are_no_reason_to_fail() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    let manager = payments(store.store.clone());
    let log_id = captured(&manager).await;
    store
        .execute("update events set occurred_at = '-infinity', recorded_at = '290000-01-01'")
        .await;
    store
        .execute("update events set recorded_at = 'infinity' where event_index = 1")
        .await;
    let payment = manager.reduce(&log_id).await.unwrap();
    assert_eq!(payment.aggregate().captured, 100);
    let records = manager.load(&log_id, 0, 10).await.unwrap();
    assert!(records[0].occurred_at() < Some(records[0].recorded_at()));
    // The log does not continue with an infinite time either.
    let options = AppendOptions::default();
    manager
        .append(payment, &PaymentEvent::Voided, &options)
        .await
        .unwrap();
    assert!(manager.reduce(&log_id).await.unwrap().updated_at() < records[1].recorded_at());
}

/// A trigger of the user turns the returned row into one on which the driver panics.
#[tokio::test]
async fn a_batch_that_the_driver_chokes_on_holds_up_nobody() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    let payments = payments(store.store.clone());
    let log_id = captured(&payments).await;
    let options = AppendOptions {
        deadline: Some(Instant::now() + Duration::from_secs(20)),
        ..AppendOptions::default()
    };
    store
        .execute(
            "create function never() returns trigger language plpgsql as
             'begin new.recorded_at = ''infinity''; return new; end'",
        )
        .await;
    store
        .execute(
            "create trigger never before insert on events for each row execute function never()",
        )
        .await;
    let state = LogState::at(log_id, 1);
    let refund = refund(1);
    // Alone, and together with others.
    let lone = payments.append(state, &refund, &options).await;
    let many = join_all((0..3).map(|_| payments.append(state, &refund, &options))).await;
    store.execute("drop trigger never on events").await;
    for told in [&lone].into_iter().chain(&many) {
        assert!(
            matches!(
                told,
                Err(LogManagerError::ConcurrentAppend { .. }
                    | LogManagerError::Store(StoreError::OutcomeUnknown { .. }))
            ),
            "{told:?}"
        );
    }
    let next = payments.append(LogState::at(log_id, 2), &refund, &options);
    next.await.expect("the log accepts further writes");
    captured(&payments).await;
}

/// A constraint of the user refuses writes with which no other event conflicts.
#[tokio::test]
async fn a_constraint_of_somebody_else_fails_only_the_writes_that_break_it() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    store
        .execute("create unique index strange on events (log_id, event_type, payload)")
        .await;
    let payments = payments(store.store.clone());
    let options = AppendOptions::default();
    let mut logs = Vec::new();
    for _ in 0..6 {
        let log_id = captured(&payments).await;
        let state = LogState::at(log_id, 1);
        payments.append(state, &refund(1), &options).await.unwrap();
        logs.push(log_id);
    }
    // The first one is sent alone, and the others together.
    let same_again = [true, false, true, false, false, true];
    let appends = logs.iter().zip(same_again).map(async |(log_id, same)| {
        let refund = refund(if same { 1 } else { 2 });
        let state = LogState::at(*log_id, 2);
        payments.append(state, &refund, &options).await
    });
    let told = join_all(appends).await;
    for (told, same) in told.iter().zip(same_again) {
        let is_right = match told {
            Ok(_) => !same,
            Err(LogManagerError::Store(StoreError::Database { .. })) => same,
            Err(_) => false,
        };
        assert!(is_right, "{same}: {told:?}");
    }
    let (state, refund) = (LogState::at(logs[0], 2), refund(2));
    let next = payments.append(state, &refund, &options);
    next.await.expect("the log accepts further writes");
}
