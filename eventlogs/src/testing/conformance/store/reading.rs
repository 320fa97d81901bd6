//! Promises about reading: events come back as they were written.

use crate::__example::CounterEvent;
use crate::ids::{EventId, LogId};
use crate::log_state::LogPosition;
use crate::record::{EventRecord, RecordedEvent};
use crate::stores::error::ReadError;
use crate::stores::idempotency::IdempotencyKey;
use crate::stores::page::{Page, ReadStart};
use crate::stores::request::AppendRequest;
use crate::testing::conformance::store::helpers::{
    Store, added, all, append, create, fresh_key, log_of, page, replays,
};
use chrono::{DateTime, SubsecRound, Utc};

/// An append returns the records that a read returns: callers fold them onto the state that they have.
pub async fn what_an_append_returns_is_what_a_read_returns(store: &impl Store) {
    let state = log_of(store, 2).await;
    let batch = [
        added(2),
        CounterEvent::Noted {
            text: "three".to_owned(),
        },
    ];
    let mut request = AppendRequest::after(state, &batch);
    request.return_events = true;
    request.context.occurred_at = Some(Utc::now());
    let appended = store.append(request).await.expect("the state is current");
    assert_eq!(appended.events, all(store, state.log_id()).await[2..]);
    assert_eq!(appended.recorded_at, appended.events[0].recorded_at());

    let quiet = append(store, appended.state, 4)
        .await
        .expect("the state is current");
    assert!(
        quiet.events.is_empty(),
        "events are returned only on demand"
    );
}

/// Pages by index and pages after a state return every event once.
pub async fn pages_join_without_gap_or_overlap(store: &impl Store) {
    let end = log_of(store, 10).await;
    let whole = all(store, end.log_id()).await;
    for limit in 1..12 {
        let mut by_index = Vec::new();
        let mut by_state: Vec<RecordedEvent<CounterEvent>> = Vec::new();
        loop {
            let start = ReadStart::Index(by_index.len() as u64);
            let next = page(store, end.log_id(), start, limit)
                .await
                .expect("the log can be read");
            assert!(next.records.len() <= limit);
            by_index.extend(next.records);
            assert_eq!(next.more, by_index.len() < whole.len(), "limit {limit}");

            let start = by_state.last().map_or(ReadStart::Index(0), |last| {
                ReadStart::After(last.position())
            });
            by_state.extend(
                page(store, end.log_id(), start, limit)
                    .await
                    .expect("the log can be read")
                    .records,
            );
            if !next.more {
                break;
            }
        }
        assert_eq!(by_index, whole, "limit {limit}");
        assert_eq!(by_state, whole, "limit {limit}");
    }
    let behind = page(store, end.log_id(), ReadStart::Index(10), 5)
        .await
        .expect("the log can be read");
    assert_eq!(
        behind,
        Page {
            records: Vec::new(),
            more: false
        }
    );
    let nothing_new = page(store, end.log_id(), ReadStart::After(end), 5)
        .await
        .expect("the log can be read");
    assert_eq!(
        nothing_new,
        Page {
            records: Vec::new(),
            more: false
        }
    );
    let nothing_asked = page(store, end.log_id(), ReadStart::Index(0), 0)
        .await
        .expect("the log can be read");
    assert_eq!(
        nothing_asked,
        Page {
            records: Vec::new(),
            more: true
        }
    );
}

/// A page after an event that the log does not hold is refused: the reader has a state of another history, or of a longer one.
pub async fn a_page_behind_a_lost_event_is_refused(store: &impl Store) {
    let end = log_of(store, 3).await;
    let log_id = end.log_id();
    let other_history = LogPosition::new(log_id, 1, EventId::new());
    let ahead = LogPosition::new(log_id, 3, EventId::new());
    let far_ahead = LogPosition::at(log_id, 7);
    let no_log = LogPosition::new(LogId::new(), 0, EventId::new());
    for state in [other_history, ahead, far_ahead, no_log] {
        let refused = page(store, state.log_id(), ReadStart::After(state), 10).await;
        assert!(
            matches!(refused, Err(ReadError::HistoryChanged { log_id, index }) if (log_id, index) == (state.log_id(), state.index())),
            "{state:?}: {refused:?}"
        );
    }
    let by_index = page(
        store,
        log_id,
        ReadStart::After(LogPosition::at(log_id, 1)),
        10,
    )
    .await
    .expect("event 1 is there");
    assert_eq!(by_index.records.len(), 1);
}

