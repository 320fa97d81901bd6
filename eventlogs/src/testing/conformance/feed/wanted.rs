//! Promises about what a reader does not want.

use crate::__example::CounterEvent;
use crate::cursor::Cursor;
use crate::event::interest::Interest;
use crate::event::{Event, EventSchema, EventType};
use crate::feed::event::FeedEvent;
use crate::feed::page::FeedRequest;
use crate::feed::source::Source;
use crate::feed::wanted::Wanted;
use crate::ids::LogId;
use crate::metadata::Metadata;
use crate::stores::request::AppendRequest;
use crate::testing::conformance::feed::helpers::{
    FeedStore, OtherEvent, assert_logs, names, read, read_on,
};
use crate::testing::conformance::store::helpers::{added, log_of};
use std::collections::HashMap;

/// Stores an amount, a note and another amount in one log, with metadata.
async fn a_log_with_a_note(store: &impl FeedStore) -> LogId {
    let log_id = LogId::new();
    let note = CounterEvent::Noted {
        text: "text".to_owned(),
    };
    let events = [added(1), note, added(2)];
    let mut request = AppendRequest::create(log_id, &events);
    request.context.metadata = Metadata::new().with("user", "ada");
    store.append(request).await.expect("the log is new");
    log_id
}

/// Reads with a filter, and returns which events have payloads. Metadata comes with them and only with them.
async fn payloads(store: &impl FeedStore, wanted: Wanted, events: usize) -> Vec<bool> {
    let mut feed = store.feed(Cursor::START).with_wanted(wanted);
    let events = read_on(&mut feed, events).await;
    let has_payload = |event: &FeedEvent| {
        assert_eq!(event.metadata.is_some(), event.payload.is_some());
        event.payload.is_some()
    };
    events.iter().map(has_payload).collect()
}

/// Returns a source of the suite's logs that reads other events.
fn source(schema: &'static [EventSchema], unwanted: &'static [&'static str]) -> Source {
    Source {
        log_type: CounterEvent::LOG_TYPE,
        schema,
        interest: Interest::Except(unwanted),
    }
}

/// A reader of another enum comes to the end of the feed all the same.
pub async fn events_of_other_enums_move_the_cursor(store: &impl FeedStore) {
    log_of(store, 7).await;
    let events = read(store, 7).await;
    let mut feed = store.feed(Cursor::START).events::<OtherEvent>();
    while let Some(page) = feed.next_page().await.expect("the feed can be read") {
        assert!(page.records.is_empty());
    }
    assert_eq!(feed.cursor(), events[6].cursor);
    let wanted = Wanted::of(&[Source::new::<OtherEvent>(Interest::All)]);
    assert_eq!(payloads(store, wanted, 7).await, [false; 7]);
}

/// Ignored events come without their payloads, in their current version and under all their names.
pub async fn ignored_events_come_without_payload(store: &impl FeedStore) {
    const RENAMED: &[EventSchema] = &[
        EventSchema::new(EventType::new("counter.added", 1), "Added"),
        EventSchema::new(EventType::new("counter.text", 1), "Written")
            .with_aliases(&["counter.noted"]),
    ];
    a_log_with_a_note(store).await;
    read(store, 3).await;
    for (interest, expected) in [
        (Interest::All, [true, true, true]),
        (Interest::Except(&[]), [true, true, true]),
        (Interest::Except(&["Noted"]), [true, false, true]),
        (Interest::Except(&["Added"]), [false, true, false]),
        (Interest::Only(&["Noted"]), [false, true, false]),
        (Interest::Only(&[]), [false, false, false]),
    ] {
        let wanted = Wanted::of(&[Source::new::<CounterEvent>(interest)]);
        assert_eq!(payloads(store, wanted, 3).await, expected, "{interest:?}");
    }
    let wanted = Wanted::of(&[source(RENAMED, &["Written"])]);
    assert_eq!(payloads(store, wanted, 3).await, [true, false, true]);
    // Of two sources of one kind, each may leave out its own.
    let both = [
        Source::new::<CounterEvent>(Interest::Except(&["Noted"])),
        Source::new::<OtherEvent>(Interest::All),
    ];
    assert_eq!(
        payloads(store, Wanted::of(&both), 3).await,
        [true, false, true]
    );
}

/// Old versions of ignored events, and events that the reader does not know, come with their payloads: an upcaster may make any
/// event of them.
pub async fn old_versions_and_unknown_events_come_with_payload(store: &impl FeedStore) {
    const NEWER: &[EventSchema] =
        &[EventSchema::new(EventType::new("counter.added", 2), "Added").with_upcast_from(&[1])];
    a_log_with_a_note(store).await;
    read(store, 3).await;
    let wanted = Wanted::of(&[source(NEWER, &["Added"])]);
    assert_eq!(payloads(store, wanted, 3).await, [true, true, true]);
}

/// The partitions of a reader together have each event once, and a log is in one of them.
pub async fn partitions_add_up(store: &impl FeedStore) {
    let mut logs = HashMap::new();
    for _ in 0..40 {
        logs.insert(log_of(store, 3).await.log_id(), 3);
    }
    read(store, 120).await;
    for partitions in [1, 3, 4, 1024] {
        let mut together = Vec::new();
        let mut used = 0;
        for partition in 0..partitions {
            let wanted = Wanted::all().in_partition(partition, partitions);
            if partitions > 4 && !logs.keys().any(|log_id| wanted.includes_log(*log_id, 0)) {
                continue;
            }
            let mut feed = store.feed(Cursor::START).with_wanted(wanted);
            let events = read_on(&mut feed, 120).await;
            let with_payload = events.into_iter().filter(|event| event.payload.is_some());
            let before = together.len();
            together.extend(with_payload);
            used += usize::from(together.len() > before);
        }
        together.sort_by_key(|event: &FeedEvent| event.cursor);
        assert_logs(&together, &logs);
        assert!(partitions == 1 || used > 1);
    }
}

/// A page that may leave out events has the wanted ones, and shows how far the store has looked.
pub async fn a_page_that_leaves_out_events_moves_the_cursor(store: &impl FeedStore) {
    for _ in 0..12 {
        log_of(store, 2).await;
    }
    let whole = read(store, 24).await;
    let none = Wanted::of(&[Source::new::<OtherEvent>(Interest::All)]);
    let half = Wanted::all().in_partition(0, 2);
    for wanted in [none, half, Wanted::all()] {
        for limit in [1, 5, 24, 100] {
            let head = store.head().await.expect("the end can be looked up");
            let (mut cursor, mut found, mut pages) = (Cursor::START, Vec::new(), 0);
            while head.has_events_after(cursor) {
                let mut request = FeedRequest::new(cursor, head, limit, &wanted);
                request.sparse = true;
                let page = store.read_feed(request).await;
                let page = page.expect("the feed can be read");
                assert!(page.cursor > cursor && page.events.len() <= limit);
                cursor = page.cursor;
                pages += 1;
                found.extend(
                    page.events
                        .into_iter()
                        .filter(|event| event.payload.is_some()),
                );
            }
            assert_eq!(cursor, whole[23].cursor);
            assert!(pages <= 24_usize.div_ceil(limit), "{pages} pages");
            let expected = whole.iter().filter(|event| wanted.includes(event));
            assert_eq!(names(&found), names(&expected.cloned().collect::<Vec<_>>()));
        }
    }
}
