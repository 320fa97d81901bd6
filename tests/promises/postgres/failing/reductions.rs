//! Reductions while sessions are terminated and the server restarts.

use crate::payments::{captured, payments, refund};
use crate::servers::PrivatePostgres;
use eventlogs::{AppendOptions, LogState, PostgresEventStore};
use futures_util::future::join_all;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Executor};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

async fn warm_reductions_while(store: PostgresEventStore, disturb: impl AsyncFnOnce()) {
    let payments = payments(store);
    let log_ids = join_all((0..16).map(|_| captured(&payments))).await;
    for result in payments.reduce_many(log_ids.clone()).await {
        result.unwrap();
    }
    let is_over = Arc::new(AtomicBool::new(false));
    let done = Arc::new(AtomicU64::new(0));
    let mut tasks = Vec::new();
    for log_id in log_ids {
        let acknowledged = Arc::new(AtomicU64::new(1));
        for _ in 0..3 {
            let (payments, is_over) = (payments.clone(), Arc::clone(&is_over));
            let (acknowledged, done) = (Arc::clone(&acknowledged), Arc::clone(&done));
            tasks.push(tokio::spawn(async move {
                while !is_over.load(Ordering::SeqCst) {
                    let known = acknowledged.load(Ordering::SeqCst);
                    let state = payments.reduce(log_id).await.expect("it is tried again");
                    assert!(state.through_index() >= known);
                    assert_eq!(state.aggregate().refunded, state.through_index() - 1);
                    done.fetch_add(1, Ordering::SeqCst);
                }
            }));
        }
        let (payments, is_over) = (payments.clone(), Arc::clone(&is_over));
        tasks.push(tokio::spawn(async move {
            let mut state = LogState::at(log_id, 1);
            while !is_over.load(Ordering::SeqCst) && state.index() < 90 {
                let appended = payments
                    .append(state, &refund(1), AppendOptions::NONE)
                    .await;
                match appended {
                    Ok(appended) => state = appended,
                    // The answer was lost, or the attempt before it was stored.
                    Err(_) => state = payments.reduce(log_id).await.unwrap().state(),
                }
                acknowledged.store(state.index(), Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }));
    }
    disturb().await;
    let before = done.load(Ordering::SeqCst);
    let goes_on = async {
        while done.load(Ordering::SeqCst) < before + 200 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let goes_on = tokio::time::timeout(Duration::from_secs(30), goes_on).await;
    goes_on.expect("reductions work after the disturbance");
    is_over.store(true, Ordering::SeqCst);
    for task in tasks {
        task.await.unwrap();
    }
}

async fn private() -> Option<(PrivatePostgres, PostgresEventStore)> {
    let server = PrivatePostgres::start(&["max_connections=60"]).await?;
    let store = PostgresEventStore::connect(&server.url()).await.unwrap();
    store.migrate().await.unwrap();
    Some((server, store))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sessions_that_are_terminated_fail_no_reduction() {
    let Some((server, store)) = private().await else {
        return;
    };
    let connect: PgConnectOptions = server.url().parse().unwrap();
    let mut other = connect.connect().await.unwrap();
    warm_reductions_while(store, async || {
        for _ in 0..30 {
            let end = "select pg_terminate_backend(pid) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()";
            other.execute(end).await.unwrap();
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_that_restarts_fails_no_reduction() {
    let Some((mut server, store)) = private().await else {
        return;
    };
    warm_reductions_while(store, async || {
        for _ in 0..3 {
            tokio::time::sleep(Duration::from_millis(200)).await;
            server.crash();
            server.restart().await;
        }
    })
    .await;
}
