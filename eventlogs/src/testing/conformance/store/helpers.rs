//! Helpers for the tests of the promises.

use crate::__example::CounterEvent;
use crate::ids::{EventId, LogId};
use crate::log_state::LogPosition;
use crate::record::{EventRecord, RecordedEvent};
use crate::stores::EventStore;
use crate::stores::appends::{AppendAcrossRequest, Appends};
use crate::stores::error::{AppendError, ReadError};
use crate::stores::idempotency::{IdempotencyKey, Replay};
use crate::stores::page::{Page, ReadRequest, ReadStart};
use crate::stores::request::{AppendRequest, Appended};

/// A store of the suite's events.
pub trait Store: EventStore<CounterEvent> {}
impl<S: EventStore<CounterEvent>> Store for S {}

/// The result of an append.
pub(in crate::testing::conformance) type Answer = Result<Appended<CounterEvent>, AppendError>;

pub(in crate::testing::conformance) fn added(amount: i64) -> CounterEvent {
    CounterEvent::Added { amount }
}

pub(in crate::testing::conformance) async fn create(
    store: &impl Store,
    log_id: LogId,
    amount: i64,
) -> LogPosition {
    let events = [added(amount)];
    store
        .append(AppendRequest::create(log_id, &events))
        .await
        .expect("a new log can be created")
        .state
}

pub(in crate::testing::conformance) async fn append(
    store: &impl Store,
    state: LogPosition,
    amount: i64,
) -> Answer {
    store
        .append(AppendRequest::after(state, &[added(amount)]))
        .await
}

/// Creates a log of events that add 0, 1, 2 and so on.
pub(in crate::testing::conformance) async fn log_of(
    store: &impl Store,
    events: i64,
) -> LogPosition {
    let mut state = create(store, LogId::new(), 0).await;
    for amount in 1..events {
        state = append(store, state, amount)
            .await
            .expect("the state is current")
            .state;
    }
    state
}

pub(in crate::testing::conformance) async fn page(
    store: &impl Store,
    log_id: LogId,
    start: ReadStart,
    limit: usize,
) -> Result<Page<CounterEvent>, ReadError> {
    store.read(ReadRequest::new(log_id, start, limit)).await
}

/// Returns all events of a log, and checks that their indices are dense.
pub(in crate::testing::conformance) async fn all(
    store: &impl Store,
    log_id: LogId,
) -> Vec<RecordedEvent<CounterEvent>> {
    let page = page(store, log_id, ReadStart::Index(0), 10_000)
        .await
        .expect("the log can be read");
    assert!(!page.more, "a page of 10,000 events holds the whole log");
    let indices: Vec<u64> = page.records.iter().map(EventRecord::index).collect();
    assert_eq!(
        indices,
        (0..indices.len() as u64).collect::<Vec<_>>(),
        "indices are dense from 0"
    );
    page.records
}

pub(in crate::testing::conformance) async fn amounts(
    store: &impl Store,
    log_id: LogId,
) -> Vec<i64> {
    let amount = |record: &RecordedEvent<_>| match record.event() {
        CounterEvent::Added { amount } => *amount,
        CounterEvent::Noted { .. } => panic!("only amounts were written"),
    };
    all(store, log_id).await.iter().map(amount).collect()
}

pub(in crate::testing::conformance) async fn append_with_key(
    store: &impl Store,
    state: LogPosition,
    events: &[CounterEvent],
    key: &str,
) -> Answer {
    let mut request = AppendRequest::after(state, events);
    request.context.idempotency_key = Some(IdempotencyKey::new(key));
    store.append(request).await
}

pub(in crate::testing::conformance) async fn create_with_key(
    store: &impl Store,
    log_id: LogId,
    amount: i64,
    key: &str,
) -> Answer {
    let events = [added(amount)];
    let mut request = AppendRequest::create(log_id, &events);
    request.context.idempotency_key = Some(IdempotencyKey::new(key));
    store.append(request).await
}

/// Appends to several logs, without any options.
pub(in crate::testing::conformance) async fn append_across(
    store: &impl Store,
    appends: impl Into<Appends>,
) -> Result<Vec<LogPosition>, AppendError> {
    store
        .append_across(AppendAcrossRequest::new(appends.into()))
        .await
}

pub(in crate::testing::conformance) async fn append_many_with_key(
    store: &impl Store,
    appends: impl Into<Appends>,
    key: IdempotencyKey<'_>,
) -> Result<Vec<LogPosition>, AppendError> {
    let mut request = AppendAcrossRequest::new(appends.into());
    request.context.idempotency_key = Some(key);
    store.append_across(request).await
}

/// Appends one amount with this key.
pub(in crate::testing::conformance) async fn append_once(
    store: &impl Store,
    state: LogPosition,
    amount: i64,
    key: IdempotencyKey<'_>,
) -> Answer {
    let events = [added(amount)];
    let mut request = AppendRequest::after(state, &events);
    request.context.idempotency_key = Some(key);
    store.append(request).await
}

/// Returns a key that no other test uses, for stores that outlive a test.
pub(in crate::testing::conformance) fn fresh_key() -> String {
    format!("key-{}", EventId::new())
}

/// Returns the recorded results of the write that used a key.
pub(in crate::testing::conformance) async fn replays(
    store: &impl Store,
    key: IdempotencyKey<'_>,
) -> Vec<Replay> {
    store.find_key(key).await.expect("the store can be read")
}
