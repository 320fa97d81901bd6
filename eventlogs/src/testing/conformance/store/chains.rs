//! Promises about appends that build on other appends in flight, for stores that support it by calling
//! [`queued`](AppendObserver::queued). Other stores keep these promises by not calling the observer.

use crate::__example::CounterEvent;
use crate::ids::LogId;
use crate::log_state::LogPosition;
use crate::metadata::Metadata;
use crate::record::{EventRecord, RecordedEvent};
use crate::stores::error::AppendError;
use crate::stores::idempotency::IdempotencyKey;
use crate::stores::request::{AppendObserver, AppendRequest, AppendSettled};
use crate::sync::lock;
use crate::testing::conformance::store::helpers::{
    Answer, Store, added, all, amounts, append, append_once, create_with_key, fresh_key, log_of,
    replays,
};
use chrono::{DateTime, Utc};
use futures_util::future::{BoxFuture, join_all};
use std::cmp::Ordering;
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::Poll;

/// Records the calls that it gets.
#[derive(Default)]
pub(super) struct Watch {
    heard: Mutex<Heard>,
}

#[derive(Debug, Default, Clone)]
pub(super) struct Heard {
    /// The events of each call of `queued`.
    pub(super) queued: Vec<Vec<RecordedEvent<CounterEvent>>>,
    /// The argument of each call of `settled`.
    pub(super) settled: Vec<Option<DateTime<Utc>>>,
}

impl Watch {
    pub(super) fn heard(&self) -> Heard {
        lock(&self.heard).clone()
    }

    fn is_queued(&self) -> bool {
        !self.heard().queued.is_empty()
    }

    /// Checks the calls against the result, at the time at which the result is returned.
    fn check(&self, answer: &Answer) {
        let heard = self.heard();
        assert!(
            heard.queued.len() <= 1,
            "`queued` is called at most once: {heard:?}"
        );
        let expected = answer.as_ref().ok().map(|appended| appended.recorded_at);
        if heard.queued.is_empty() {
            assert_eq!(
                heard.settled,
                [],
                "`settled` is not called without `queued`"
            );
        } else {
            assert_eq!(
                heard.settled,
                [expected],
                "`settled` is called once, before the append returns"
            );
        }
    }
}

impl AppendObserver<CounterEvent> for Watch {
    fn queued(&self, events: Vec<RecordedEvent<CounterEvent>>) {
        let mut heard = lock(&self.heard);
        assert!(
            heard.settled.is_empty(),
            "`queued` is called before `settled`"
        );
        heard.queued.push(events);
    }
}

impl AppendSettled for Watch {
    fn settled(&self, recorded_at: Option<DateTime<Utc>>) {
        let mut heard = lock(&self.heard);
        heard.settled.push(recorded_at);
    }
}

/// One append of a chain.
struct Link<'a> {
    amounts: Vec<i64>,
    key: Option<IdempotencyKey<'a>>,
}

impl<'a> Link<'a> {
    fn new(amounts: impl Into<Vec<i64>>) -> Self {
        Self {
            amounts: amounts.into(),
            key: None,
        }
    }

    fn with_key(mut self, key: IdempotencyKey<'a>) -> Self {
        self.key = Some(key);
        self
    }
}

/// An append that has been polled once.
struct Sent<'a> {
    future: BoxFuture<'a, Answer>,
    /// The end of the log after this append.
    state: LogPosition,
    /// The result, if it was there at once.
    answer: Option<Answer>,
    watch: Arc<Watch>,
}

impl<'a> Sent<'a> {
    async fn new(store: &'a impl Store, end: LogPosition, link: Link<'a>) -> Self {
        let events: Vec<_> = link.amounts.iter().copied().map(added).collect();
        let watch = Arc::new(Watch::default());
        let observer = Arc::clone(&watch);
        let ids: Vec<_> = events.iter().map(|_| crate::ids::EventId::new()).collect();
        let state = LogPosition::new(
            end.log_id(),
            end.index() + events.len() as u64,
            ids[ids.len() - 1],
        );
        let mut future: BoxFuture<'a, Answer> = Box::pin(async move {
            let mut request = AppendRequest::after(end, &events);
            request.event_ids = ids;
            request.context.idempotency_key = link.key;
            request.observer = Some(observer);
            store.append(request).await
        });
        let first = poll_fn(|context| Poll::Ready(future.as_mut().poll(context)));
        let answer = match first.await {
            Poll::Ready(answer) => Some(answer),
            Poll::Pending => None,
        };
        Self {
            future,
            state,
            answer,
            watch,
        }
    }

    /// Returns the result, checked against the calls of the observer.
    async fn answer(self) -> Answer {
        let answer = match self.answer {
            Some(answer) => answer,
            None => self.future.await,
        };
        self.watch.check(&answer);
        if let Ok(appended) = &answer {
            assert_eq!(appended.state, self.state);
        }
        answer
    }
}

