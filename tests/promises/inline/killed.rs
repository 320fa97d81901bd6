//! Processes that append with and without the row and run the subscription, and are killed in the middle of it.

use super::domain::{
    InFile, OnServer, Stand, append_many, caught_up, create, fold, forget, tallies,
};
use crate::payments::Payment;
use crate::subscriptions::{LEASE, PLACE, Place, Runner};
use eventlogs::ids::LogId;
use eventlogs::{
    ListOptions, LogManager, PostgresEventStore, PostgresOptions, Rows, SqliteEventStore,
};
use futures_util::future::join_all;
use sqlx::PgPool;
use std::sync::Arc;
use std::time::Duration;

tallies!(
    PostgresTally,
    "promises_inline_killed",
    postgres,
    "on_postgres.sql"
);
tallies!(
    SqliteTally,
    "promises_inline_killed",
    sqlite,
    "on_sqlite.sql"
);

/// The work of a child process, which the tests below start. When run as a test, it does nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    let Ok(place) = std::env::var(PLACE) else {
        return;
    };
    match place.split_once(' ').unwrap() {
        ("sqlite", path) => {
            let store = SqliteEventStore::open(path).await.unwrap();
            let stand = InFile::<SqliteTally> {
                store,
                path: path.into(),
                lease: LEASE,
                tallies: Rows::new(),
            };
            run(Arc::new(stand)).await;
        }
        (_, rest) => {
            let (schema, url) = rest.split_once(' ').unwrap();
            let options = PostgresOptions {
                schema: schema.to_owned(),
                max_connections: 4,
                ..PostgresOptions::default()
            };
            let store = PostgresEventStore::connect_url_with(url, options).await;
            let stand = OnServer::<PostgresTally> {
                store: store.unwrap(),
                pool: PgPool::connect(url).await.unwrap(),
                lease: LEASE,
                tallies: Rows::new(),
            };
            run(Arc::new(stand)).await;
        }
    }
}

/// Works until the process is killed.
async fn run<S: Stand>(stand: Arc<S>) {
    let _running = stand.start().await;
    let logs: Arc<[_]> = logs(&stand.manager()).await.into();
    let tasks = (0..3).map(|seed| {
        let (stand, logs) = (Arc::clone(&stand), Arc::clone(&logs));
        tokio::spawn(async move { append_many(&*stand, &logs, seed, u64::MAX / 8).await })
    });
    join_all(tasks).await;
}

async fn logs(manager: &LogManager<Payment>) -> Vec<LogId> {
    let listed = manager.list(&ListOptions::default()).await.unwrap();
    listed.logs.iter().map(|log| log.log_id).collect()
}

async fn rows_survive_kills(stand: &impl Stand, place: &Place) {
    let test = "inline::killed::child";
    let manager = stand.manager();
    create(&manager, 5).await;
    let logs = logs(&manager).await;
    assert_eq!(logs.len(), 5);
    // It creates the table.
    stand.start().await.shutdown().await;
    let mut runners = vec![Runner::of(place, test), Runner::of(place, test)];
    for round in 0..6 {
        tokio::time::sleep(Duration::from_millis(700 + round * 37)).await;
        append_many(stand, &logs, round, 10).await;
        // One of both has the lease; dropped, it is killed.
        runners.remove(0);
        runners.push(Runner::of(place, test));
    }
    tokio::time::sleep(Duration::from_millis(700)).await;
    drop(runners);
    let before = manager.reduce(&logs[0]).await.unwrap().state().index();
    assert!(before > 30, "the processes have appended");
    let running = stand.start().await;
    caught_up(stand, &logs).await;
    assert_eq!(stand.rows().await, fold(stand, &logs).await);
    running.shutdown().await;
}

#[tokio::test]
async fn rows_survive_kills_on_postgres() {
    let Some(place) = Place::postgres().await else {
        return;
    };
    let Place::Postgres(stage) = &place else {
        panic!("it is a server");
    };
    forget::<PostgresTally>(&stage.server).await;
    let stand = OnServer::<PostgresTally> {
        store: stage.server.store.clone(),
        pool: stage.server.pool().await,
        lease: LEASE,
        tallies: Rows::new(),
    };
    rows_survive_kills(&stand, &place).await;
    let falls: i64 = sqlx::query_scalar("select count(*) from promises_inline_killed.falls")
        .fetch_one(&stand.pool)
        .await
        .unwrap();
    assert_eq!(falls, 0);
    forget::<PostgresTally>(&stage.server).await;
}

#[tokio::test]
async fn rows_survive_kills_on_one_sqlite_file() {
    let place = Place::sqlite().await;
    let Place::Sqlite(file) = &place else {
        panic!("it is a file");
    };
    let mut stand = InFile::<SqliteTally>::new(file);
    stand.lease = LEASE;
    rows_survive_kills(&stand, &place).await;
}
