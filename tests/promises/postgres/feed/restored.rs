//! Servers that stop and start, that return to an earlier state, and whose tables move to another one.

use super::{ADDED, SETTINGS, Site, append, connect, counters, create, ends, names, now, until};
use crate::servers::PrivatePostgres;
use eventlogs::ids::LogId;
use eventlogs::stores::StoreError;
use eventlogs::{CreateOptions, Cursor, EventFeed, FeedError, LogManagerError, PostgresEventStore};
use sqlx::Executor;
use std::time::Duration;

/// Calls a function until the store has found its server again.
async fn again<T, E: std::fmt::Debug>(mut call: impl AsyncFnMut() -> Result<T, E>) -> T {
    for _ in 0..100 {
        if let Ok(value) = call().await {
            return value;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    call().await.expect("the server is back")
}

#[tokio::test]
async fn a_feed_continues_after_a_crash_of_its_server() {
    let Some(mut site) = Site::open().await else {
        return;
    };
    let mut feed = site.store.feed(Cursor::START).with_page_size(3);
    let mut states = site.create(10).await;
    // In the middle of pages.
    let mut events = feed.next_page().await.unwrap().unwrap().events;
    for round in 0..2 {
        let mut holder = site.connection().await;
        let held = "begin; insert into eventlogs.events select gen_random_uuid(), 0, gen_random_uuid(), 'x', 1, 1, '', \
                    null, null, now(), 'counter', 1";
        holder.execute(sqlx::raw_sql(held)).await.unwrap();
        let before = append(&site.counters, states[round]).await;
        states.push(before);
        site.server.crash();
        let (page, ()) = tokio::join!(feed.next_page(), site.server.restart());
        events.extend(page.unwrap().unwrap().events);
        states.push(append(&site.counters, states[round + 2]).await);
        let total = states.len();
        events.extend(until(&mut feed, total - events.len()).await);
        assert_eq!(names(&events), ends(&states));
    }
}

/// A disk is restored: the server has an earlier state, and even the same timeline.
#[tokio::test]
async fn a_server_in_an_earlier_state_does_not_have_what_was_read() {
    let Some(mut site) = Site::open().await else {
        return;
    };
    let logs = site.create(3).await;
    let mut open = site.store.feed(Cursor::START);
    let before = until(&mut open, 3).await;
    site.server.keep_state().await;
    again(async || site.store.head().await).await;
    let mut latest = logs[0];
    for _ in 0..3 {
        latest = site.append(latest).await;
    }
    let events = until(&mut open, 3).await;
    let mut inside = site.store.feed(before[1].cursor).with_page_size(1);
    assert!(inside.next_page().await.unwrap().is_some());
    site.server.return_to_kept_state().await;
    again(async || site.store.head().await).await;
    for appended in 0..3 {
        for event in &events {
            let mut resumed = site.store.feed(event.cursor);
            let rewound = again_unless_rewound(&mut resumed).await;
            assert_eq!(rewound, event.cursor, "after {appended} appends");
        }
        if appended == 0 {
            let mut resumed = site.store.feed(events[2].cursor);
            let waited = tokio::time::timeout(Duration::from_secs(5), resumed.wait()).await;
            assert!(
                matches!(waited, Ok(Err(FeedError::FeedRewound { .. }))),
                "{waited:?}"
            );
        }
        again_unless_rewound(&mut open).await;
        // Other events take the places.
        create(&site.counters).await;
        create(&site.counters).await;
    }
    // What was there before can be read on.
    assert_eq!(names(&until(&mut inside, 6).await).len(), 6);
    let mut old = site.store.feed(before[2].cursor);
    assert_eq!(until(&mut old, 6).await.len(), 6);
}

/// Reads until the feed is refused, and returns the cursor.
async fn again_unless_rewound(feed: &mut eventlogs::feed::Feed<PostgresEventStore>) -> Cursor {
    for _ in 0..20 {
        match feed.next_page().await {
            Err(FeedError::FeedRewound { cursor }) => return cursor,
            Err(FeedError::Store(_)) => tokio::time::sleep(Duration::from_millis(50)).await,
            other => panic!("{other:?}"),
        }
    }
    panic!("the server is not back");
}

/// A dump is restored into another server, whose transactions have lower numbers.
#[tokio::test]
async fn tables_that_have_moved_are_read_on_after_their_migration() {
    let Some(site) = Site::open().await else {
        return;
    };
    let Some(other) = PrivatePostgres::start(&SETTINGS).await else {
        return;
    };
    let burn =
        "do $$ begin for i in 1..3000 loop perform pg_current_xact_id(); commit; end loop; end $$";
    site.connection().await.execute(burn).await.unwrap();
    let logs = site.create(4).await;
    let mut feed = site.store.feed(Cursor::START);
    let events = until(&mut feed, 4).await;
    site.server.dump_into(&other);

    let moved = PostgresEventStore::connect(&other.url()).await.unwrap();
    let refused = moved.feed(events[1].cursor).next_page().await;
    assert!(
        matches!(
            refused,
            Err(FeedError::Store(StoreError::NotMigrated { .. }))
        ),
        "{refused:?}"
    );
    let refused = moved.feed(events[1].cursor).wait().await;
    assert!(
        matches!(
            refused,
            Err(FeedError::Store(StoreError::NotMigrated { .. }))
        ),
        "{refused:?}"
    );
    let there = counters(&moved);
    let options = CreateOptions::default();
    let refused = there.create(&LogId::new(), &ADDED, &options).await;
    assert!(
        matches!(
            refused,
            Err(LogManagerError::Store(StoreError::NotMigrated { .. }))
        ),
        "{refused:?}"
    );
    moved.migrate().await.unwrap();
    let mut resumed = moved.feed(events[3].cursor);
    assert!(now(&mut resumed).await.is_empty(), "nothing is new yet");
    let mut later = Vec::new();
    for state in &logs {
        later.push(append(&there, *state).await);
    }
    later.push(create(&there).await);
    assert_eq!(names(&until(&mut resumed, 5).await), ends(&later));
    let mut inside = moved.feed(events[1].cursor);
    let rest = [ends(&logs[2..]), ends(&later)].concat();
    assert_eq!(names(&until(&mut inside, 7).await), rest);
    // Transactions hold the feed there, too.
    let mut holder = connect(&other.url()).await;
    let begin = "begin; select pg_current_xact_id()";
    holder.execute(sqlx::raw_sql(begin)).await.unwrap();
    let held = append(&there, later[0]).await;
    assert!(now(&mut resumed).await.is_empty());
    holder.execute("commit").await.unwrap();
    assert_eq!(names(&until(&mut resumed, 1).await), ends(&[held]));
    // What was written to the old server after the dump is not there.
    site.append(logs[0]).await;
    let lost = until(&mut feed, 1).await;
    let refused = moved.feed(lost[0].cursor).next_page().await;
    assert!(
        matches!(refused, Err(FeedError::FeedRewound { .. })),
        "{refused:?}"
    );
}