/// Sends appends that each build on the one before, which is still in flight. It stops after the first append that the store
/// did not report as queued.
async fn send<'a>(
    store: &'a impl Store,
    start: LogPosition,
    links: impl IntoIterator<Item = Link<'a>>,
) -> Vec<Sent<'a>> {
    let mut end = start;
    let mut chain = Vec::new();
    for link in links {
        let sent = Sent::new(store, end, link).await;
        end = sent.state;
        let queued = sent.watch.is_queued();
        chain.push(sent);
        if !queued {
            break;
        }
    }
    chain
}

/// Waits for all results at once; a later link may be awaited first.
async fn answers(chain: Vec<Sent<'_>>) -> Vec<Answer> {
    join_all(chain.into_iter().rev().map(Sent::answer))
        .await
        .into_iter()
        .rev()
        .collect()
}

/// The records passed to `queued` equal those that a read returns; only the time of recording is not known yet.
pub async fn what_is_queued_is_what_a_read_returns(store: &impl Store) {
    let state = log_of(store, 2).await;
    let batch = [
        added(2),
        CounterEvent::Noted {
            text: "three".to_owned(),
        },
    ];
    let watch = Arc::new(Watch::default());
    let mut request = AppendRequest::after(state, &batch);
    request.context.occurred_at = Some(Utc::now());
    request.context.metadata = Metadata::new().with_correlation_id("request 17");
    request.observer = Some(Arc::clone(&watch) as _);
    request.return_events = true;
    let answer = store.append(request).await;
    watch.check(&answer);
    let appended = answer.expect("the state is current");
    let heard = watch.heard();
    let Some(queued) = heard.queued.first() else {
        return;
    };
    assert_eq!(
        appended.events,
        [],
        "the observer gets the events, so the append returns none"
    );
    let stored = &all(store, state.log_id()).await[2..];
    assert_eq!(queued.len(), stored.len());
    for (queued, stored) in queued.iter().zip(stored) {
        assert_eq!(
            queued.clone().with_recorded_at(stored.recorded_at()),
            *stored
        );
        assert_eq!(stored.recorded_at(), appended.recorded_at);
    }
}

/// A queued append that is refused, for any reason, is settled as not stored. An append that is invalid by itself is never
/// queued.
pub async fn a_refused_append_is_settled_as_not_stored(store: &impl Store) {
    let text = fresh_key();
    let key = IdempotencyKey::new(&text);
    let old = log_of(store, 1).await;
    append_once(store, old, 1, key)
        .await
        .expect("the key is new");
    let current = LogPosition::at(old.log_id(), 1);
    let missing = LogPosition::at(LogId::new(), 0);
    let used = Link::new([9]).with_key(key);
    for (state, link) in [
        (old, Link::new([9])),
        (missing, Link::new([9])),
        (current, used),
        (current, Link::new([9; 1_001])),
    ] {
        let sent = Sent::new(store, state, link).await;
        let answer = sent.answer().await;
        assert!(answer.is_err(), "{answer:?}");
    }
    assert_eq!(amounts(store, old.log_id()).await, [0, 1]);
}

