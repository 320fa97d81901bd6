//! A process whose handler holds a lock, and does not go on.

use super::stage::{PATIENCE, Stage};
use super::totals::TOTALS;
use eventlogs::EventFeed;
use eventlogs::subscriptions::WaitError;
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

/// What was committed behind a transaction that still runs counts: all have caught up only when it has ended.
#[tokio::test]
async fn all_catch_up_with_what_another_transaction_holds_back() {
    let Some(mut stage) = Stage::set(2).await else {
        return;
    };
    let store = stage.server.store.clone();
    let running = stage.start(&store).await;
    stage.check().await;
    let mut other = stage.server.connection().await;
    let mut holder = other.begin().await.unwrap();
    holder.execute("select pg_current_xact_id()").await.unwrap();
    stage.logs.append(&[1]).await;
    let limit = Duration::from_millis(200);
    let waited = running.wait_until_caught_up(limit).await;
    assert!(
        matches!(&waited, Err(WaitError::TimedOut { name, .. }) if name == TOTALS),
        "{waited:?}"
    );
    let waiting = tokio::spawn(async move {
        let waited = running.wait_until_caught_up(PATIENCE).await;
        (waited, running)
    });
    tokio::time::sleep(limit).await;
    assert!(!waiting.is_finished());
    holder.rollback().await.unwrap();
    let (waited, running) = waiting.await.unwrap();
    waited.unwrap();
    assert_eq!(stage.read().await, stage.logs.fold().await);
    running.shutdown().await;
}
