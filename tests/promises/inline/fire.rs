//! Many tasks append with and without the row, and the subscription follows.

use super::domain::{
    InFile, OnServer, Stand, append_many, caught_up, create, fold, forget, tallies,
};
use crate::sqlite_file::TemporaryStore;
use futures_util::future::join_all;
use std::sync::Arc;
use std::time::Duration;

tallies!(
    PostgresTally,
    "promises_inline_fire",
    postgres,
    "on_postgres.sql"
);
tallies!(SqliteTally, "promises_inline_fire", sqlite, "on_sqlite.sql");

async fn rows_are_the_fold_under_fire<S: Stand>(stand: Arc<S>) {
    let states = create(&stand.manager(), 5).await;
    let logs: Arc<[_]> = states.iter().map(eventlogs::LogState::log_id).collect();
    let running = stand.start().await;
    let tasks = (0..4).map(|seed| {
        let (stand, logs) = (Arc::clone(&stand), Arc::clone(&logs));
        tokio::spawn(async move { append_many(&*stand, &logs, seed, 60).await })
    });
    let tasks = join_all(tasks);
    let restarts = async {
        let mut running = running;
        for _ in 0..3 {
            tokio::time::sleep(Duration::from_millis(100)).await;
            running.shutdown().await;
            running = stand.start().await;
        }
        running
    };
    let (tasks, running) = futures_util::future::join(tasks, restarts).await;
    for task in tasks {
        task.unwrap();
    }
    caught_up(&*stand, &logs).await;
    assert_eq!(stand.rows().await, fold(&*stand, &logs).await);
    running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_are_the_fold_under_fire_on_postgres() {
    let Some((server, stand)) = OnServer::<PostgresTally>::new().await else {
        return;
    };
    let pool = stand.pool.clone();
    rows_are_the_fold_under_fire(Arc::new(stand)).await;
    let falls: i64 = sqlx::query_scalar("select count(*) from promises_inline_fire.falls")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(falls, 0);
    forget::<PostgresTally>(&server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_are_the_fold_under_fire_on_sqlite() {
    let file = TemporaryStore::open().await;
    rows_are_the_fold_under_fire(Arc::new(InFile::<SqliteTally>::new(&file))).await;
}
