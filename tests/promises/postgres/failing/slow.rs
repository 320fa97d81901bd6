//! Slow servers and networks: no reason to fail, nor to repeat a request again and again.

use crate::payments::{PaymentEvent, captured, payments, refund};
use crate::postgres::TestStore;
use eventlogs::ids::LogId;
use eventlogs::{AppendOptions, CreateOptions, LogState, PostgresEventStore, PostgresOptions};
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, Executor};
use std::time::Duration;
use tokio::time::sleep;

/// Much shorter than the delays of these servers.
const SILENCE: Duration = Duration::from_millis(300);

#[tokio::test]
async fn an_answer_that_comes_slowly_is_no_silence() {
    let Some(store) = TestStore::with(PostgresOptions {
        silence: Some(SILENCE),
        ..PostgresOptions::default()
    })
    .await
    else {
        return;
    };
    let (proxy, behind) = store.through_proxy(Duration::from_secs(30)).await;
    let manager = payments(behind);
    let log_id = LogId::new();
    // A payload of two megabytes, mostly a note.
    let name = "payment.requested";
    let requested = PaymentEvent::Requested { amount: 7 };
    let state = manager
        .create(&log_id, &requested, &CreateOptions::default())
        .await
        .unwrap();
    let pad = format!(
        "update {}.events set payload = convert_to(rpad('{{\"amount\":7', 2000000) || '}}', 'UTF8') where event_type = '{name}'",
        store.options.schema
    );
    store
        .connection()
        .await
        .execute(AssertSqlSafe(pad))
        .await
        .unwrap();
    manager.load(&log_id, 0, 1).await.unwrap();
    let before = proxy.connections();
    proxy.slow(true);
    let read = manager.load(&log_id, 0, 1).await.unwrap();
    assert_eq!(read.len() as u64, state.index() + 1);
    assert_eq!(proxy.connections(), before, "one connection was enough");
}

/// Another session locks the whole table for longer than several silences.
#[tokio::test]
async fn reads_that_wait_for_a_lock_are_answered_when_it_is_gone() {
    let Some(store) = TestStore::with(PostgresOptions {
        silence: Some(SILENCE),
        ..PostgresOptions::default()
    })
    .await
    else {
        return;
    };
    let manager = payments(store.store.clone());
    let log_id = captured(&manager).await;
    let mut other = store.connection().await;
    other.execute("begin; lock table events").await.unwrap();
    let (read, ()) = tokio::join!(manager.load(&log_id, 0, 10), async {
        sleep(Duration::from_secs(2)).await;
        other.execute("rollback").await.unwrap();
    });
    assert_eq!(read.unwrap().len(), 2);
}

/// With a pool of the user, a write may wait for a lock until its deadline. A second attempt next to the first one changes
/// nothing, and there is no third.
#[tokio::test]
async fn a_write_that_waits_for_a_lock_happens_once_and_is_asked_for_twice_at_most() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    let name = format!("waiting {}", store.options.schema);
    let connect = store.connect.clone().application_name(&name);
    let pool = PgPoolOptions::new()
        .max_connections(8)
        .connect_lazy_with(connect);
    let options = PostgresOptions {
        timeout: Duration::from_secs(20),
        silence: Some(SILENCE),
        ..store.options.clone()
    };
    let manager = payments(PostgresEventStore::from_pool(pool, options).await.unwrap());
    let log_id = captured(&manager).await;
    let mut other = store.connection().await;
    other.execute("begin; lock table events").await.unwrap();
    let mut watcher = store.connection().await;
    let refund = refund(1);
    let options = AppendOptions::default();
    let (written, most) = tokio::join!(
        manager.append(LogState::at(log_id, 1), &refund, &options),
        async {
            let mut most = 0;
            for _ in 0..30 {
                sleep(Duration::from_millis(100)).await;
                let waiting = sqlx::query_scalar(
                    "select count(*) from pg_stat_activity where application_name = $1 and wait_event_type = 'Lock'",
                );
                let waiting: i64 = waiting.bind(&name).fetch_one(&mut watcher).await.unwrap();
                most = most.max(waiting);
            }
            other.execute("rollback").await.unwrap();
            most
        }
    );
    written.expect("the write was only slow");
    assert!(most <= 2, "{most} attempts at a time");
    assert_eq!(
        manager.reduce(&log_id).await.unwrap().aggregate().refunded,
        1
    );
}
