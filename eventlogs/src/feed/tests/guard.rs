//! Events that are left out, come late, or come twice.

use super::{Scripted, all, names};
use crate::__example::CounterEvent;
use crate::cursor::Cursor;
use crate::feed::contract::EventFeed;
use crate::feed::error::FeedError;
use crate::ids::LogId;
use crate::record::EventRecord;

/// Never.
const NEVER: usize = usize::MAX;

#[tokio::test]
async fn a_gap_that_a_new_look_closes_is_no_gap() {
    let (store, logs) = Scripted::with::<2>(&[(0, 0), (1, 0), (0, 1), (0, 2)]);
    let (late, other) = (store.id(2), store.id(1));
    store.script().late.insert(late, 2);
    store.script().late.insert(other, 2);
    let events = all(&mut store.feed(Cursor::START)).await.unwrap();
    assert_eq!(names(&logs, &events), [(0, 0), (1, 0), (0, 1), (0, 2)]);
    let places = events.iter().map(|event| event.cursor);
    assert!(places.is_sorted(), "nothing was taken from a log");
}

#[tokio::test]
async fn a_gap_that_stays_is_filled_from_the_log() {
    let (store, logs) = Scripted::with::<2>(&[(0, 0), (0, 1), (1, 0), (0, 2), (0, 3), (0, 4)]);
    for lost in [3, 4] {
        let lost = store.id(lost);
        store.script().late.insert(lost, NEVER);
    }
    let mut feed = store.feed(Cursor::START);
    let events = all(&mut feed).await.unwrap();
    let expected = [(0, 0), (0, 1), (1, 0), (0, 2), (0, 3), (0, 4)];
    assert_eq!(names(&logs, &events), expected);
    assert!(events.iter().all(|event| event.payload.is_some()));
    assert_eq!(feed.cursor(), events[5].cursor);
    // A reader that stopped at one of the filled events comes to the one that follows them.
    for filled in &events[3..5] {
        let rest = all(&mut store.feed(filled.cursor)).await.unwrap();
        assert_eq!(names(&logs, &rest), [(0, 4)]);
    }
    let rest = all(&mut store.feed(feed.cursor())).await.unwrap();
    assert!(rest.is_empty());
}

#[tokio::test]
async fn filled_events_are_decoded_like_others() {
    let (store, _) = Scripted::with::<1>(&[(0, 0), (0, 1), (0, 2)]);
    let kind = <CounterEvent as crate::event::Event>::LOG_TYPE.number();
    for event in &mut store.script().events {
        event.kind = kind;
    }
    let lost = store.id(1);
    store.script().late.insert(lost, NEVER);
    let mut feed = store.feed(Cursor::START).events::<CounterEvent>();
    let page = feed.next_page().await.unwrap().unwrap();
    let indices: Vec<_> = page.records.iter().map(EventRecord::index).collect();
    assert_eq!(indices, [0, 1, 2]);
}

#[tokio::test]
async fn an_event_that_was_filled_is_not_delivered_again() {
    let (store, logs) = Scripted::with::<1>(&[(0, 0), (0, 2), (0, 1), (0, 3)]);
    let (late, last) = (store.id(2), store.id(3));
    store.script().late.insert(late, 4);
    store.script().late.insert(last, 4);
    let mut feed = store.feed(Cursor::START).with_page_size(1);
    let mut events = all(&mut feed).await.unwrap();
    assert_eq!(names(&logs, &events), [(0, 0), (0, 1), (0, 2)]);
    store.script().heads = 4;
    events.extend(all(&mut feed).await.unwrap());
    assert_eq!(names(&logs, &events), [(0, 0), (0, 1), (0, 2), (0, 3)]);
    assert_eq!(feed.cursor(), store.script().events[3].cursor);
}

