//! Tables that another program has changed.

use super::{Site, ends, names, now, until};
use eventlogs::{Cursor, EventFeed, FeedError};
use sqlx::Executor;

/// An event is moved behind a reader, which has come further. It is read from the log when the next one of its log comes.
#[tokio::test]
async fn an_event_that_was_moved_behind_the_reader_is_read_from_its_log() {
    let Some(site) = Site::open().await else {
        return;
    };
    let mut state = site.create(1).await[0];
    let other = site.create(1).await[0];
    let mut feed = site.store.feed(Cursor::START);
    until(&mut feed, 2).await;
    let mut appended = Vec::new();
    for _ in 0..3 {
        state = site.append(state).await;
        appended.push(state);
    }
    let moved = "update eventlogs.events set tx = '4' where event_index in (1, 2)";
    site.connection().await.execute(moved).await.unwrap();
    let events = until(&mut feed, 3).await;
    assert_eq!(names(&events), ends(&appended));
    assert!(events.iter().all(|event| event.payload.is_some()));
    // The feed goes on as before, also for another reader.
    let state = site.append(state).await;
    let other = site.append(other).await;
    for mut feed in [feed, site.store.feed(events[2].cursor)] {
        let next = until(&mut feed, 2).await;
        assert_eq!(names(&next), ends(&[state, other]));
    }
}

/// An event is moved ahead of those that follow it in its log.
#[tokio::test]
async fn an_event_that_was_moved_ahead_comes_once() {
    let Some(site) = Site::open().await else {
        return;
    };
    let first = site.create(1).await[0];
    let second = site.append(first).await;
    let third = site.append(second).await;
    let mut feed = site.store.feed(Cursor::START);
    let moved = "update eventlogs.events set tx = pg_current_xact_id() where event_index = 1";
    site.connection().await.execute(moved).await.unwrap();
    let events = until(&mut feed, 3).await;
    assert_eq!(names(&events), ends(&[first, second, third]));
    let fourth = site.append(third).await;
    assert_eq!(names(&until(&mut feed, 1).await), ends(&[fourth]));
}

#[tokio::test]
async fn an_event_that_was_deleted_ends_the_feed() {
    let Some(site) = Site::open().await else {
        return;
    };
    let first = site.create(1).await[0];
    let mut feed = site.store.feed(Cursor::START);
    until(&mut feed, 1).await;
    let second = site.append(first).await;
    let third = site.append(second).await;
    let deleted = "delete from eventlogs.events where event_index = 1";
    site.connection().await.execute(deleted).await.unwrap();
    for _ in 0..2 {
        let skipped = feed.next_page().await;
        assert!(
            matches!(skipped, Err(FeedError::Skipped { log_id, index: 2 }) if log_id == third.log_id()),
            "{skipped:?}"
        );
    }
    // Another feed starts behind the damage.
    let place = site.store.find_place(third.log_id(), 2).await.unwrap();
    let mut feed = site.store.feed(place.unwrap());
    assert!(now(&mut feed).await.is_empty());
}

/// The event of the cursor is deleted.
#[tokio::test]
async fn a_reader_whose_last_event_was_deleted_is_told() {
    let Some(site) = Site::open().await else {
        return;
    };
    let logs = site.create(2).await;
    let mut open = site.store.feed(Cursor::START);
    let events = until(&mut open, 2).await;
    let mut resumed = site.store.feed(events[1].cursor);
    let deleted = "delete from eventlogs.events where position = 2";
    site.connection().await.execute(deleted).await.unwrap();
    for feed in [&mut open, &mut resumed] {
        for _ in 0..2 {
            let rewound = feed.next_page().await;
            assert!(
                matches!(rewound, Err(FeedError::FeedRewound { cursor }) if cursor == events[1].cursor),
                "{rewound:?}"
            );
        }
    }
    site.append(logs[0]).await;
    for feed in [&mut open, &mut resumed] {
        let rewound = feed.next_page().await;
        assert!(
            matches!(rewound, Err(FeedError::FeedRewound { .. })),
            "{rewound:?}"
        );
    }
}
