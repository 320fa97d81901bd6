//! Promises about idempotency: a request with a key takes effect once.

use crate::ids::{EventId, LogId};
use crate::log_state::LogPosition;
use crate::stores::error::AppendError;
use crate::stores::idempotency::IdempotencyKey;
use crate::stores::request::AppendRequest;
use crate::testing::conformance::store::helpers::{
    Store, added, all, amounts, append, append_with_key, create_with_key, fresh_key, log_of,
    replays,
};
use futures_util::future::join_all;

/// A retry with the same key is a replay. It collides with the index as well as with the key, and the key decides.
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
    let found = replays(store, IdempotencyKey::new(&key)).await;
    let states: Vec<_> = found.iter().map(|replay| replay.state).collect();
    assert_eq!(states, [first.state]);
    assert_eq!(amounts(store, state.log_id()).await, [0, 1, 5, 6]);
}

/// A retry with the same key on a newer state is a replay, too: a caller who reduced the log again before the retry appends
/// after a state that is free.
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

/// Two creations with one key make one log, as with two requests of one client that each choose a log id.
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

/// A key used on another log reports that log, so that the caller can distinguish a replay from a mistake.
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

/// A refused append does not use up its key: a key belongs to stored events.
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
    assert_eq!(replays(store, IdempotencyKey::new(&key)).await, []);
    append_with_key(store, current, &[added(2)], &key)
        .await
        .expect("the key is still new");
    assert_eq!(amounts(store, old.log_id()).await, [0, 1, 2]);
}

/// Sending the same request again, with the same ids at the same index, returns the same result. A client does so if its
/// connection broke before the result arrived.
pub async fn sending_the_same_request_again_gives_the_same_answer(store: &impl Store) {
    let key = fresh_key();
    let state = log_of(store, 1).await;
    let batch = [added(1), added(2)];
    let ids = [EventId::new(), EventId::new()];
    let request = |key| {
        let mut request = AppendRequest::after(state, &batch);
        request.event_ids = ids.to_vec();
        request.context.idempotency_key = key;
        request.return_events = true;
        request
    };
    for key in [Some(IdempotencyKey::new(&key)), None] {
        let first = store
            .append(request(key))
            .await
            .expect("the state is current, or the stored events are those of this request");
        let second = store
            .append(request(key))
            .await
            .expect("the stored events are those of this request");
        assert_eq!(first, second);
    }
    // The result stays the same after the log has grown.
    let end = LogPosition::new(state.log_id(), 2, ids[1]);
    append(store, end, 3).await.expect("the state is current");
    assert_eq!(
        store
            .append(request(None))
            .await
            .expect("the stored events are those of this request")
            .state,
        end
    );
    assert_eq!(amounts(store, state.log_id()).await, [0, 1, 2, 3]);
}