/// A chain is stored whole, as on a hot log: each decision builds on appends in flight, and all of them are committed in the
/// end.
pub async fn a_chain_is_stored_whole(store: &impl Store) {
    let state = log_of(store, 1).await;
    let keys: Vec<_> = (0..4).map(|_| fresh_key()).collect();
    let links = (0..40).map(|place| {
        // Single events and several, with and without keys.
        let link = Link::new(vec![place; 1 + usize::try_from(place % 3).expect("small")]);
        match usize::try_from(place) {
            Ok(place) if place % 10 == 0 => link.with_key(IdempotencyKey::new(&keys[place / 10])),
            _ => link,
        }
    });
    let chain = send(store, state, links).await;
    let sent = i64::try_from(chain.len()).expect("small");
    let mut last = None;
    for answer in answers(chain).await {
        let appended = answer.expect("each link builds on the one before");
        assert!(
            Some(appended.recorded_at) >= last,
            "the times of recording follow the order of the log"
        );
        last = Some(appended.recorded_at);
    }
    let expected: Vec<_> = (0..sent)
        .flat_map(|place| vec![place; 1 + usize::try_from(place % 3).expect("small")])
        .collect();
    assert_eq!(amounts(store, state.log_id()).await[1..], expected);
    let records = all(store, state.log_id()).await;
    assert!(records.iter().map(EventRecord::recorded_at).is_sorted());
    for (key, place) in keys.iter().zip([0, 10, 20, 30]) {
        let found = replays(store, IdempotencyKey::new(key)).await;
        assert_eq!(found.len(), usize::from(place < sent), "link {place}");
    }
}

/// Chains on many logs are stored together, although their appends alternate and none are adjacent in the queue.
pub async fn chains_on_many_logs_are_stored_side_by_side(store: &impl Store) {
    let mut ends = Vec::new();
    for _ in 0..7 {
        ends.push(Some(log_of(store, 1).await));
    }
    let starts: Vec<_> = ends.iter().copied().flatten().collect();
    let mut sent = Vec::new();
    let mut expected: Vec<_> = starts.iter().map(|_| vec![0]).collect();
    for amount in 1..15 {
        for (end, expected) in ends.iter_mut().zip(&mut expected) {
            let Some(state) = *end else {
                continue;
            };
            let link = Sent::new(store, state, Link::new([amount, amount])).await;
            // One append per log if the store does not support chains.
            *end = link.watch.is_queued().then_some(link.state);
            expected.extend([amount, amount]);
            sent.push(link);
        }
    }
    for answer in answers(sent).await {
        answer.expect("each link builds on the one before");
    }
    for (start, expected) in starts.iter().zip(expected) {
        assert_eq!(amounts(store, start.log_id()).await, expected);
    }
}

/// A chain whose first append is refused is refused as a whole: no caller may learn that a write is stored if it builds on one
/// that is not.
pub async fn a_chain_whose_head_is_refused_is_refused_whole(store: &impl Store) {
    let old = log_of(store, 1).await;
    append(store, old, 1).await.expect("the state is current");
    let forked = LogPosition::new(old.log_id(), 1, crate::ids::EventId::new());
    for start in [old, forked] {
        let text = fresh_key();
        let key = IdempotencyKey::new(&text);
        let links = (10..20).map(|amount| match amount {
            15 => Link::new([amount]).with_key(key),
            _ => Link::new([amount, amount]),
        });
        let chain = send(store, start, links).await;
        for answer in answers(chain).await {
            assert!(
                matches!(answer, Err(AppendError::Conflict { log_id, .. }) if log_id == old.log_id()),
                "{answer:?}"
            );
        }
        assert_eq!(replays(store, key).await, []);
    }
    assert_eq!(amounts(store, old.log_id()).await, [0, 1]);

    // A chain on a log that does not exist is refused in the same way.
    let chain = send(
        store,
        LogPosition::at(LogId::new(), 0),
        (1..5).map(|amount| Link::new([amount])),
    )
    .await;
    let missing = chain[0].state.log_id();
    for answer in answers(chain).await {
        assert!(
            matches!(
                answer,
                Err(AppendError::LogNotFound { .. } | AppendError::Conflict { .. })
            ),
            "{answer:?}"
        );
    }
    assert!(all(store, missing).await.is_empty());
}

/// A used key in a chain is a replay and ends the chain: the earlier write is at another position than the one that later links
/// built on.
pub async fn a_used_key_in_a_chain_is_a_replay_and_ends_it(store: &impl Store) {
    for used_at in [0, 1, 4, 9] {
        let text = fresh_key();
        let key = IdempotencyKey::new(&text);
        let state = log_of(store, 1).await;
        // The key was used on this log, or on another one.
        let (start, used) = if used_at % 2 == 0 {
            let used = append_once(store, state, 1, key).await;
            let used = used.expect("the key is new").state;
            (used, used)
        } else {
            let used = create_with_key(store, LogId::new(), 1, &text).await;
            (state, used.expect("the key is new").state)
        };
        let before = amounts(store, state.log_id()).await;
        let links = (0..10).map(|place| match place {
            _ if place == used_at => Link::new([100 + place]).with_key(key),
            3 => Link::new([100 + place, 100 + place]),
            _ => Link::new([100 + place]),
        });
        let chain = send(store, start, links).await;
        let answers = answers(chain).await;
        let mut expected = before;
        for (answer, place) in answers.iter().zip(0..) {
            let as_expected = match (place.cmp(&used_at), answer) {
                (Ordering::Less, Ok(_)) => {
                    let events = if place == 3 { 2 } else { 1 };
                    expected.extend(std::iter::repeat_n(100 + place, events));
                    true
                }
                (Ordering::Equal, Err(AppendError::Replay(replay))) => replay.state == used,
                (Ordering::Greater, Err(error)) => matches!(error, AppendError::Conflict { .. }),
                _ => false,
            };
            assert!(as_expected, "{place} of {used_at}: {answer:?}");
        }
        assert_eq!(amounts(store, state.log_id()).await, expected);
    }
}

