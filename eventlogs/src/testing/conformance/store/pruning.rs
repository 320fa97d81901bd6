//! Promises about deleting idempotency keys.

use crate::stores::error::AppendError;
use crate::stores::idempotency::IdempotencyKey;
use crate::testing::conformance::store::helpers::{
    Store, added, amounts, append_many_with_key, append_once, fresh_key, log_of, replays,
};
use std::time::Duration;

/// Waits, so that keys used before are older than zero by every clock.
async fn a_moment() {
    tokio::time::sleep(Duration::from_millis(20)).await;
}

async fn prune(store: &impl Store, older_than: Duration) -> u64 {
    store
        .prune_idempotency_keys(older_than)
        .await
        .expect("keys can be pruned")
}

/// A pruned key is forgotten; the events that were written with it stay.
pub async fn a_pruned_key_is_forgotten_and_its_events_stay(store: &impl Store) {
    let (global, local) = (fresh_key(), fresh_key());
    let state = log_of(store, 1).await;
    let keys = [
        IdempotencyKey::new(&global),
        IdempotencyKey::new(&local).in_log(state.log_id()),
    ];
    let mut end = state;
    for (key, amount) in keys.into_iter().zip(1..) {
        end = append_once(store, end, amount, key)
            .await
            .expect("the key is new")
            .state;
    }
    a_moment().await;
    assert_eq!(prune(store, Duration::ZERO).await, 2);
    assert_eq!(
        prune(store, Duration::ZERO).await,
        0,
        "all keys are pruned already"
    );
    assert_eq!(amounts(store, state.log_id()).await, [0, 1, 2]);
    for (key, amount) in keys.into_iter().zip(3..) {
        assert_eq!(replays(store, key).await, []);
        end = append_once(store, end, amount, key)
            .await
            .expect("the key is new again")
            .state;
        let retry = append_once(store, end, amount, key).await;
        assert!(
            matches!(retry, Err(AppendError::Replay(replay)) if replay.state == end),
            "{retry:?}"
        );
    }
    assert_eq!(amounts(store, state.log_id()).await, [0, 1, 2, 3, 4]);
}

/// The key of a write to several logs is pruned as a whole: half of it would be the replay of half a write.
pub async fn the_key_of_several_logs_is_pruned_whole(store: &impl Store) {
    let text = fresh_key();
    let key = IdempotencyKey::new(&text);
    let parts = [
        (log_of(store, 1).await, [added(1)]),
        (log_of(store, 1).await, [added(2)]),
        (log_of(store, 1).await, [added(3)]),
    ];
    let states = append_many_with_key(store, parts, key)
        .await
        .expect("the key is new");
    assert_eq!(replays(store, key).await.len(), 3);
    a_moment().await;
    assert_eq!(
        prune(store, Duration::ZERO).await,
        1,
        "one key of one write"
    );
    assert_eq!(replays(store, key).await, []);
    let again: Vec<_> = states
        .iter()
        .map(|state| (*state, [added(4)]))
        .take(2)
        .collect();
    append_many_with_key(store, again, key)
        .await
        .expect("the key is new again");
    assert_eq!(replays(store, key).await.len(), 2);
    assert_eq!(amounts(store, states[0].log_id()).await, [0, 1, 4]);
    assert_eq!(amounts(store, states[2].log_id()).await, [0, 3]);
}

/// Keys younger than the given age stay, even if that age exceeds the range of times.
pub async fn young_keys_are_not_pruned(store: &impl Store) {
    let (one, several) = (fresh_key(), fresh_key());
    let state = log_of(store, 1).await;
    let end = append_once(store, state, 1, IdempotencyKey::new(&one))
        .await
        .expect("the key is new")
        .state;
    let parts = [(end, [added(2)]), (log_of(store, 1).await, [added(1)])];
    append_many_with_key(store, parts, IdempotencyKey::new(&several))
        .await
        .expect("the key is new");
    a_moment().await;
    let century = Duration::from_hours(100 * 365 * 24);
    for older_than in [
        Duration::from_hours(1),
        century,
        century * 1_000,
        Duration::from_secs(i64::MAX.unsigned_abs()),
        Duration::MAX,
    ] {
        assert_eq!(prune(store, older_than).await, 0, "{older_than:?}");
    }
    assert_eq!(replays(store, IdempotencyKey::new(&one)).await.len(), 1);
    assert_eq!(replays(store, IdempotencyKey::new(&several)).await.len(), 2);
}
