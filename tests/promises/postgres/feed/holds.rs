//! Transactions that hold the feed back until they end.

use super::{ADDED, Site, connect, ends, names, now, until};
use eventlogs::feed::FeedHold;
use eventlogs::{AppendOptions, Cursor, EventFeed, LogState};
use sqlx::{Connection, Executor, PgConnection, Row};
use std::time::Duration;

/// Lets some time pass in which the feed could make a mistake.
async fn a_while() {
    tokio::time::sleep(Duration::from_millis(100)).await;
}

/// How a transaction ends.
const ENDS: [(&str, &[&str], bool); 7] = [
    ("committed", &["commit"], true),
    ("rolled back", &["rollback"], false),
    (
        "prepared and committed",
        &["prepare transaction 'one'", "commit prepared 'one'"],
        true,
    ),
    (
        "prepared and rolled back",
        &["prepare transaction 'two'", "rollback prepared 'two'"],
        false,
    ),
    (
        "committed after a savepoint",
        &["savepoint a", "select pg_sleep(0)", "release a", "commit"],
        true,
    ),
    ("ended by an error in it", &["select 1 / 0"], false),
    ("terminated", &[], false),
];

/// One event is on its way while eleven later ones are committed: none of them comes before it is known whether it exists.
#[tokio::test]
async fn no_event_overtakes_one_that_is_on_its_way() {
    let Some(site) = Site::open().await else {
        return;
    };
    for (end, statements, is_stored) in ENDS {
        let logs = site.create(6).await;
        let mut feed = site.store.feed(Cursor::START);
        let before = until(&mut feed, now_count(&site).await).await;
        let mut holder = site.connection().await;
        let pid: i32 = sqlx::query("select pg_backend_pid()")
            .fetch_one(&mut holder)
            .await
            .unwrap()
            .get(0);
        let mut transaction = holder.begin().await.unwrap();
        let options = AppendOptions::default();
        let held = site
            .store
            .append_in(&mut transaction, logs[0], &[ADDED], &options)
            .await
            .unwrap();
        let mut later = site.create(1).await;
        for state in logs[1..].iter().cycle().take(5) {
            later.push(site.append(*state).await);
        }
        let again: Vec<_> = later[1..].to_vec();
        for state in again {
            later.push(site.append(state).await);
        }
        assert_eq!(later.len(), 11);
        a_while().await;
        assert!(now(&mut feed).await.is_empty(), "{end}");
        // A reader that starts now comes to the same end.
        let fresh = now(&mut site.store.feed(Cursor::START)).await;
        assert_eq!(names(&fresh), names(&before), "{end}");

        for (number, statement) in statements.iter().enumerate() {
            assert!(now(&mut feed).await.is_empty(), "{end}: {number}");
            // One of them fails on purpose, and a prepared transaction is no longer that of the driver.
            let _ = transaction.execute(sqlx::raw_sql(*statement)).await;
        }
        if statements.is_empty() {
            sqlx::query("select pg_terminate_backend($1)")
                .bind(pid)
                .execute(&mut site.connection().await)
                .await
                .unwrap();
        }
        std::mem::forget(transaction);
        let mut expected = Vec::new();
        if is_stored {
            expected.extend(ends(&[held]));
        }
        expected.extend(ends(&later));
        let events = until(&mut feed, expected.len()).await;
        assert_eq!(names(&events), expected, "{end}");
    }
}

/// Returns the number of stored events.
async fn now_count(site: &Site) -> usize {
    let count = sqlx::query("select count(*) from eventlogs.events")
        .fetch_one(&mut site.connection().await)
        .await
        .unwrap();
    usize::try_from(count.get::<i64, _>(0)).unwrap()
}

/// What is undone to a savepoint is not in the feed; what comes before and after it is.
#[tokio::test]
async fn savepoints_leave_what_was_kept() {
    let Some(site) = Site::open().await else {
        return;
    };
    let logs = site.create(3).await;
    let mut feed = site.store.feed(Cursor::START);
    until(&mut feed, 3).await;
    let mut connection = site.connection().await;
    let mut transaction = connection.begin().await.unwrap();
    let append = async |transaction: &mut sqlx::Transaction<'_, _>, state| {
        let options = AppendOptions::default();
        let appended = site.store.append_in(transaction, state, &[ADDED], &options);
        appended.await.unwrap()
    };
    let first = append(&mut transaction, logs[0]).await;
    transaction.execute("savepoint a").await.unwrap();
    append(&mut transaction, logs[1]).await;
    transaction.execute("savepoint b").await.unwrap();
    append(&mut transaction, logs[2]).await;
    transaction.execute("rollback to a").await.unwrap();
    let second = append(&mut transaction, logs[2]).await;
    let other = site.append(logs[1]).await;
    a_while().await;
    assert!(now(&mut feed).await.is_empty());
    transaction.commit().await.unwrap();
    let events = until(&mut feed, 3).await;
    assert_eq!(names(&events), ends(&[first, second, other]));
}

