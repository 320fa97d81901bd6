//! Promises about the size of pages.

use crate::__example::CounterEvent;
use crate::cursor::Cursor;
use crate::feed::contract::PAGE_BYTES;
use crate::feed::event::FeedEvent;
use crate::ids::LogId;
use crate::metadata::Metadata;
use crate::stores::request::AppendRequest;
use crate::testing::conformance::feed::helpers::{FeedStore, names, read, read_on};
use crate::testing::conformance::store::helpers::{added, log_of};

/// A page has at most as many events as the reader asks for.
pub async fn a_page_has_a_bounded_number_of_events(store: &impl FeedStore) {
    log_of(store, 25).await;
    read(store, 25).await;
    for page_size in [1, 3, 10, 24, 25, 26] {
        let mut feed = store.feed(Cursor::START).with_page_size(page_size);
        let mut sizes = Vec::new();
        while let Some(page) = feed.next_page().await.expect("the feed can be read") {
            sizes.push(page.events.len());
        }
        let mut expected = vec![page_size; 25 / page_size];
        expected.extend(Some(25 % page_size).filter(|rest| *rest > 0));
        assert_eq!(sizes, expected);
    }
}

/// A page of large events ends after 4 MiB, and they come whole, between small ones and with their metadata.
pub async fn a_page_has_a_bounded_number_of_bytes(store: &impl FeedStore) {
    let note = |size: usize| CounterEvent::Noted {
        text: "x".repeat(size),
    };
    let mut expected = Vec::new();
    for size in [
        1_000_000, 9_000, 700_000, 300, 1_000_000, 1_000_000, 1_000_000,
    ] {
        let events = [added(1), note(size), added(2)];
        let mut request = AppendRequest::create(LogId::new(), &events);
        request.context.metadata = Metadata::new().with("note", "y".repeat(5_000));
        let state = store.append(request).await.expect("the log is new").state;
        expected.extend((0..3).map(|index| (state.log_id(), index)));
    }
    let whole = read_on(&mut store.feed(Cursor::START), 21).await;
    assert_eq!(names(&whole), expected);
    for page_size in [500, 8, 5_000, 10_000_000] {
        let mut feed = store.feed(Cursor::START).with_page_size(page_size);
        let (mut events, mut pages) = (Vec::new(), 0);
        while let Some(page) = feed.next_page().await.expect("the feed can be read") {
            let sizes = page.events.iter().rev().skip(1);
            let bytes: usize = sizes.map(FeedEvent::bytes).sum();
            assert!(bytes < PAGE_BYTES, "{bytes} bytes before the last event");
            events.extend(page.events);
            pages += 1;
        }
        assert_eq!(names(&events), expected);
        assert!(pages >= 2, "{pages} pages of {page_size}");
        for (event, first) in events.iter().zip(&whole) {
            assert_eq!(event.payload, first.payload, "pages of {page_size}");
            assert_eq!(event.metadata, first.metadata);
        }
        let large = events.iter().filter(|event| event.bytes() > 1_000_000);
        assert_eq!(large.count(), 4, "large events come whole");
        assert!(events.iter().all(|event| event.bytes() > 5_000));
    }
}
