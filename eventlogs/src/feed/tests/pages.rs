//! The size of pages, and pages that cannot be used.

use super::{KIND, Scripted, all};
use crate::__example::CounterEvent;
use crate::cursor::Cursor;
use crate::event::interest::Interest;
use crate::event::{Event, LogType};
use crate::feed::contract::EventFeed;
use crate::feed::error::FeedError;
use crate::feed::source::Source;
use crate::feed::wanted::Wanted;
use crate::ids::LogId;
use std::time::Duration;

/// Wants the logs of the counters.
fn counters() -> Wanted {
    Wanted::of(&[Source::new::<CounterEvent>(Interest::All)])
}

/// Adds events of one log after the other, of which every `each`th log is a counter.
fn fill(store: &Scripted, events: usize, each: usize) {
    let script = &mut store.script();
    for number in 0..events {
        script.add(LogId::new(), 0);
        if let Some(event) = script.events.last_mut()
            && number % each == 0
        {
            event.kind = CounterEvent::LOG_TYPE.number();
        }
    }
    script.distance = 1_000_000;
}

#[tokio::test]
async fn far_behind_unwanted_logs_are_left_out() {
    let store = Scripted::default();
    fill(&store, 50_000, 1_000);
    let mut feed = store.feed(Cursor::START).with_wanted(counters());
    let mut wanted = 0;
    while let Some(page) = feed.next_page().await.unwrap() {
        let events = page.events.iter();
        wanted += events.filter(|event| event.kind != KIND).count();
        assert!(page.events.len() <= 500);
    }
    assert_eq!(wanted, 50);
    let script = store.script();
    assert_eq!(feed.cursor(), script.events[49_999].cursor);
    assert!(script.reads.len() < 40, "{} pages", script.reads.len());
    assert!(script.reads.contains(&(2_000, true)));
}

#[tokio::test]
async fn a_page_keeps_its_size_however_far_the_feed_is_behind() {
    for (each, page_size) in [(1, 500), (1, 10), (2, 500), (4, 10), (20, 10)] {
        let store = Scripted::default();
        fill(&store, 10_000, each);
        for wanted in [counters(), Wanted::all()] {
            let feed = store.feed(Cursor::START).with_wanted(wanted);
            let mut feed = feed.with_page_size(page_size);
            let mut delivered = 0;
            while let Some(page) = feed.next_page().await.unwrap() {
                assert!(page.events.len() <= page_size);
                let wanted = page.events.iter().filter(|event| event.kind != KIND);
                delivered += wanted.count();
            }
            assert_eq!(delivered, 10_000 / each);
        }
    }
}

/// Pages of which most events are wanted are not read at four times their size.
#[tokio::test]
async fn pages_of_wanted_events_are_read_once() {
    let store = Scripted::default();
    fill(&store, 10_000, 2);
    let mut feed = store.feed(Cursor::START).with_wanted(counters());
    all(&mut feed).await.unwrap();
    let reads = &store.script().reads;
    assert!(reads.iter().all(|read| *read == (500, false)), "{reads:?}");
}

#[tokio::test]
async fn a_page_that_cannot_be_decoded_is_read_again() {
    let (store, _) = Scripted::with::<1>(&[(0, 0), (0, 1), (0, 2), (0, 4)]);
    for event in &mut store.script().events {
        event.kind = CounterEvent::LOG_TYPE.number();
    }
    store.script().events[2].event_type = "counter.exploded".into();
    let feed = store.feed(Cursor::START).with_page_size(2);
    let mut feed = feed.events::<CounterEvent>();
    let first = feed.next_page().await.unwrap().unwrap();
    assert_eq!(first.records.len(), 2);
    for _ in 0..2 {
        let failed = feed.next_page().await;
        // Event 3 is missing, which the guard still notices after an error.
        assert!(
            matches!(failed, Err(FeedError::Skipped { index: 4, .. })),
            "{failed:?}"
        );
    }
    store.script().events.pop();
    for _ in 0..2 {
        let failed = feed.next_page().await;
        assert!(matches!(failed, Err(FeedError::Decode(_))), "{failed:?}");
        assert_eq!(feed.cursor(), first.cursor);
    }
    store.script().events[2].event_type = "counter.added".into();
    let page = feed.next_page().await.unwrap().unwrap();
    assert_eq!(page.records.len(), 1);
}

#[tokio::test]
async fn a_signal_ends_the_wait() {
    let (store, logs) = Scripted::with::<1>(&[(0, 0)]);
    let mut feed = store.feed(Cursor::START);
    all(&mut feed).await.unwrap();
    let waiting = tokio::time::timeout(Duration::from_secs(5), feed.wait());
    let (waited, ()) = tokio::join!(waiting, async {
        tokio::time::sleep(Duration::from_millis(60)).await;
        store.script().add(logs[0], 1);
        store.commits.give();
    });
    assert!(matches!(waited, Ok(Ok(()))), "{waited:?}");
}

#[test]
fn logs_of_another_kind_are_not_wanted() {
    const OTHER: LogType = LogType::new("other");
    let log_id = LogId::new();
    assert!(counters().includes_log(log_id, CounterEvent::LOG_TYPE.number()));
    assert!(!counters().includes_log(log_id, OTHER.number()));
    assert!(counters().leaves_out_logs() && !Wanted::all().leaves_out_logs());
    assert!(Wanted::all().in_partition(0, 2).leaves_out_logs());
}