/// A log that does not exist is an empty page. The manager decides if that is an error.
pub async fn a_log_that_does_not_exist_is_an_empty_page(store: &impl Store) {
    assert!(all(store, LogId::new()).await.is_empty());
    assert_eq!(replays(store, IdempotencyKey::new(&fresh_key())).await, []);
}

/// Every string comes back unchanged, and an event larger than a page is still returned.
pub async fn text_and_large_payloads_survive(store: &impl Store) {
    let texts = [
        "",
        "naïve 😀 \u{202e}rtl",
        "quote ' \" \\ \n \0 end",
        "ﬀ\u{300}",
        &"x".repeat(1024 * 1024),
    ];
    let events: Vec<_> = texts
        .iter()
        .map(|text| CounterEvent::Noted {
            text: (*text).to_owned(),
        })
        .collect();
    let log_id = LogId::new();
    let mut state = store
        .append(AppendRequest::create(log_id, &events))
        .await
        .expect("the events can be stored")
        .state;
    for _ in 0..6 {
        state = store
            .append(AppendRequest::after(state, &events[4..]))
            .await
            .expect("the state is current")
            .state;
    }
    let mut stored: Vec<RecordedEvent<CounterEvent>> = Vec::new();
    loop {
        let start = stored.last().map_or(ReadStart::Index(0), |last| {
            ReadStart::After(last.position())
        });
        let next = page(store, log_id, start, 100)
            .await
            .expect("the log can be read");
        assert!(!next.records.is_empty(), "a page always makes progress");
        stored.extend(next.records);
        if !next.more {
            break;
        }
    }
    let expected: Vec<_> = events.iter().chain((0..6).map(|_| &events[4])).collect();
    assert_eq!(
        stored.iter().map(EventRecord::event).collect::<Vec<_>>(),
        expected
    );
}

/// A page ends early if its events are large, and still reports if the log continues.
pub async fn pages_of_large_events_join_without_gap_or_overlap(store: &impl Store) {
    let large = [10, 300_000, 10, 10, 4_500_000, 10];
    let sizes = large.into_iter().chain([9_000; 40]).chain([10, 1_000_000]);
    let noted = |(size, letter): (usize, &str)| CounterEvent::Noted {
        text: letter.repeat(size),
    };
    let letters = ["a", "b", "c", "d", "e"].into_iter().cycle();
    let events: Vec<_> = sizes.zip(letters).map(noted).collect();
    let log_id = LogId::new();
    let create = AppendRequest::create(log_id, &events);
    store
        .append(create)
        .await
        .expect("the events can be stored");
    for limit in [2, 7, 45, usize::MAX] {
        let mut read: Vec<RecordedEvent<CounterEvent>> = Vec::new();
        loop {
            let start = match read.last() {
                Some(last) if read.len().is_multiple_of(2) => ReadStart::After(last.position()),
                _ => ReadStart::Index(read.len() as u64),
            };
            let next = page(store, log_id, start, limit)
                .await
                .expect("the log can be read");
            assert!(!next.records.is_empty(), "a page always makes progress");
            assert!(next.records.len() <= limit, "limit {limit}");
            read.extend(next.records);
            assert_eq!(next.more, read.len() < events.len(), "limit {limit}");
            if !next.more {
                break;
            }
        }
        let indices: Vec<_> = read.iter().map(EventRecord::index).collect();
        assert_eq!(indices, (0..events.len() as u64).collect::<Vec<_>>());
        // Without the strings, which would fill the screen.
        let same = read.iter().map(EventRecord::event).eq(&events);
        assert!(same, "limit {limit}: the events differ from those written");
    }
}

/// Times come back to the microsecond. The store's time never falls along a log; the caller's time may be any.
pub async fn the_recorded_time_never_falls(store: &impl Store) {
    let long_ago: DateTime<Utc> = DateTime::UNIX_EPOCH - chrono::TimeDelta::days(20_000);
    let mut state = create(store, LogId::new(), 0).await;
    let mut expected = vec![None];
    for occurred_at in [
        Some(Utc::now()),
        Some(long_ago),
        None,
        Some(Utc::now() + chrono::TimeDelta::days(400)),
    ] {
        let events = [added(1)];
        let mut request = AppendRequest::after(state, &events);
        request.context.occurred_at = occurred_at;
        state = store
            .append(request)
            .await
            .expect("the state is current")
            .state;
        expected.push(occurred_at.map(|time| time.trunc_subsecs(6)));
    }
    let records = all(store, state.log_id()).await;
    assert_eq!(
        records
            .iter()
            .map(EventRecord::occurred_at)
            .collect::<Vec<_>>(),
        expected
    );
    assert!(records.iter().map(EventRecord::recorded_at).is_sorted());
}
