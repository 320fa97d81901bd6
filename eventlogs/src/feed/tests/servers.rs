//! Servers that take over, lag behind, or are not those that the feed was read from.

use super::{Script, Scripted, all, names};
use crate::cursor::Cursor;
use crate::feed::contract::EventFeed;
use crate::feed::error::FeedError;
use crate::feed::head::History;
use crate::ids::EventId;
use std::time::Duration;

/// Lets another server take over.
fn take_over(script: &mut Script) {
    let History {
        system,
        timeline,
        started,
    } = script.history;
    script.history = History::new(system, timeline + 1, started);
}

/// Moves a feed to its end: two pages of two events each.
async fn read(store: &Scripted) -> crate::feed::contract::Feed<Scripted> {
    let mut feed = store.feed(Cursor::START).with_page_size(2);
    let events = all(&mut feed).await;
    assert!(events.is_ok_and(|events| events.len() == 4));
    feed
}

#[tokio::test]
async fn a_server_with_the_last_page_is_read_on() {
    let (store, logs) = Scripted::with::<2>(&[(0, 0), (0, 1), (1, 0), (0, 2)]);
    let mut feed = read(&store).await;
    take_over(&mut store.script());
    store.script().add(logs[1], 1);
    let events = all(&mut feed).await.unwrap();
    assert_eq!(names(&logs, &events), [(1, 1)]);
}

#[tokio::test]
async fn a_server_without_an_event_of_the_last_page_is_an_error() {
    for lost in [2, 3] {
        let (store, logs) = Scripted::with::<2>(&[(0, 0), (0, 1), (1, 0), (0, 2)]);
        let mut feed = read(&store).await;
        take_over(&mut store.script());
        let lost = store.script().events.remove(lost);
        for index in 0..3 {
            store.script().add(logs[1], index);
        }
        for _ in 0..2 {
            let rewound = feed.next_page().await;
            assert!(
                matches!(rewound, Err(FeedError::FeedRewound { cursor }) if cursor == lost.cursor),
                "{rewound:?}"
            );
            let rewound = feed.wait().await;
            assert!(
                matches!(rewound, Err(FeedError::FeedRewound { .. })),
                "{rewound:?}"
            );
        }
    }
}

/// The end of the search for a lost event is its place, not the end of the feed.
#[tokio::test]
async fn a_lost_event_is_not_looked_for_behind_its_place() {
    let (store, logs) = Scripted::with::<2>(&[(0, 0), (0, 1), (1, 0), (0, 2)]);
    let mut feed = read(&store).await;
    take_over(&mut store.script());
    store.script().events.remove(2);
    for index in 3..1_000 {
        store.script().add(logs[0], index);
    }
    let before = store.script().reads.len();
    assert!(feed.next_page().await.is_err());
    let reads = store.script().reads.len() - before;
    assert!(reads <= 3, "{reads} pages were read");
}

/// Filled events have the places of others, so they are not looked for.
#[tokio::test]
async fn a_page_that_was_repaired_does_not_look_lost_on_another_server() {
    let (store, logs) = Scripted::with::<2>(&[(0, 0), (0, 1), (1, 0), (0, 2)]);
    let lost = store.id(1);
    store.script().late.insert(lost, usize::MAX);
    let mut feed = store.feed(Cursor::START);
    assert_eq!(all(&mut feed).await.unwrap().len(), 4);
    take_over(&mut store.script());
    store.script().add(logs[1], 1);
    let events = all(&mut feed).await.unwrap();
    assert_eq!(names(&logs, &events), [(1, 1)]);
}

#[tokio::test]
async fn a_standby_that_lags_has_no_events_yet() {
    // The standby lacks only the last event, or all events of the last page.
    for lacks in [1, 2] {
        let (store, logs) = Scripted::with::<2>(&[(0, 0), (0, 1), (1, 0), (0, 2)]);
        let open = read(&store).await;
        let resumed = store.feed(open.cursor());
        take_over(&mut store.script());
        store.script().is_standby = true;
        for mut feed in [open, resumed] {
            store.lag(lacks);
            assert!(feed.next_page().await.unwrap().is_none());
            let waiting = tokio::time::timeout(Duration::from_millis(60), feed.wait()).await;
            assert!(waiting.is_err(), "there is nothing yet: {waiting:?}");
            // It catches up.
            store.lag(0);
            assert!(feed.next_page().await.unwrap().is_none());
            let new = store.script().add(logs[1], 1);
            feed.wait().await.unwrap();
            let events = all(&mut feed).await.unwrap();
            assert_eq!(names(&logs, &events), [(1, 1)]);
            store
                .script()
                .events
                .retain(|event| event.event_id != new.event_id);
        }
    }
}

/// A standby that is further than the cursor will never get an event that it lacks before it.
#[tokio::test]
async fn a_standby_of_another_history_is_an_error() {
    let (store, logs) = Scripted::with::<2>(&[(0, 0), (0, 1), (1, 0), (0, 2)]);
    let mut feed = read(&store).await;
    take_over(&mut store.script());
    store.script().is_standby = true;
    store.script().events.remove(2);
    store.script().add(logs[0], 3);
    let rewound = feed.next_page().await;
    assert!(
        matches!(rewound, Err(FeedError::FeedRewound { .. })),
        "{rewound:?}"
    );
}

#[tokio::test]
async fn a_page_of_another_server_is_read_again() {
    let (store, logs) = Scripted::with::<1>(&[(0, 0), (0, 1), (0, 2)]);
    let mut feed = store.feed(Cursor::START).with_page_size(1);
    assert!(feed.next_page().await.unwrap().is_some());
    store.script().elsewhere = 1;
    take_over(&mut store.script());
    let events = all(&mut feed).await.unwrap();
    assert_eq!(names(&logs, &events), [(0, 1), (0, 2)]);
}

#[tokio::test]
async fn a_cursor_of_an_event_that_never_was_is_an_error() {
    let (store, _) = Scripted::with::<1>(&[(0, 0), (0, 1)]);
    let last = store.script().events[1].cursor.place();
    let ahead = Cursor::from_parts(last.epoch, last.tx + 5, 9, Some(EventId::new()));
    let other = Cursor::new(last, Some(EventId::new()));
    let first = store.script().events[0].cursor.place();
    let inside = Cursor::new(first, Some(EventId::new()));
    for cursor in [ahead, other, inside] {
        let rewound = store.feed(cursor).next_page().await;
        assert!(
            matches!(rewound, Err(FeedError::FeedRewound { cursor: found }) if found == cursor),
            "{rewound:?}"
        );
    }
    for cursor in [ahead, other] {
        let waited = tokio::time::timeout(Duration::from_secs(5), store.feed(cursor).wait()).await;
        assert!(
            matches!(waited, Ok(Err(FeedError::FeedRewound { .. }))),
            "{waited:?}"
        );
    }
}

/// A reader at the end asks one question per look.
#[tokio::test]
async fn a_reader_at_the_end_reads_no_pages() {
    let (store, _) = Scripted::with::<1>(&[(0, 0), (0, 1)]);
    let mut feed = store.feed(Cursor::START);
    assert_eq!(all(&mut feed).await.unwrap().len(), 2);
    let before = store.script().reads.len();
    for _ in 0..3 {
        assert!(feed.next_page().await.unwrap().is_none());
    }
    assert_eq!(store.script().reads.len(), before);
}