/// A key used twice in a chain is used once, as with two requests of one client that are in flight together.
pub async fn a_key_used_twice_in_a_chain_is_used_once(store: &impl Store) {
    let text = fresh_key();
    let key = IdempotencyKey::new(&text);
    let state = log_of(store, 1).await;
    let links = (1..7).map(|place| match place {
        2 | 4 => Link::new([place]).with_key(key),
        _ => Link::new([place]),
    });
    let chain = send(store, state, links).await;
    let sent = chain.len();
    let ends: Vec<_> = chain.iter().map(|link| link.state).collect();
    let answers = answers(chain).await;
    for (answer, place) in answers.iter().zip(1..) {
        let as_expected = match (place, answer) {
            (1..=3, Ok(_)) | (5.., Err(AppendError::Conflict { .. })) => true,
            (4, Err(AppendError::Replay(replay))) => replay.state == ends[1],
            _ => false,
        };
        assert!(as_expected, "link {place}: {answer:?}");
    }
    let stored: Vec<_> = (0..=3).take(1 + sent).collect();
    assert_eq!(amounts(store, state.log_id()).await, stored);
}

/// A dropped link affects no other log. Its own log may lose the appends that were built on it, and every append that returns
/// success is stored.
pub async fn a_dropped_link_harms_no_other_log(store: &impl Store) {
    for dropped in [0, 2, 5] {
        let (state, other) = (log_of(store, 1).await, log_of(store, 1).await);
        let mut chain = send(store, state, (1..7).map(|amount| Link::new([amount]))).await;
        let beside = send(store, other, (1..7).map(|amount| Link::new([amount]))).await;
        let others = i64::try_from(beside.len()).expect("small");
        let watch = (dropped < chain.len()).then(|| {
            // The future is dropped here, after it was polled once.
            let link = chain.remove(dropped);
            Arc::clone(&link.watch)
        });
        let answers_beside = answers(beside).await;
        assert!(
            answers_beside.iter().all(Result::is_ok),
            "{answers_beside:?}"
        );
        assert_eq!(
            amounts(store, other.log_id()).await,
            (0..=others).collect::<Vec<_>>()
        );

        let answers = answers(chain).await;
        let stored = amounts(store, state.log_id()).await;
        for (answer, place) in answers.iter().zip(0..) {
            match answer {
                Ok(appended) => {
                    let records = all(store, state.log_id()).await;
                    let states: Vec<_> = records.iter().map(RecordedEvent::position).collect();
                    assert!(states.contains(&appended.state), "{appended:?}");
                }
                Err(error) => assert!(
                    place >= dropped && matches!(error, AppendError::Conflict { .. }),
                    "link {place} after the dropped link {dropped}: {error:?}"
                ),
            }
        }
        assert_eq!(
            stored,
            (0..).take(stored.len()).collect::<Vec<i64>>(),
            "no link is stored without those before it"
        );
        // The log accepts further appends at its current end.
        let mut tries = 0;
        while append(store, end_of(store, state.log_id()).await, 9)
            .await
            .is_err()
        {
            tries += 1;
            assert!(tries < 10, "the dropped link settles in the end");
        }
        if let Some(heard) = watch.map(|watch| watch.heard()) {
            assert_eq!(heard.settled.len(), heard.queued.len(), "{heard:?}");
        }
    }
}

async fn end_of(store: &impl Store, log_id: LogId) -> LogPosition {
    let records = all(store, log_id).await;
    let last = records.last().map(RecordedEvent::position);
    last.expect("the first event is stored")
}
