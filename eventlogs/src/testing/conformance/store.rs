//! What a log promises, on every store.

use super::CounterEvent;
use crate::ids::{EventId, LogId};
use crate::stores::{
    AppendError, AppendRequest, Appended, EventStore, InvalidAppend, Limits, Page, ReadError,
    ReadRequest, ReadStart,
};
use crate::{EventRecord, LogState, RecordedEvent};
use chrono::{DateTime, SubsecRound, Utc};
use futures_util::FutureExt;
use futures_util::future::join_all;

/// A store of the suite's events.
pub trait Store: EventStore<CounterEvent> {}
impl<S: EventStore<CounterEvent>> Store for S {}

/// What an append answers.
type Answer = Result<Appended<CounterEvent>, AppendError>;

fn added(amount: i64) -> CounterEvent {
    CounterEvent::Added { amount }
}

async fn create(store: &impl Store, log_id: LogId, amount: i64) -> LogState {
    let events = [added(amount)];
    store
        .append(AppendRequest::create(log_id, &events))
        .await
        .expect("a new log can be created")
        .state
}

async fn append(store: &impl Store, state: LogState, amount: i64) -> Answer {
    store
        .append(AppendRequest::after(state, &[added(amount)]))
        .await
}

/// A log of events that add 0, 1, 2 and so on.
async fn log_of(store: &impl Store, events: i64) -> LogState {
    let mut state = create(store, LogId::new(), 0).await;
    for amount in 1..events {
        state = append(store, state, amount)
            .await
            .expect("the state is current")
            .state;
    }
    state
}

async fn page(
    store: &impl Store,
    log_id: LogId,
    start: ReadStart,
    limit: usize,
) -> Result<Page<CounterEvent>, ReadError> {
    store.read(ReadRequest::new(log_id, start, limit)).await
}

/// All events of a log, with a check that their indices are dense.
async fn all(store: &impl Store, log_id: LogId) -> Vec<RecordedEvent<CounterEvent>> {
    let page = page(store, log_id, ReadStart::Index(0), 10_000)
        .await
        .expect("the log can be read");
    assert!(!page.more, "a page of 10,000 holds the whole log");
    let indices: Vec<u64> = page.records.iter().map(EventRecord::index).collect();
    assert_eq!(
        indices,
        (0..indices.len() as u64).collect::<Vec<_>>(),
        "indices are dense from 0"
    );
    page.records
}

async fn amounts(store: &impl Store, log_id: LogId) -> Vec<i64> {
    let amount = |record: &RecordedEvent<_>| match record.event() {
        CounterEvent::Added { amount } => *amount,
        CounterEvent::Noted { .. } => panic!("only amounts were written"),
    };
    all(store, log_id).await.iter().map(amount).collect()
}

/// Indices start at 0 and rise by one, and an append says where the log ends.
pub async fn indices_are_dense_from_zero(store: &impl Store) {
    let log_id = LogId::new();
    let first = create(store, log_id, 1).await;
    assert_eq!((first.log_id(), first.index()), (log_id, 0));
    let second = append(store, first, 2)
        .await
        .expect("the state is current")
        .state;
    assert_eq!(second.index(), 1);
    let records = all(store, log_id).await;
    assert_eq!(
        records.iter().map(RecordedEvent::state).collect::<Vec<_>>(),
        [first, second]
    );
}

/// A second creation is refused and changes nothing.
pub async fn a_log_is_created_only_once(store: &impl Store) {
    let state = create(store, LogId::new(), 1).await;
    let again = store
        .append(AppendRequest::create(state.log_id(), &[added(2)]))
        .await;
    assert!(
        matches!(again, Err(AppendError::LogAlreadyExists { log_id }) if log_id == state.log_id()),
        "{again:?}"
    );
    assert_eq!(amounts(store, state.log_id()).await, [1]);
}

/// No hole can be made, neither behind the end nor in a log that does not exist.
pub async fn an_append_needs_its_predecessor(store: &impl Store) {
    let missing = append(store, LogState::at(LogId::new(), 0), 1).await;
    assert!(
        matches!(missing, Err(AppendError::LogNotFound { .. })),
        "{missing:?}"
    );

    let state = log_of(store, 2).await;
    for index in [0, 2, 17, i64::MAX as u64, u64::MAX - 1] {
        let refused = append(store, LogState::at(state.log_id(), index), 9).await;
        assert!(
            matches!(refused, Err(AppendError::Conflict { .. })),
            "at {index}: {refused:?}"
        );
    }
    let by_index = append(store, LogState::at(state.log_id(), 1), 2).await;
    assert_eq!(
        by_index
            .expect("the index alone is enough if it is right")
            .state
            .index(),
        2
    );
    assert_eq!(amounts(store, state.log_id()).await, [0, 1, 2]);
}

