//! Promises about the scope of a key, and about the fingerprint kept with it.

use crate::ids::LogId;
use crate::stores::error::AppendError;
use crate::stores::error::invalid::InvalidAppend;
use crate::stores::idempotency::{IdempotencyKey, RequestFingerprint};
use crate::stores::limits::Limits;
use crate::stores::request::AppendRequest;
use crate::testing::conformance::store::helpers::{
    Store, added, amounts, append_once, create, create_with_key, fresh_key, log_of, replays,
};

/// A key with the scope of one log is free on every other log: keys such as `invoice-7` have a meaning only together with the
/// log.
pub async fn a_key_of_one_log_means_nothing_on_another(store: &impl Store) {
    let text = fresh_key();
    let logs = [log_of(store, 1).await, log_of(store, 2).await];
    for state in logs {
        let key = IdempotencyKey::new(&text).in_log(state.log_id());
        assert_eq!(replays(store, key).await, []);
        let first = append_once(store, state, 7, key)
            .await
            .expect("the key is new on this log");
        for state in [state, first.state] {
            let retry = append_once(store, state, 7, key).await;
            assert!(
                matches!(retry, Err(AppendError::Replay(replay)) if replay.state == first.state),
                "{retry:?}"
            );
        }
        assert_eq!(replays(store, key).await[0].state, first.state);
    }
    assert_eq!(amounts(store, logs[0].log_id()).await, [0, 7]);
    assert_eq!(amounts(store, logs[1].log_id()).await, [0, 1, 7]);
    let elsewhere = IdempotencyKey::new(&text).in_log(LogId::new());
    assert_eq!(replays(store, elsewhere).await, []);
}

/// A key of all logs and an equal key of one log are two keys. Otherwise a caller would have to choose its keys with those of
/// all other callers in mind.
pub async fn a_key_of_all_logs_and_the_same_of_one_are_two(store: &impl Store) {
    let text = fresh_key();
    let global = IdempotencyKey::new(&text);
    let state = log_of(store, 1).await;
    let local = global.in_log(state.log_id());

    let first = append_once(store, state, 1, local)
        .await
        .expect("the key is new on this log")
        .state;
    let second = append_once(store, first, 2, global)
        .await
        .expect("the key is new among all logs")
        .state;
    for (key, used) in [(local, first), (global, second)] {
        let retry = append_once(store, second, 3, key).await;
        assert!(
            matches!(retry, Err(AppendError::Replay(replay)) if replay.state == used),
            "{key:?}: {retry:?}"
        );
        assert_eq!(replays(store, key).await[0].state, used);
    }
    // The key is also free on a log that is created with it.
    let other = LogId::new();
    let events = [added(1)];
    let mut request = AppendRequest::create(other, &events);
    request.context.idempotency_key = Some(global.in_log(other));
    store
        .append(request)
        .await
        .expect("the key is new on this log");
    let refused = create_with_key(store, LogId::new(), 1, &text).await;
    assert!(
        matches!(refused, Err(AppendError::Replay(replay)) if replay.state == second),
        "{refused:?}"
    );
    assert_eq!(amounts(store, state.log_id()).await, [0, 1, 2]);
}

/// The fingerprint of the request is stored with its key; with it a caller can distinguish a retry from another use of the key.
pub async fn what_the_request_was_is_kept_with_its_key(store: &impl Store) {
    let fingerprint = |request: &[u8]| Some(RequestFingerprint::new(request));
    for then in [None, fingerprint(b""), fingerprint(b"{\"amount\":500}")] {
        let text = fresh_key();
        let state = log_of(store, 1).await;
        let key = IdempotencyKey::new(&text).with_fingerprint(then);
        let first = append_once(store, state, 1, key)
            .await
            .expect("the key is new");
        // Any fingerprint of the retry returns the replay: the manager compares the two.
        for now in [then, None, fingerprint(b"another")] {
            let key = key.with_fingerprint(now);
            let retry = append_once(store, first.state, 1, key).await;
            let Err(AppendError::Replay(replay)) = retry else {
                panic!("expected a replay, got {retry:?}")
            };
            assert_eq!(replay.request_fingerprint, then);
            assert_eq!(replays(store, key).await, [replay]);
        }
    }
}

