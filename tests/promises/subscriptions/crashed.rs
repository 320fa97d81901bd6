//! A server that ends immediately, and comes back without its last commits.

use super::stage::{LEASE, Logs};
use super::totals::{PostgresTotals, TABLES, TOTALS, read_in_postgres};
use crate::payments::payments;
use crate::servers::PrivatePostgres;
use eventlogs::PostgresEventStore;
use eventlogs::subscriptions::Subscriptions;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Executor};
use std::time::{Duration, Instant};

/// The commits of handlers do not wait for the disk. When they are lost, the events come again, also if no further one follows.
#[tokio::test]
async fn sums_survive_a_crash_of_the_server() {
    // What is not written by a commit stays in memory for long.
    let settings = [
        "max_connections=40",
        "wal_writer_delay=10s",
        "wal_writer_flush_after=0",
    ];
    let Some(mut server) = PrivatePostgres::start(&settings).await else {
        return;
    };
    let store = PostgresEventStore::connect(&server.url()).await.unwrap();
    store.migrate().await.unwrap();
    let connect: PgConnectOptions = server.url().parse().unwrap();
    let connect = connect.options([("search_path", "eventlogs")]);
    let mut connection = connect.connect().await.unwrap();
    connection.execute(TABLES).await.unwrap();
    let totals = PostgresTotals {
        prefix: "eventlogs.".to_owned(),
        delay: Duration::ZERO,
    };
    let mut logs = Logs::new(payments(store.clone()), 3).await;
    let subscriptions = Subscriptions::new(&store).lease(LEASE);
    let running = subscriptions.projection(totals).start().await.unwrap();
    let mut lost = 0;
    for _ in 0..3 {
        logs.append(&[1, 2, 3]).await;
        let newest = logs.states[2];
        let settled = running.wait_for(TOTALS, newest, Duration::from_secs(20));
        settled.await.unwrap();
        let before = read_in_postgres("eventlogs.", &mut connection)
            .await
            .unwrap();
        assert_eq!(before, logs.fold().await);
        server.crash();
        server.restart().await;
        connection = connect.connect().await.unwrap();
        let after = read_in_postgres("eventlogs.", &mut connection)
            .await
            .unwrap();
        lost += usize::from(after != before);
        // Nobody writes a further event.
        let begun = Instant::now();
        while read_in_postgres("eventlogs.", &mut connection)
            .await
            .unwrap()
            != before
        {
            assert!(
                begun.elapsed() < Duration::from_secs(30),
                "the events do not come again"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    assert!(lost > 0, "no crash has lost a commit");
    logs.append_for(Duration::from_millis(300)).await;
    logs.caught_up(&store, TOTALS).await;
    let read = read_in_postgres("eventlogs.", &mut connection)
        .await
        .unwrap();
    assert_eq!(read, logs.fold().await);
    running.shutdown().await;
}