#[tokio::test]
async fn transactions_that_only_read_hold_nothing() {
    let Some(site) = Site::open().await else {
        return;
    };
    let mut readers = Vec::new();
    for begin in [
        "begin isolation level repeatable read; select count(*) from eventlogs.events",
        "begin isolation level serializable, read only; select count(*) from eventlogs.events",
        "begin; declare c cursor for select * from eventlogs.events; fetch 1 from c",
    ] {
        let mut reader = site.connection().await;
        reader.execute(sqlx::raw_sql(begin)).await.unwrap();
        readers.push(reader);
    }
    let state = site.create(1).await[0];
    let mut feed = site.store.feed(Cursor::START);
    assert_eq!(names(&until(&mut feed, 1).await), ends(&[state]));
    let head = site.store.head().await.unwrap();
    assert!(!head.is_held());
    assert_eq!(site.store.feed_hold().await.unwrap(), None);
}

/// Begins a transaction with a number.
async fn begin(connection: &mut PgConnection) {
    let begin = "begin; select pg_current_xact_id()";
    connection.execute(sqlx::raw_sql(begin)).await.unwrap();
}

async fn hold(site: &Site) -> FeedHold {
    site.store.feed_hold().await.unwrap().expect("it is held")
}

#[tokio::test]
async fn who_holds_the_feed_is_named() {
    let Some(site) = Site::open().await else {
        return;
    };
    let state = site.create(1).await[0];
    let url = format!("{}?application_name=slow", site.server.url());
    let mut holder = connect(&url).await;
    let pid = sqlx::query("select pg_backend_pid()")
        .fetch_one(&mut holder)
        .await;
    let pid: i32 = pid.unwrap().get(0);
    begin(&mut holder).await;
    assert_eq!(
        site.store.feed_hold().await.unwrap(),
        None,
        "nothing waits for it"
    );
    let state = site.append(state).await;
    let named = hold(&site).await;
    assert_eq!((named.pid, named.gid.as_deref()), (Some(pid), None));
    assert_eq!(named.database.as_deref(), Some("postgres"));
    assert_eq!(named.user.as_deref(), Some("postgres"));
    assert_eq!(named.application.as_deref(), Some("slow"));
    assert_eq!(named.state.as_deref(), Some("idle in transaction"));
    assert!(
        named
            .query
            .is_some_and(|query| query.contains("pg_current_xact_id"))
    );
    assert!(named.age.is_some_and(|age| age < Duration::from_secs(20)));

    // A role without privileges on the server's statistics.
    site.connection()
        .await
        .execute(sqlx::raw_sql(
            "create role plain login; grant usage on schema eventlogs to plain; \
             grant select on all tables in schema eventlogs to plain",
        ))
        .await
        .unwrap();
    let url = site.server.url().replace("postgres@", "plain@");
    let plain = eventlogs::PostgresEventStore::connect(&url).await.unwrap();
    let seen = plain.feed_hold().await.unwrap().expect("it is held");
    assert_eq!(seen.pid, Some(pid));
    assert_eq!(seen.database.as_deref(), Some("postgres"));
    assert_eq!((seen.state, seen.query, seen.age), (None, None, None));
    holder.execute("rollback").await.unwrap();

    let mut holder = site.connection().await;
    begin(&mut holder).await;
    holder
        .execute("prepare transaction 'for later'")
        .await
        .unwrap();
    site.append(state).await;
    let named = hold(&site).await;
    assert_eq!((named.pid, named.gid.as_deref()), (None, Some("for later")));
    assert_eq!(named.state.as_deref(), Some("prepared"));
    assert_eq!(named.database.as_deref(), Some("postgres"));
    holder
        .execute("rollback prepared 'for later'")
        .await
        .unwrap();
    until(&mut site.store.feed(Cursor::START), 3).await;
    assert_eq!(site.store.feed_hold().await.unwrap(), None);
}

/// A transaction that has written before may not append behind a later one, so the order of a log is that of the transactions.
#[tokio::test]
async fn an_older_transaction_does_not_append_after_a_newer_one() {
    let Some(site) = Site::open().await else {
        return;
    };
    let logs = site.create(2).await;
    let mut connection = site.connection().await;
    let mut old = connection.begin().await.unwrap();
    old.execute("select pg_current_xact_id()").await.unwrap();
    let newer = site.append(logs[0]).await;
    let options = AppendOptions::default();
    let refused = site
        .store
        .append_in(&mut old, newer, &[ADDED], &options)
        .await;
    assert!(refused.is_err(), "{refused:?}");
    let other: LogState<_> = site
        .store
        .append_in(&mut old, logs[1], &[ADDED], &options)
        .await
        .unwrap();
    old.commit().await.unwrap();
    let events = until(&mut site.store.feed(Cursor::START), 4).await;
    assert_eq!(names(&events[2..]), ends(&[other, newer]));
}