/// The guard compares the event, not only its index: a caller of another history is refused.
pub async fn an_append_behind_another_event_at_the_same_index_is_refused(store: &impl Store) {
    let state = log_of(store, 2).await;
    let forked = LogState::new(state.log_id(), state.index(), EventId::new());
    let refused = append(store, forked, 9).await;
    assert!(
        matches!(refused, Err(AppendError::Conflict { event_index: 2, .. })),
        "{refused:?}"
    );
    assert_eq!(amounts(store, state.log_id()).await, [0, 1]);
}

/// One winner; everybody else hears of the conflict.
pub async fn of_many_appends_at_one_index_exactly_one_wins(store: &impl Store) {
    let state = log_of(store, 3).await;
    let answers = join_all((100..132).map(|amount| append(store, state, amount))).await;
    let winners: Vec<_> = answers
        .iter()
        .zip(100..)
        .filter(|(answer, _)| answer.is_ok())
        .map(|(_, amount)| amount)
        .collect();
    assert_eq!(winners.len(), 1, "{answers:?}");
    for answer in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        assert!(
            matches!(answer, AppendError::Conflict { event_index: 3, .. }),
            "{answer:?}"
        );
    }
    assert_eq!(amounts(store, state.log_id()).await, [0, 1, 2, winners[0]]);
}

/// The events of one append stand next to each other, or nowhere.
pub async fn a_batch_lands_whole_or_not_at_all(store: &impl Store) {
    let state = log_of(store, 1).await;
    let batch = [added(1), added(2), added(3)];
    let landed = store
        .append(AppendRequest::after(state, &batch))
        .await
        .expect("the state is current");
    assert_eq!(landed.state.index(), 3);
    let refused = store.append(AppendRequest::after(state, &batch)).await;
    assert!(
        matches!(refused, Err(AppendError::Conflict { event_index: 1, .. })),
        "{refused:?}"
    );

    // Two batches that overlap, at once: never a mixture.
    let (first, second) = ([added(10), added(11)], [added(20), added(21), added(22)]);
    let requests = [
        AppendRequest::after(landed.state, &first),
        AppendRequest::after(landed.state, &second),
    ];
    let answers = join_all(requests.into_iter().map(|request| store.append(request))).await;
    assert_eq!(
        answers.iter().filter(|answer| answer.is_ok()).count(),
        1,
        "{answers:?}"
    );
    let stored = amounts(store, state.log_id()).await;
    assert!(
        [[0, 1, 2, 3, 10, 11].as_slice(), &[0, 1, 2, 3, 20, 21, 22]].contains(&stored.as_slice()),
        "{stored:?}"
    );
}

async fn append_with_key(
    store: &impl Store,
    state: LogState,
    events: &[CounterEvent],
    key: &str,
) -> Answer {
    let mut request = AppendRequest::after(state, events);
    request.idempotency_key = Some(key);
    store.append(request).await
}

async fn create_with_key(store: &impl Store, log_id: LogId, amount: i64, key: &str) -> Answer {
    let events = [added(amount)];
    let mut request = AppendRequest::create(log_id, &events);
    request.idempotency_key = Some(key);
    store.append(request).await
}

/// A key no other test uses, for stores that outlive a test.
fn fresh_key() -> String {
    format!("key-{}", EventId::new())
}

/// The ordinary retry collides with the index as well as with the key; the key is what counts.
pub async fn a_retry_with_the_same_key_is_a_replay(store: &impl Store) {
    let key = fresh_key();
    let state = log_of(store, 2).await;
    let batch = [added(5), added(6)];
    let first = append_with_key(store, state, &batch, &key)
        .await
        .expect("the key is new");
    for _ in 0..2 {
        let retry = append_with_key(store, state, &batch, &key).await;
        let Err(AppendError::Replay(replay)) = retry else {
            panic!("expected a replay, got {retry:?}")
        };
        assert_eq!((replay.first_index, replay.event_count), (2, 2));
        assert_eq!(replay.state, first.state);
        assert_eq!(replay.recorded_at, first.recorded_at);
    }
    assert_eq!(
        store
            .find_key(&key)
            .await
            .expect("the store can be asked")
            .map(|replay| replay.state),
        Some(first.state)
    );
    assert_eq!(amounts(store, state.log_id()).await, [0, 1, 5, 6]);
}

