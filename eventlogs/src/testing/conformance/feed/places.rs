//! Promises about cursors.

use crate::cursor::Cursor;
use crate::feed::error::FeedError;
use crate::feed::page::FeedRequest;
use crate::feed::wanted::Wanted;
use crate::ids::{EventId, LogId};
use crate::testing::conformance::feed::helpers::{FeedStore, names, read, read_on};
use crate::testing::conformance::store::helpers::{added, append_across, log_of};
use std::time::Duration;

/// A reader continues after any event, also if the cursor was kept as a text.
pub async fn a_feed_resumes_after_any_event(store: &impl FeedStore) {
    let (one, other) = (log_of(store, 4).await, log_of(store, 3).await);
    let parts = vec![(one, vec![added(4); 3]), (other, vec![added(5); 2])];
    append_across(store, parts)
        .await
        .expect("the states are current");
    let whole = read(store, 12).await;
    for (number, event) in whole.iter().enumerate() {
        let rest = &whole[number + 1..];
        let text = event.cursor.to_string();
        let json = serde_json::to_string(&event.cursor).expect("it is a text");
        let cursors = [
            event.cursor,
            text.parse().expect("it was displayed"),
            serde_json::from_str(&json).expect("it was written"),
        ];
        for cursor in cursors {
            assert_eq!(cursor, event.cursor);
            for page_size in [1, 5, 500] {
                let mut feed = store.feed(cursor).with_page_size(page_size);
                let events = read_on(&mut feed, rest.len()).await;
                assert_eq!(names(&events), names(rest), "after {cursor}");
            }
        }
        // Without the id the place is the same.
        let place = event.cursor.place();
        let mut feed = store.feed(Cursor::new(place, None));
        assert_eq!(names(&read_on(&mut feed, rest.len()).await), names(rest));
    }
}

/// A cursor of an event that the store never had is an error, however far it is, and not the end of the feed.
pub async fn a_cursor_of_an_event_that_never_existed_is_refused(store: &impl FeedStore) {
    log_of(store, 3).await;
    let events = read(store, 3).await;
    let last = events[2].cursor.place();
    let id = Some(EventId::new());
    let cursors = [
        Cursor::new(events[1].cursor.place(), id),
        Cursor::new(last, id),
        Cursor::from_parts(last.epoch, last.tx, last.position + 1, id),
        Cursor::from_parts(last.epoch, last.tx + 1, last.position + 1, id),
        Cursor::from_parts(
            last.epoch,
            last.tx + 1_000_000,
            last.position + 1_000_000,
            id,
        ),
        Cursor::from_parts(last.epoch + 1, 1, 1, id),
    ];
    for cursor in cursors {
        let mut feed = store.feed(cursor);
        for _ in 0..2 {
            let refused = feed.next_page().await;
            assert!(
                matches!(refused, Err(FeedError::FeedRewound { cursor: found }) if found == cursor),
                "{cursor}: {refused:?}"
            );
        }
        assert_eq!(feed.cursor(), cursor);
    }
    let mut feed = store.feed(cursors[4]);
    let outcome = tokio::time::timeout(Duration::from_secs(10), feed.wait()).await;
    assert!(
        matches!(outcome, Ok(Err(FeedError::FeedRewound { .. }))),
        "a wait would never end: {outcome:?}"
    );
    // The others' mistakes harm nobody.
    let head = store.head().await.expect("the end can be looked up");
    let wanted = Wanted::all();
    let request = FeedRequest::new(events[0].cursor, head, 10, &wanted);
    let page = store.read_feed(request).await;
    assert_eq!(
        names(&page.expect("the feed can be read").events),
        names(&events[1..])
    );
}

/// The place of an event is the cursor that it comes with.
pub async fn the_place_of_an_event_is_its_cursor(store: &impl FeedStore) {
    let state = log_of(store, 3).await;
    let events = read(store, 3).await;
    for event in &events {
        let place = store.find_place(event.log_id, event.index).await;
        assert_eq!(place.expect("the store can be read"), Some(event.cursor));
    }
    for (log_id, index) in [(state.log_id(), 3), (LogId::new(), 0)] {
        let place = store.find_place(log_id, index).await;
        assert_eq!(place.expect("the store can be read"), None);
    }
}

/// The end of the feed is the last event.
pub async fn the_end_of_the_feed_is_the_last_event(store: &impl FeedStore) {
    log_of(store, 3).await;
    let events = read(store, 3).await;
    let head = store.head().await.expect("the end can be looked up");
    let last = events[2].cursor;
    assert_eq!(head.readable, Some(last));
    assert_eq!(head.last.map(|last| last.place()), Some(last.place()));
    assert!(head.fence.place() > last.place());
    assert!(head.has_events_after(events[1].cursor) && !head.has_events_after(last));
    assert!(!head.is_held());
    assert_eq!(head.distance(Cursor::START), last.place().position);
}
