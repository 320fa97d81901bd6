//! Promises about what is written while the feed is read.

use crate::cursor::Cursor;
use crate::ids::LogId;
use crate::log_state::LogPosition;
use crate::stores::request::AppendRequest;
use crate::testing::conformance::feed::helpers::{FeedStore, assert_logs, names, read, wait};
use crate::testing::conformance::store::helpers::{
    added, append, append_across, append_with_key, create, fresh_key, log_of,
};
use futures_util::future::join_all;
use std::cell::Cell;
use std::collections::HashMap;

/// The number of writers.
const WRITERS: usize = 16;
/// What each of them writes.
const ROUNDS: usize = 12;

/// Appends that were refused are not in the feed, not even in part.
pub async fn refused_appends_leave_nothing(store: &impl FeedStore) {
    let first = log_of(store, 1).await;
    let key = fresh_key();
    let current = append_with_key(store, first, &[added(1)], &key)
        .await
        .expect("the state is current")
        .state;
    let other = log_of(store, 1).await;
    for _ in 0..3 {
        assert!(append(store, first, 2).await.is_err(), "an old state");
        let two = [added(2), added(3)];
        let refused = store.append(AppendRequest::after(first, &two)).await;
        assert!(refused.is_err(), "an old state");
        let refused = append_with_key(store, current, &two, &key).await;
        assert!(refused.is_err(), "a used key");
        let refused = store
            .append(AppendRequest::create(first.log_id(), &two))
            .await;
        assert!(refused.is_err(), "the log exists");
        let parts = vec![(other, vec![added(2)]), (first, vec![added(3)])];
        let refused = append_across(store, parts).await;
        assert!(refused.is_err(), "one of the states is old");
        let nowhere = LogPosition::at(LogId::new(), 4);
        assert!(append(store, nowhere, 1).await.is_err(), "no such log");
    }
    append(store, other, 5).await.expect("the state is current");
    let events = read(store, 4).await;
    let expected = [
        (first.log_id(), 0),
        (first.log_id(), 1),
        (other.log_id(), 0),
        (other.log_id(), 1),
    ];
    assert_eq!(names(&events), expected);
}

/// Writes logs of its own, and tries to write to one that all writers share. Returns the logs and how many events they have.
async fn write(store: &impl FeedStore, shared: LogPosition) -> HashMap<LogId, u64> {
    let mut logs = HashMap::new();
    let mut guess = shared;
    for round in 0..ROUNDS {
        let mut state = create(store, LogId::new(), 0).await;
        for events in 1..=round % 4 {
            let events = vec![added(1); events];
            let appended = store.append(AppendRequest::after(state, &events)).await;
            state = appended.expect("the log is its own").state;
        }
        let new = log_of(store, 1).await;
        let parts = vec![(state, vec![added(7); 2]), (new, vec![added(8)])];
        let states = append_across(store, parts).await;
        for state in states.expect("the logs are its own") {
            logs.insert(state.log_id(), state.index() + 1);
        }
        // Most of these conflict with another writer.
        match append(store, guess, 9).await {
            Ok(appended) => {
                guess = appended.state;
                *logs.entry(shared.log_id()).or_default() += 1;
            }
            Err(_) => guess = LogPosition::at(shared.log_id(), guess.index() + 1),
        }
    }
    logs
}

/// While many write, a reader that begins in the meantime misses nothing, and gets nothing twice.
pub async fn nothing_is_skipped_while_many_write(store: &impl FeedStore) {
    let shared = log_of(store, 1).await;
    let are_done = Cell::new(false);
    let writers = async {
        let written = join_all((0..WRITERS).map(|_| write(store, shared))).await;
        are_done.set(true);
        let mut logs = HashMap::from([(shared.log_id(), 1)]);
        for (log_id, events) in written.into_iter().flatten() {
            *logs.entry(log_id).or_default() += events;
        }
        logs
    };
    let reader = async |page_size| {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        let mut feed = store.feed(Cursor::START).with_page_size(page_size);
        let mut events = Vec::new();
        while !are_done.get() {
            match feed.next_page().await.expect("the feed can be read") {
                Some(page) => events.extend(page.events),
                None => tokio::time::sleep(std::time::Duration::from_millis(1)).await,
            }
        }
        (feed, events)
    };
    let (logs, first, second) = tokio::join!(writers, reader(500), reader(7));
    let total = usize::try_from(logs.values().sum::<u64>()).expect("it fits");
    for (mut feed, mut events) in [first, second] {
        while events.len() < total {
            match feed.next_page().await.expect("the feed can be read") {
                Some(page) => events.extend(page.events),
                None => wait(&mut feed).await,
            }
        }
        assert!(feed.next_page().await.is_ok_and(|page| page.is_none()));
        assert_logs(&events, &logs);
    }
}