/// A caller who reduced the log again before retrying comes with a state that would be free to append at.
pub async fn a_retry_with_the_same_key_on_a_newer_state_is_a_replay(store: &impl Store) {
    let key = fresh_key();
    let state = log_of(store, 1).await;
    let first = append_with_key(store, state, &[added(1)], &key)
        .await
        .expect("the key is new")
        .state;
    let newer = append(store, first, 2)
        .await
        .expect("the state is current")
        .state;
    for state in [first, newer] {
        let retry = append_with_key(store, state, &[added(1)], &key).await;
        assert!(
            matches!(retry, Err(AppendError::Replay(replay)) if replay.state == first),
            "{retry:?}"
        );
    }
    assert_eq!(amounts(store, state.log_id()).await, [0, 1, 2]);
}

/// Two requests of one client, each with a log id of its own.
pub async fn twin_creates_with_one_key_make_one_log(store: &impl Store) {
    let key = fresh_key();
    let ids: Vec<LogId> = (0..16).map(|_| LogId::new()).collect();
    let answers = join_all(ids.iter().map(|id| create_with_key(store, *id, 1, &key))).await;
    let created: Vec<_> = answers
        .iter()
        .filter_map(|answer| answer.as_ref().ok())
        .map(|created| created.state)
        .collect();
    assert_eq!(created.len(), 1, "{answers:?}");
    for error in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        assert!(
            matches!(error, AppendError::Replay(replay) if replay.state == created[0]),
            "{error:?}"
        );
    }
    for id in ids.into_iter().filter(|id| *id != created[0].log_id()) {
        assert!(all(store, id).await.is_empty());
    }
}

/// The answer says where the key was used, so that the caller can tell a replay from a mistake.
pub async fn a_key_used_on_another_log_reports_that_log(store: &impl Store) {
    let key = fresh_key();
    let created = create_with_key(store, LogId::new(), 1, &key)
        .await
        .expect("the key is new")
        .state;
    let other = log_of(store, 1).await;
    let refused = append_with_key(store, other, &[added(1)], &key).await;
    assert!(
        matches!(refused, Err(AppendError::Replay(replay)) if replay.state == created),
        "{refused:?}"
    );
    assert_eq!(amounts(store, other.log_id()).await, [0]);
}

/// A key belongs to events that were stored.
pub async fn a_refused_append_does_not_use_up_its_key(store: &impl Store) {
    let key = fresh_key();
    let old = log_of(store, 1).await;
    let current = append(store, old, 1)
        .await
        .expect("the state is current")
        .state;
    let refused = append_with_key(store, old, &[added(2)], &key).await;
    assert!(
        matches!(refused, Err(AppendError::Conflict { .. })),
        "{refused:?}"
    );
    assert_eq!(
        store.find_key(&key).await.expect("the store can be asked"),
        None
    );
    append_with_key(store, current, &[added(2)], &key)
        .await
        .expect("the key is still new");
    assert_eq!(amounts(store, old.log_id()).await, [0, 1, 2]);
}

/// What a client does whose connection broke before the answer came: the same ids at the same index.
pub async fn sending_the_same_request_again_gives_the_same_answer(store: &impl Store) {
    let key = fresh_key();
    let state = log_of(store, 1).await;
    let batch = [added(1), added(2)];
    let ids = [EventId::new(), EventId::new()];
    let request = |key| {
        let mut request = AppendRequest::after(state, &batch);
        request.event_ids = ids.to_vec();
        request.idempotency_key = key;
        request.return_events = true;
        request
    };
    for key in [Some(key.as_str()), None] {
        let first = store
            .append(request(key))
            .await
            .expect("the state is current, or the events are our own");
        let second = store
            .append(request(key))
            .await
            .expect("the events are our own");
        assert_eq!(first, second);
    }
    // Also once the log has gone on.
    let end = LogState::new(state.log_id(), 2, ids[1]);
    append(store, end, 3).await.expect("the state is current");
    assert_eq!(
        store
            .append(request(None))
            .await
            .expect("the events are our own")
            .state,
        end
    );
    assert_eq!(amounts(store, state.log_id()).await, [0, 1, 2, 3]);
}

/// Callers fold what an append returns onto what they have.
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
    request.occurred_at = Some(Utc::now());
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

/// Pages by index and pages behind a state give every event once.
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

            let start = by_state
                .last()
                .map_or(ReadStart::Index(0), |last| ReadStart::After(last.state()));
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