/// Of a page that is not delivered, the filled events do not count as delivered, either.
#[tokio::test]
async fn an_event_that_was_filled_into_a_failed_page_is_delivered() {
    let (store, logs) = Scripted::with::<2>(&[(0, 0), (0, 1), (0, 2), (1, 0), (1, 1)]);
    let (first, second) = (store.id(1), store.id(3));
    store.script().late.insert(first, NEVER);
    store.script().late.insert(second, NEVER);
    store.script().gone.insert(second);
    let mut feed = store.feed(Cursor::START);
    let skipped = feed.next_page().await;
    assert!(
        matches!(skipped, Err(FeedError::Skipped { log_id, index: 1 }) if log_id == logs[1]),
        "{skipped:?}"
    );
    store.script().late.clear();
    let events = all(&mut feed).await.unwrap();
    assert_eq!(
        names(&logs, &events),
        [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1)]
    );
}

#[tokio::test]
async fn a_failure_while_a_gap_is_filled_leaves_the_page_for_the_next_call() {
    let (store, logs) = Scripted::with::<1>(&[(0, 0), (0, 1), (0, 2)]);
    let lost = store.id(1);
    store.script().late.insert(lost, NEVER);
    store.script().failures = 1;
    let mut feed = store.feed(Cursor::START);
    let failed = feed.next_page().await;
    assert!(matches!(failed, Err(FeedError::Store(_))), "{failed:?}");
    let events = all(&mut feed).await.unwrap();
    assert_eq!(names(&logs, &events), [(0, 0), (0, 1), (0, 2)]);
}

#[tokio::test]
async fn an_event_that_comes_again_is_an_error() {
    let (store, logs) = Scripted::with::<1>(&[(0, 0), (0, 1), (0, 0)]);
    let mut feed = store.feed(Cursor::START).with_page_size(2);
    assert!(feed.next_page().await.unwrap().is_some());
    let cursor = feed.cursor();
    for _ in 0..2 {
        let skipped = feed.next_page().await;
        assert!(
            matches!(skipped, Err(FeedError::Skipped { log_id, index: 0 }) if log_id == logs[0]),
            "{skipped:?}"
        );
        assert_eq!(feed.cursor(), cursor, "the feed stays where it is");
    }
}

#[tokio::test]
async fn an_event_that_its_log_lacks_is_an_error() {
    let (store, logs) = Scripted::with::<1>(&[(0, 0), (0, 1), (0, 2)]);
    let lost = store.id(1);
    store.script().late.insert(lost, NEVER);
    store.script().gone.insert(lost);
    let skipped = all(&mut store.feed(Cursor::START)).await;
    assert!(
        matches!(skipped, Err(FeedError::Skipped { log_id, index: 2 }) if log_id == logs[0]),
        "{skipped:?}"
    );
}

#[tokio::test]
async fn a_log_that_begins_with_another_event_is_an_error_only_from_the_start() {
    let (store, logs) = Scripted::with::<2>(&[(0, 0), (1, 1), (1, 2)]);
    let skipped = all(&mut store.feed(Cursor::START)).await;
    assert!(
        matches!(skipped, Err(FeedError::Skipped { log_id, index: 1 }) if log_id == logs[1]),
        "{skipped:?}"
    );
    // A reader that continues does not know what came before.
    let first = store.script().events[0].cursor;
    let events = all(&mut store.feed(first)).await.unwrap();
    assert_eq!(names(&logs, &events), [(1, 1), (1, 2)]);
}

/// More logs than the guard remembers.
#[tokio::test]
async fn logs_that_are_forgotten_are_read_on() {
    let store = Scripted::default();
    let logs: Vec<_> = (0..70_000).map(|_| LogId::new()).collect();
    for log_id in &logs {
        store.script().add(*log_id, 0);
    }
    for log_id in &logs[..100] {
        store.script().add(*log_id, 1);
    }
    let mut feed = store.feed(Cursor::START).with_page_size(40_000);
    assert_eq!(all(&mut feed).await.unwrap().len(), 70_100);
}
