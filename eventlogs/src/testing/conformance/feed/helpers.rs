//! Helpers for the tests of the promises.

use crate::__example::CounterEvent;
use crate::codec::built_in::json::Json;
use crate::codec::stored::{DecodeProblem, StoredPayload};
use crate::cursor::Cursor;
use crate::event::{Event, EventSchema, EventType, LogType};
use crate::feed::contract::{EventFeed, Feed};
use crate::feed::event::FeedEvent;
use crate::ids::LogId;
use crate::stores::EventStore;
use serde::Serializer;
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// A store of the suite's events, with a feed.
pub trait FeedStore: EventStore<CounterEvent> + EventFeed {}
impl<S: EventStore<CounterEvent> + EventFeed> FeedStore for S {}

/// How long a test waits for events. Transactions of others hold the feed of a shared server back.
const PATIENCE: Duration = Duration::from_mins(1);

/// An event of another kind of log, which is never written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OtherEvent;

impl Event for OtherEvent {
    type Codec = Json;

    const LOG_TYPE: LogType = LogType::new("conformance.other");

    const SCHEMA: &'static [EventSchema] = &[];

    fn event_type(&self) -> EventType {
        EventType::new("conformance.other", 1)
    }

    fn serialize_payload<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }

    fn decode(stored: &StoredPayload<'_>) -> Result<Self, DecodeProblem> {
        Err(stored.unknown_event::<Self>())
    }
}

/// Reads a feed until it has delivered so many events, and checks that no more come.
pub(super) async fn read_on<S: EventFeed>(feed: &mut Feed<S>, events: usize) -> Vec<FeedEvent> {
    let mut found = Vec::new();
    let begun = Instant::now();
    while found.len() < events {
        match feed.next_page().await.expect("the feed can be read") {
            Some(page) => {
                let last = page.events.last().map(|last| last.cursor);
                assert!(last.is_none_or(|last| last <= page.cursor));
                assert_eq!(feed.cursor(), page.cursor);
                found.extend(page.events);
            }
            None => wait(feed).await,
        }
        assert!(begun.elapsed() < PATIENCE, "{} events came", found.len());
    }
    let more = feed.next_page().await.expect("the feed can be read");
    assert!(more.is_none(), "more events came: {more:?}");
    found
}

/// Waits for events.
pub(super) async fn wait<S: EventFeed>(feed: &mut Feed<S>) {
    tokio::time::timeout(PATIENCE, feed.wait())
        .await
        .expect("there are events")
        .expect("the feed can be read");
}

/// Reads a feed from the start.
pub(super) async fn read(store: &impl FeedStore, events: usize) -> Vec<FeedEvent> {
    read_on(&mut store.feed(Cursor::START), events).await
}

/// Returns log and index of each event.
pub(super) fn names(events: &[FeedEvent]) -> Vec<(LogId, u64)> {
    let name = |event: &FeedEvent| (event.log_id, event.index);
    events.iter().map(name).collect()
}

/// Checks that the events are these logs of these lengths, each event once and in the order of its log.
pub(super) fn assert_logs(events: &[FeedEvent], logs: &HashMap<LogId, u64>) {
    let mut next: HashMap<LogId, u64> = HashMap::new();
    for event in events {
        let next = next.entry(event.log_id).or_default();
        assert_eq!(event.index, *next, "the order of log {}", event.log_id);
        *next += 1;
    }
    assert_eq!(next, *logs);
    let places = events.iter().map(|event| event.cursor);
    assert!(places.is_sorted(), "the order of the feed");
}
