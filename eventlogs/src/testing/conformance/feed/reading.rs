//! Promises about reading: each event comes once, in order, as it was written.

use crate::__example::CounterEvent;
use crate::codec::CodecId;
use crate::cursor::Cursor;
use crate::feed::record::FeedRecord;
use crate::feed::typed::OneOf2;
use crate::feed::wanted::Wanted;
use crate::ids::LogId;
use crate::metadata::Metadata;
use crate::record::EventRecord;
use crate::stores::request::AppendRequest;
use crate::testing::conformance::feed::helpers::{
    FeedStore, OtherEvent, assert_logs, names, read, read_on, wait,
};
use crate::testing::conformance::store::helpers::{added, all, append, append_across, log_of};
use chrono::{SubsecRound, Utc};
use std::collections::HashMap;

/// A feed without events has no pages.
pub async fn an_empty_store_has_an_empty_feed(store: &impl FeedStore) {
    assert!(read(store, 0).await.is_empty());
    let head = store.head().await.expect("the end can be looked up");
    assert_eq!((head.last, head.readable), (None, None));
    assert!(!head.has_events_after(Cursor::START) && !head.is_held());
}

/// However events were written, each comes once, after those before it in its log.
pub async fn every_event_comes_once_and_in_the_order_of_its_log(store: &impl FeedStore) {
    let mut logs = HashMap::new();
    let (mut one, mut other) = (log_of(store, 3).await, log_of(store, 1).await);
    for _ in 0..5 {
        let appended = store
            .append(AppendRequest::after(one, &[added(1), added(2), added(3)]))
            .await;
        one = appended.expect("the state is current").state;
        let parts = vec![(one, vec![added(4)]), (other, vec![added(5), added(6)])];
        let states = append_across(store, parts)
            .await
            .expect("the states are current");
        (one, other) = (states[0], states[1]);
        let new = log_of(store, 2).await;
        logs.insert(new.log_id(), 2);
    }
    logs.insert(one.log_id(), 23);
    logs.insert(other.log_id(), 11);
    let whole = read(store, 44).await;
    assert_logs(&whole, &logs);
    for page_size in [1, 2, 7, 43, 44, 500] {
        let mut feed = store.feed(Cursor::START).with_page_size(page_size);
        let events = read_on(&mut feed, 44).await;
        assert_eq!(names(&events), names(&whole), "pages of {page_size}");
    }
    // The open feed continues with what is written later.
    let mut feed = store.feed(whole[43].cursor);
    append(store, other, 7).await.expect("the state is current");
    let new = read_on(&mut feed, 1).await;
    assert_eq!(names(&new), [(other.log_id(), 11)]);
}

/// Ids, times, metadata and payloads are those that a read of the log returns.
pub async fn what_the_feed_has_is_what_a_read_returns(store: &impl FeedStore) {
    let log_id = LogId::new();
    let note = CounterEvent::Noted {
        text: "naïve 😀".to_owned(),
    };
    let events = [added(1), note];
    let mut request = AppendRequest::create(log_id, &events);
    let occurred_at = Utc::now() - chrono::TimeDelta::days(400);
    request.context.occurred_at = Some(occurred_at);
    request.context.metadata = Metadata::new().with("user", "ada");
    let state = store.append(request).await.expect("the log is new").state;
    append(store, state, 3).await.expect("the state is current");

    let untyped = read(store, 3).await;
    let kinds = untyped.iter().map(|event| (&*event.event_type, event.kind));
    let kind = <CounterEvent as crate::event::Event>::LOG_TYPE.number();
    let expected = [
        ("counter.added", kind),
        ("counter.noted", kind),
        ("counter.added", kind),
    ];
    assert_eq!(kinds.collect::<Vec<_>>(), expected);
    assert!(
        untyped
            .iter()
            .all(|event| event.version == 1 && event.codec == CodecId::from_stored(1))
    );

    let mut feed = store.feed(Cursor::START).events::<CounterEvent>();
    let page = feed.next_page().await.expect("the feed can be read");
    let records = page.expect("there are events").records;
    let places = records.iter().map(FeedRecord::cursor);
    assert!(places.eq(untyped.iter().map(|event| event.cursor)));
    let records: Vec<_> = records.into_iter().map(FeedRecord::into_record).collect();
    assert_eq!(records, all(store, log_id).await);
    assert_eq!(
        records[0].occurred_at(),
        Some(occurred_at.trunc_subsecs(6)),
        "the time is there"
    );
    assert_eq!(records[0].metadata().get("user"), Some(&"ada".into()));
    assert!(records[2].metadata().is_empty());
}

/// A feed of several enums decodes each event as its own.
pub async fn a_feed_of_several_enums_decodes_each_as_its_own(store: &impl FeedStore) {
    let state = log_of(store, 3).await;
    read(store, 3).await;
    let mut feed = store
        .feed(Cursor::START)
        .events::<(OtherEvent, CounterEvent)>();
    let page = feed.next_page().await.expect("the feed can be read");
    let records = page.expect("there are events").records;
    let indices = records.iter().map(|record| match record {
        OneOf2::First(_) => panic!("no event of this enum was written"),
        OneOf2::Second(record) => (record.log_id(), record.index()),
    });
    assert!(indices.eq((0..3).map(|index| (state.log_id(), index))));
}

/// A wait ends after an append, and not before.
pub async fn a_wait_ends_when_there_are_events(store: &impl FeedStore) {
    let state = log_of(store, 1).await;
    let mut feed = store.feed(Cursor::START);
    read_on(&mut feed, 1).await;
    let early = tokio::time::timeout(std::time::Duration::from_millis(80), feed.wait()).await;
    assert!(early.is_err(), "there is nothing to read: {early:?}");
    let (appended, ()) = tokio::join!(append(store, state, 1), wait(&mut feed));
    appended.expect("the state is current");
    assert_eq!(names(&read_on(&mut feed, 1).await), [(state.log_id(), 1)]);
    // What was there before the wait ends it, too.
    let mut feed = store.feed(Cursor::START);
    wait(&mut feed).await;
}

/// Events that a page lacks can be read from their log, with the payloads that are wanted.
pub async fn a_part_of_a_log_can_be_read_for_the_feed(store: &impl FeedStore) {
    let state = log_of(store, 6).await;
    let events = read(store, 6).await;
    for (wanted, has_payload) in [(Wanted::all(), true), (Wanted::of(&[]), false)] {
        let found = store.read_gap(state.log_id(), 2..5, &wanted).await;
        let found = found.expect("the log can be read");
        assert_eq!(names(&found), names(&events[2..5]));
        for (found, event) in found.iter().zip(&events[2..5]) {
            assert_eq!(
                (found.cursor, found.event_id),
                (event.cursor, event.event_id)
            );
            let payload = event.payload.clone().filter(|_| has_payload);
            assert_eq!(found.payload, payload);
        }
    }
    let nothing = store.read_gap(LogId::new(), 0..3, &Wanted::all()).await;
    assert!(nothing.expect("the log can be read").is_empty());
}
