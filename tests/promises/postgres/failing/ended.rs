//! Sessions that the server ends.

use crate::payments::{Payment, PaymentEvent};
use crate::payments::{captured, payments, refund};
use crate::postgres::TestStore;
use eventlogs::ids::LogId;
use eventlogs::{
    AppendOptions, Appends, CreateOptions, DecideOptions, LogManager, PostgresEventStore,
};
use futures_util::future::join_all;
use std::time::Duration;

#[tokio::test]
async fn ended_sessions_are_replaced() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    let name = format!("victim of {}", store.options.schema);
    let connect = store.connect.clone().application_name(&name);
    let manager = payments(
        PostgresEventStore::connect_with(connect, store.options.clone())
            .await
            .unwrap(),
    );
    let log_id = captured(&manager).await;
    let mut killer = store.connection().await;
    let working = tokio::spawn({
        let manager = manager.clone();
        async move {
            for _ in 0..30 {
                let options = DecideOptions {
                    max_attempts: 100,
                    ..Default::default()
                };
                manager
                    .decide(&log_id, &options, |_| Ok::<_, ()>([refund(1)]))
                    .await
                    .expect("the store replaces its sessions");
            }
        }
    });
    while !working.is_finished() {
        sqlx::query(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1",
        )
        .bind(&name)
        .execute(&mut killer)
        .await
        .unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    working.await.unwrap();
    assert_eq!(
        manager.reduce(&log_id).await.unwrap().aggregate().refunded,
        30
    );
}

/// Pauses longer than the server's idle timeout, between operations of all kinds.
#[tokio::test]
async fn sessions_that_end_for_resting_are_replaced() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    let connect = store.connect.clone();
    let impatient = connect.options([("idle_session_timeout", "150ms")]);
    let resting = PostgresEventStore::connect_with(impatient, store.options.clone())
        .await
        .unwrap();
    let rest = || tokio::time::sleep(Duration::from_millis(400));
    let manager = payments(resting.clone());
    let log_id = captured(&manager).await;
    let (none, creating) = (AppendOptions::default(), CreateOptions::default());
    let mut state = None;
    for round in 1..4 {
        // Several sessions, so that several end.
        join_all((0..6).map(|_| manager.load(&log_id, 0, 10))).await;
        rest().await;
        let payment = manager.reduce(&log_id).await.expect("a read works");
        assert_eq!(payment.aggregate().refunded, round - 1);
        rest().await;
        let log = LogId::new();
        let requested = PaymentEvent::Requested { amount: 1 };
        let created = manager.create(&log, &requested, &creating);
        let created = created.await.expect("a creation works");
        rest().await;
        let appends = Appends::new()
            .append(payment, [refund(1)])
            .append(created, [refund(1)]);
        let appended = manager.append_across(appends, &none);
        state = Some(appended.await.expect("an append to several logs works")[0]);
        rest().await;
        let older = Duration::from_secs(1_000);
        resting
            .prune_idempotency_keys(older)
            .await
            .expect("pruning");
        rest().await;
        resting.migrate().await.expect("a migration works");
    }
    let state = state.unwrap();
    manager.append(state, &refund(1), &none).await.unwrap();
    assert_eq!(refunded(&manager, log_id).await, 4);
}

/// The server ends sessions again and again during a burst of writes to many logs.
#[tokio::test]
async fn sessions_that_end_during_a_burst_cost_nothing_but_time() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    let name = format!("burst of {}", store.options.schema);
    let connect = store.connect.clone().application_name(&name);
    let manager = payments(
        PostgresEventStore::connect_with(connect, store.options.clone())
            .await
            .unwrap(),
    );
    let mut killer = store.connection().await;
    let work = async {
        for _ in 0..4 {
            let logs = join_all((0..60).map(|_| captured(&manager))).await;
            let reads = join_all(logs.iter().map(|log| manager.load(log, 0, 10))).await;
            assert!(
                reads
                    .iter()
                    .all(|read| read.as_ref().is_ok_and(|read| read.len() == 2))
            );
        }
    };
    let kill = async {
        loop {
            let end = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1";
            let end = sqlx::query(end).bind(&name).execute(&mut killer);
            end.await.unwrap();
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    };
    tokio::select! {
        () = work => {}
        () = kill => unreachable!("it never ends"),
    }
}

async fn refunded(manager: &LogManager<Payment>, log_id: LogId) -> u64 {
    manager.reduce(&log_id).await.unwrap().aggregate().refunded
}