/// A reader who comes with a state of another history, or of one that goes further, must hear of it.
pub async fn a_page_behind_a_lost_event_is_refused(store: &impl Store) {
    let end = log_of(store, 3).await;
    let log_id = end.log_id();
    let other_history = LogState::new(log_id, 1, EventId::new());
    let ahead = LogState::new(log_id, 3, EventId::new());
    let far_ahead = LogState::at(log_id, 7);
    let no_log = LogState::new(LogId::new(), 0, EventId::new());
    for state in [other_history, ahead, far_ahead, no_log] {
        let refused = page(store, state.log_id(), ReadStart::After(state), 10).await;
        assert!(
            matches!(refused, Err(ReadError::HistoryChanged { log_id, index }) if (log_id, index) == (state.log_id(), state.index())),
            "{state:?}: {refused:?}"
        );
    }
    let by_index = page(store, log_id, ReadStart::After(LogState::at(log_id, 1)), 10)
        .await
        .expect("event 1 is there");
    assert_eq!(by_index.records.len(), 1);
}

/// Whether that is an error is for the manager to say.
pub async fn a_log_that_does_not_exist_is_an_empty_page(store: &impl Store) {
    assert!(all(store, LogId::new()).await.is_empty());
    assert_eq!(
        store
            .find_key(&fresh_key())
            .await
            .expect("the store can be asked"),
        None
    );
}

/// Neighbours in an index are not the same log.
pub async fn logs_do_not_touch_each_other(store: &impl Store) {
    let (one, other) = (log_of(store, 3).await, log_of(store, 5).await);
    assert_eq!(amounts(store, one.log_id()).await, [0, 1, 2]);
    assert_eq!(amounts(store, other.log_id()).await, [0, 1, 2, 3, 4]);
}

/// Every text comes back as it was, and large ones do not fall through a page's bound.
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
        .expect("these can be stored")
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
        let start = stored
            .last()
            .map_or(ReadStart::Index(0), |last| ReadStart::After(last.state()));
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

/// Times come back to the microsecond; the store's never falls, the caller's may be anything.
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
        request.occurred_at = occurred_at;
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

/// A refused request leaves no trace.
pub async fn what_exceeds_a_limit_changes_nothing(store: &impl Store) {
    let state = log_of(store, 1).await;
    let too_many = vec![added(1); Limits::default().max_events_per_append + 1];
    let refused = store.append(AppendRequest::after(state, &too_many)).await;
    assert!(
        matches!(
            refused,
            Err(AppendError::Invalid(InvalidAppend::TooManyEvents { .. }))
        ),
        "{refused:?}"
    );
    let refused = store.append(AppendRequest::after(state, &[])).await;
    assert!(
        matches!(refused, Err(AppendError::Invalid(InvalidAppend::NoEvents))),
        "{refused:?}"
    );
    for key in ["", &"k".repeat(513)] {
        let refused = append_with_key(store, state, &[added(1)], key).await;
        assert!(
            matches!(
                refused,
                Err(AppendError::Invalid(InvalidAppend::IdempotencyKey { .. }))
            ),
            "{refused:?}"
        );
    }
    let prefix = fresh_key();
    let key = format!(
        "{prefix}{}",
        "k".repeat(Limits::MAX_KEY_BYTES - prefix.len())
    );
    append_with_key(store, state, &too_many[..1000], &key)
        .await
        .expect("1,000 events and a long key are allowed");
    assert_eq!(all(store, state.log_id()).await.len(), 1001);
}

/// A caller who gives up leaves the log whole and the store usable, whether its event was stored or not.
pub async fn a_dropped_append_harms_nobody(store: &impl Store) {
    let state = log_of(store, 1).await;
    let events = [added(1)];
    for _ in 0..8 {
        // Polled once, then dropped.
        let _ = store
            .append(AppendRequest::after(state, &events))
            .now_or_never();
    }
    let stored = amounts(store, state.log_id()).await;
    assert!(
        stored.len() <= 2,
        "of appends at one index at most one wins: {stored:?}"
    );
    let end = all(store, state.log_id())
        .await
        .last()
        .map(RecordedEvent::state)
        .expect("the first event is there");
    // Somebody's event may still land in between; whoever is refused sees the new end.
    if append(store, end, 9).await.is_err() {
        let end = all(store, state.log_id())
            .await
            .last()
            .map(RecordedEvent::state)
            .expect("the first event is there");
        append(store, end, 9)
            .await
            .expect("all dropped appends have been answered by now");
    }
}
