//! A process whose handler holds a lock, and does not go on.

use super::stage::Stage;
use super::totals::TOTALS;
use eventlogs::EventFeed;
use sqlx::{Connection, Executor};
use std::time::Duration;

/// Another session holds a lock that the handler needs, for longer than the handler waits.
#[tokio::test]
async fn a_lock_of_another_session_is_waited_for() {
    let Some(mut stage) = Stage::set(2).await else {
        return;
    };
    let mut options = stage.server.options.clone();
    options.lock_timeout = Duration::from_millis(100);
    let store = eventlogs::PostgresEventStore::connect_with(stage.server.connect.clone(), options);
    let store = store.await.unwrap();
    let running = stage.start(&store).await;
    stage.check().await;
    // The event is there before the lock: the transaction of the lock holds back what comes later.
    running.pause(TOTALS).await.unwrap();
    stage.logs.append(&[1]).await;
    let mut feed = store.feed(eventlogs::Cursor::START);
    let mut events = 0;
    while events < 4 {
        events += feed
            .next_page()
            .await
            .unwrap()
            .map_or(0, |page| page.events.len());
    }
    let mut other = stage.server.connection().await;
    let mut lock = other.begin().await.unwrap();
    lock.execute("update all_totals set events = events")
        .await
        .unwrap();
    running.resume(TOTALS).await.unwrap();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let status = running.status().await.unwrap().remove(0);
    assert_eq!(status.name, TOTALS);
    let failure = status.partitions[0].failure.as_deref();
    assert!(
        failure.is_some_and(|failure| failure.contains("lock timeout")),
        "{status:?}"
    );
    lock.rollback().await.unwrap();
    stage.check().await;
    running.shutdown().await;
}
