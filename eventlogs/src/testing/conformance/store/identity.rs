//! Promises about the identity of a write: all its events at their positions, not one id among them.

use crate::__example::CounterEvent;
use crate::ids::{EventId, LogId};
use crate::log_state::LogPosition;
use crate::record::EventRecord;
use crate::stores::error::AppendError;
use crate::stores::error::invalid::InvalidAppend;
use crate::stores::idempotency::IdempotencyKey;
use crate::stores::request::AppendRequest;
use crate::testing::conformance::store::helpers::{
    Store, added, all, amounts, append, create, fresh_key, log_of, replays,
};
use futures_util::future::{join_all, join3};

fn ids<const N: usize>() -> [EventId; N] {
    std::array::from_fn(|_| EventId::new())
}

fn with_ids<'a>(
    mut request: AppendRequest<'a, CounterEvent>,
    ids: &[EventId],
) -> AppendRequest<'a, CounterEvent> {
    request.event_ids = ids.to_vec();
    request
}

/// A repeated request is recognised only if all its events are stored, each at its position.
pub async fn a_repeated_request_is_known_by_all_its_events(store: &impl Store) {
    let events = [added(1), added(2), added(3), added(4)];
    let [one, two, three, four, other] = ids();
    let log_id = LogId::new();
    let request =
        |ids: &[EventId]| with_ids(AppendRequest::create(log_id, &events[..ids.len()]), ids);
    let first = store
        .append(request(&[one, two, three]))
        .await
        .expect("the log is new");
    let again = store
        .append(request(&[one, two, three]))
        .await
        .expect("the request is the same");
    assert_eq!(
        (first.state, first.recorded_at),
        (again.state, again.recorded_at)
    );
    for changed in [
        vec![one, two, three, four],
        vec![one, other, three],
        vec![one, two, other],
        vec![other, two, three],
        vec![one, three, two],
        vec![two, three],
        vec![three],
    ] {
        let refused = store.append(request(&changed)).await;
        assert!(
            matches!(refused, Err(AppendError::LogAlreadyExists { log_id: found }) if found == log_id),
            "{changed:?}: {refused:?}"
        );
    }

    // In the middle of a log that has grown since.
    let [five, six, seven] = ids();
    let request =
        |ids: &[EventId]| with_ids(AppendRequest::after(first.state, &events[..ids.len()]), ids);
    let second = store
        .append(request(&[five, six]))
        .await
        .expect("the state is the end of the log");
    append(store, second.state, 9)
        .await
        .expect("the state is the end of the log");
    let again = store
        .append(request(&[five, six]))
        .await
        .expect("the request is the same");
    assert_eq!(second.state, again.state);
    for changed in [
        vec![five, six, seven],
        vec![five, seven],
        vec![seven, six],
        vec![six],
        vec![five, six, one, two],
    ] {
        let refused = store.append(request(&changed)).await;
        assert!(
            matches!(refused, Err(AppendError::Conflict { event_index: 3, .. })),
            "{changed:?}: {refused:?}"
        );
    }
    assert_eq!(amounts(store, log_id).await, [1, 2, 3, 1, 2, 9]);
}

/// Writes that share their event ids are kept apart: each has its own result and its own key. Callers choose the ids, for
/// example derived from a command that writes to two logs.
pub async fn writes_that_share_their_ids_are_not_mistaken(store: &impl Store) {
    for round in 0..20 {
        let shared = ids::<3>();
        let (free, taken) = (LogId::new(), create(store, LogId::new(), 0).await.log_id());
        let (free_key, taken_key) = (fresh_key(), fresh_key());
        let events = [added(1), added(2), added(3)];
        let events = if round % 2 == 0 {
            &events[..]
        } else {
            &events[..1]
        };
        let request = |log_id, key| {
            let ids = &shared[..events.len()];
            let mut request = with_ids(AppendRequest::create(log_id, events), ids);
            if round % 4 < 2 {
                request.context.idempotency_key = Some(IdempotencyKey::new(key));
            }
            request
        };
        // Other writes in flight, so that both wait for the same batch.
        let others: Vec<_> = (0..20).map(|_| LogId::new()).collect();
        let busy = others.iter().map(|log_id| {
            store.append(AppendRequest::create(
                *log_id,
                std::slice::from_ref(&events[0]),
            ))
        });
        let (_, created, refused) = join3(
            join_all(busy),
            store.append(request(free, &free_key)),
            store.append(request(taken, &taken_key)),
        )
        .await;
        let created = created.expect("the log is free").state;
        assert_eq!(created.log_id(), free);
        assert!(
            matches!(refused, Err(AppendError::LogAlreadyExists { log_id }) if log_id == taken),
            "{refused:?}"
        );
        let expected: Vec<i64> = (1..).take(events.len()).collect();
        assert_eq!(amounts(store, free).await, expected);
        assert_eq!(amounts(store, taken).await, [0]);
        let found = replays(store, IdempotencyKey::new(&free_key)).await;
        let found: Vec<LogPosition> = found.iter().map(|replay| replay.state).collect();
        let keyed = if round % 4 < 2 { vec![created] } else { vec![] };
        assert_eq!(found, keyed);
        assert_eq!(replays(store, IdempotencyKey::new(&taken_key)).await, []);
    }
}

/// An id that is used twice in a log marks two positions, and neither is taken for the other.
pub async fn an_id_that_is_used_twice_marks_two_places(store: &impl Store) {
    let [twice] = ids();
    let events = [added(1)];
    let mut state = log_of(store, 1).await;
    for _ in 0..2 {
        let request = with_ids(AppendRequest::after(state, &events), &[twice]);
        state = store
            .append(request)
            .await
            .expect("the state is the end of the log")
            .state;
    }
    let log_id = state.log_id();
    // All at once, so that some of them wait while the first is written.
    let behind = [2, 1, 3, 5, 4, 0].map(|index| {
        let position = LogPosition::new(log_id, index, twice);
        let request = with_ids(AppendRequest::after(position, &events), &ids::<1>());
        store.append(request)
    });
    let answers = join_all(behind).await;
    assert!(answers[0].is_ok(), "{answers:?}");
    for refused in &answers[1..] {
        assert!(
            matches!(refused, Err(AppendError::Conflict { .. })),
            "{answers:?}"
        );
    }
    let records = all(store, log_id).await;
    let indices: Vec<u64> = records.iter().map(EventRecord::index).collect();
    assert_eq!(indices, [0, 1, 2, 3]);
}

/// A request with a missing or a surplus id is refused.
pub async fn every_event_needs_one_id(store: &impl Store) {
    let state = log_of(store, 1).await;
    let events = [added(1), added(2)];
    for given in [0, 1, 3] {
        let request = AppendRequest::after(state, &events);
        let request = with_ids(request, &ids::<3>()[..given]);
        let refused = store.append(request).await;
        assert!(
            matches!(
                refused,
                Err(AppendError::Invalid(InvalidAppend::EventIds { events: 2, ids })) if ids == given
            ),
            "{given}: {refused:?}"
        );
    }
    assert_eq!(amounts(store, state.log_id()).await, [0]);
}
