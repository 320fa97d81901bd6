//! Transactions of other databases of the same server, which cannot store events.

use super::{ADDED, Site, ends, names, now, until};
use eventlogs::{AppendOptions, Cursor, EventFeed, PostgresEventStore};
use sqlx::{Connection, Executor, PgConnection};
use std::time::{Duration, Instant};

/// Longer than the feed waits before it tells transactions apart.
const PATIENCE: Duration = Duration::from_millis(1_500);

/// Begins a transaction that has written.
async fn begin(connection: &mut PgConnection, after: &'static str) {
    let text = "create table if not exists notes (text text)";
    connection.execute(text).await.unwrap();
    let write = "begin; savepoint a; insert into notes values ('a'); savepoint b; insert into notes values ('b')";
    connection.execute(sqlx::raw_sql(write)).await.unwrap();
    connection.execute(sqlx::raw_sql(after)).await.unwrap();
}

#[tokio::test]
async fn they_hold_the_feed_only_until_they_are_told_apart() {
    let Some(site) = Site::open().await else {
        return;
    };
    for (after, end) in [
        ("select 1", "rollback"),
        (
            "prepare transaction 'elsewhere'",
            "rollback prepared 'elsewhere'",
        ),
    ] {
        // A store that has not told anything apart yet.
        let store = PostgresEventStore::connect(&site.server.url()).await;
        let store = store.unwrap();
        let mut feed = store.feed(Cursor::START);
        now(&mut feed).await;
        let mut foreign = site.elsewhere().await;
        begin(&mut foreign, after).await;
        let logs = site.create(2).await;
        let begun = Instant::now();
        assert!(now(&mut feed).await.is_empty(), "it may be one of ours");
        assert!(store.head().await.unwrap().is_held());
        let named = store.feed_hold().await.unwrap().unwrap();
        assert_eq!(named.database.as_deref(), Some("other"));
        assert_eq!(names(&until(&mut feed, 2).await), ends(&logs));
        assert!(begun.elapsed() > Duration::from_millis(900));

        // From now on it is known, and later events need not wait as long.
        let mut slowest = Duration::ZERO;
        let mut state = logs[0];
        for _ in 0..5 {
            state = site.append(state).await;
            let begun = Instant::now();
            assert_eq!(names(&until(&mut feed, 1).await), ends(&[state]));
            slowest = slowest.max(begun.elapsed());
        }
        assert!(slowest < Duration::from_millis(800), "{slowest:?}");
        foreign.execute(end).await.unwrap();
    }
}

/// A transaction of ours holds the feed however many others are told apart.
#[tokio::test]
async fn a_transaction_of_ours_holds_the_feed_all_the_same() {
    let Some(site) = Site::open().await else {
        return;
    };
    let mut feed = site.store.feed(Cursor::START);
    let logs = site.create(4).await;
    until(&mut feed, 4).await;
    // Ours is between others.
    let mut before = site.elsewhere().await;
    begin(&mut before, "select 1").await;
    let mut connection = site.connection().await;
    let mut ours = connection.begin().await.unwrap();
    let options = AppendOptions::default();
    let held = site.store.append_in(&mut ours, logs[0], &[ADDED], &options);
    let held = held.await.unwrap();
    let mut behind = site.elsewhere().await;
    begin(&mut behind, "prepare transaction 'behind'").await;
    let first = site.append(logs[1]).await;
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        assert!(now(&mut feed).await.is_empty());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let named = site.store.feed_hold().await.unwrap().unwrap();
    assert_eq!(named.database.as_deref(), Some("postgres"), "{named:?}");
    // Another one of ours begins behind, and is the last to end.
    let mut connection = site.connection().await;
    let mut second = connection.begin().await.unwrap();
    let last = site
        .store
        .append_in(&mut second, logs[2], &[ADDED], &options);
    let last = last.await.unwrap();
    let after = site.append(logs[3]).await;
    ours.commit().await.unwrap();
    assert_eq!(names(&until(&mut feed, 2).await), ends(&[held, first]));
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        assert!(now(&mut feed).await.is_empty());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // It is prepared, and so not the transaction of a session any more. The driver does not know that.
    second.execute("prepare transaction 'ours'").await.unwrap();
    second.commit().await.unwrap();
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        assert!(now(&mut feed).await.is_empty());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let named = site.store.feed_hold().await.unwrap().unwrap();
    assert_eq!(named.gid.as_deref(), Some("ours"));
    connection.execute("commit prepared 'ours'").await.unwrap();
    assert_eq!(names(&until(&mut feed, 2).await), ends(&[last, after]));
    behind.execute("rollback prepared 'behind'").await.unwrap();
}

/// A role that cannot see the transactions of others waits for them.
#[tokio::test]
async fn what_cannot_be_told_apart_counts_as_ours() {
    let Some(site) = Site::open().await else {
        return;
    };
    let sql = "create role plain login; grant usage on schema eventlogs to plain; \
               grant select on all tables in schema eventlogs to plain";
    site.connection()
        .await
        .execute(sqlx::raw_sql(sql))
        .await
        .unwrap();
    let url = site.server.url().replace("postgres@", "plain@");
    let plain = PostgresEventStore::connect(&url).await.unwrap();
    let mut foreign = site.elsewhere().await;
    begin(&mut foreign, "select 1").await;
    let logs = site.create(1).await;
    let mut feed = plain.feed(Cursor::START);
    let begun = Instant::now();
    // Whether or not this version of the server shows the numbers, nothing may be missed.
    let ended = async {
        tokio::time::sleep(PATIENCE).await;
        foreign.execute("rollback").await.unwrap();
    };
    let (events, ()) = tokio::join!(until(&mut feed, 1), ended);
    assert_eq!(names(&events), ends(&logs));
    assert!(begun.elapsed() < Duration::from_secs(10));
}