/// Keys are compared byte for byte: keys that look alike, or that a database collation treats as equal, differ.
pub async fn keys_are_compared_byte_for_byte(store: &impl Store) {
    let log_id = LogId::new();
    let mut state = create(store, log_id, 0).await;
    let keys = [
        "a", "A", "ä", "a\u{308}", "a ", " a", "a\0", "a\0b", "%", "_", "'", "\\", "🔑", "١",
        "\u{feff}",
    ];
    for (text, amount) in keys.iter().zip(1..) {
        // Keys of one log: keys this short are then free on stores that outlive a test.
        let key = IdempotencyKey::new(text).in_log(log_id);
        assert_eq!(replays(store, key).await, [], "{text:?}");
        state = append_once(store, state, amount, key)
            .await
            .unwrap_or_else(|error| panic!("{text:?} is a key: {error:?}"))
            .state;
    }
    for (text, index) in keys.iter().zip(1..) {
        let key = IdempotencyKey::new(text).in_log(log_id);
        let found = replays(store, key).await;
        assert_eq!(found.len(), 1, "{text:?}");
        assert_eq!(found[0].first_index, index, "{text:?}");
    }
}

/// Keys of every length from one byte to the maximum work, both of one log and of all logs.
pub async fn keys_of_every_allowed_length_work(store: &impl Store) {
    let state = log_of(store, 1).await;
    let log_id = state.log_id();
    let unique = fresh_key();
    // Characters of two bytes each.
    let filler = "é".repeat((Limits::MAX_KEY_BYTES - unique.len()) / 2);
    let longest = format!("{unique}{filler}");
    assert_eq!(longest.len(), Limits::MAX_KEY_BYTES, "the prefix is even");
    let keys = [
        IdempotencyKey::new("k").in_log(log_id),
        IdempotencyKey::new(&longest).in_log(log_id),
        IdempotencyKey::new(&longest),
    ];
    let mut end = state;
    for key in keys {
        end = append_once(store, end, 1, key)
            .await
            .expect("the key has an allowed length")
            .state;
        let retry = append_once(store, end, 1, key).await;
        assert!(
            matches!(retry, Err(AppendError::Replay(replay)) if replay.state == end),
            "{retry:?}"
        );
        assert_eq!(replays(store, key).await[0].state, end);
    }
    let too_long = format!("{longest}!");
    for text in ["", &too_long] {
        let key = IdempotencyKey::new(text);
        for key in [key, key.in_log(log_id)] {
            let refused = append_once(store, end, 9, key).await;
            assert!(
                matches!(
                    refused,
                    Err(AppendError::Invalid(InvalidAppend::IdempotencyKey { bytes })) if bytes == text.len()
                ),
                "{refused:?}"
            );
        }
    }
    assert_eq!(amounts(store, log_id).await, [0, 1, 1, 1]);
}

/// A key of the log with the id zero is not a key of all logs: zero is an id like any other, even if a database uses it to mean
/// all logs.
pub async fn a_key_of_the_log_without_an_id_is_not_one_of_all_logs(store: &impl Store) {
    let text = fresh_key();
    let global = IdempotencyKey::new(&text);
    let nil = LogId::from_uuid(uuid::Uuid::nil());
    let local = global.in_log(nil);
    let used = create_with_key(store, LogId::new(), 1, &text)
        .await
        .expect("the key is new among all logs")
        .state;
    assert_eq!(replays(store, local).await, []);
    let state = create(store, nil, 1).await;
    let own = append_once(store, state, 2, local)
        .await
        .expect("the key is new on this log")
        .state;
    for (key, used) in [(local, own), (global, used)] {
        assert_eq!(replays(store, key).await[0].state, used);
    }
}
