//! Promises about appends to several logs.

use crate::ids::LogId;
use crate::log_state::LogPosition;
use crate::record::{EventRecord, RecordedEvent};
use crate::stores::appends::{AppendAcrossRequest, Appends};
use crate::stores::error::AppendError;
use crate::stores::error::invalid::InvalidAppend;
use crate::stores::idempotency::{IdempotencyKey, RequestFingerprint};
use crate::stores::limits::Limits;
use crate::testing::conformance::store::helpers::{
    Store, added, all, amounts, append, append_across, append_many_with_key, append_once,
    create_with_key, fresh_key, log_of, replays,
};
use chrono::{SubsecRound, Utc};
use futures_util::FutureExt;
use futures_util::future::{join, join_all};

/// An append to several logs stores the events of each, and returns the states in the order of the parts.
pub async fn several_logs_change_together(store: &impl Store) {
    let logs = [
        log_of(store, 1).await,
        log_of(store, 3).await,
        log_of(store, 2).await,
    ];
    let occurred_at = Utc::now();
    let parts = vec![
        (logs[0], vec![added(10), added(11), added(12)]),
        (logs[1], vec![added(20)]),
        (logs[2], vec![added(30), added(31)]),
    ];
    let mut request = AppendAcrossRequest::new(parts.into());
    request.context.occurred_at = Some(occurred_at);
    let expected = request.states_after();
    let states = store
        .append_across(request)
        .await
        .expect("the states are current");
    assert_eq!(states, expected);
    assert_eq!(amounts(store, logs[0].log_id()).await, [0, 10, 11, 12]);
    assert_eq!(amounts(store, logs[1].log_id()).await, [0, 1, 2, 20]);
    assert_eq!(amounts(store, logs[2].log_id()).await, [0, 1, 30, 31]);
    for state in &states {
        let records = all(store, state.log_id()).await;
        assert_eq!(records.last().map(RecordedEvent::position), Some(*state));
        assert!(records.iter().map(EventRecord::recorded_at).is_sorted());
        let last = records.last().and_then(EventRecord::occurred_at);
        assert_eq!(last, Some(occurred_at.trunc_subsecs(6)));
        append(store, *state, 99)
            .await
            .expect("the state that was returned is current");
    }

    // One log and a hundred logs are valid cases, too.
    let alone = log_of(store, 1).await;
    let states = append_across(store, [(alone, [added(1)])])
        .await
        .expect("the state is current");
    assert_eq!(states.len(), 1);
    assert_eq!(amounts(store, alone.log_id()).await, [0, 1]);
    let ids: Vec<_> = (0..100).map(|_| LogId::new()).collect();
    let many = ids.iter().fold(Appends::new(), |many, id| {
        many.create(*id, [added(1), added(2)])
    });
    let states = append_across(store, many).await.expect("the logs are new");
    let in_order: Vec<_> = states.iter().map(LogPosition::log_id).collect();
    assert_eq!(in_order, ids);
    assert_eq!(amounts(store, ids[99]).await, [1, 2]);
}

/// If one of several logs cannot change, none does, whichever part it is and whatever the reason.
pub async fn where_one_of_several_logs_cannot_change_none_does(store: &impl Store) {
    let (first, second) = (log_of(store, 1).await, log_of(store, 1).await);
    let stale = log_of(store, 1).await;
    append(store, stale, 1).await.expect("the state is current");
    let taken = log_of(store, 1).await;
    let missing = LogPosition::at(LogId::new(), 0);
    let forked = LogPosition::new(first.log_id(), 0, crate::ids::EventId::new());

    for place in 0..3 {
        let key = fresh_key();
        for (bad, says) in [
            (stale, "conflict"),
            (forked, "conflict"),
            (LogPosition::at(second.log_id(), 7), "twice"),
            (missing, "missing"),
        ] {
            let mut parts = vec![Some(second), None];
            parts.insert(place, Some(bad));
            let appends = parts
                .into_iter()
                .fold(Appends::new(), |appends, part| match part {
                    Some(log) => appends.append(log, [added(1), added(2)]),
                    None => appends.create(LogId::new(), [added(3)]),
                });
            let refused = append_many_with_key(store, appends, IdempotencyKey::new(&key)).await;
            let as_expected = match (&refused, says) {
                (Err(AppendError::Conflict { log_id, .. }), "conflict")
                | (Err(AppendError::LogNotFound { log_id }), "missing")
                | (Err(AppendError::Invalid(InvalidAppend::LogTwice { log_id })), "twice") => {
                    *log_id == bad.log_id()
                }
                _ => false,
            };
            assert!(as_expected, "{says}, part {place}: {refused:?}");
        }
        let again = Appends::new()
            .append(first, [added(1)])
            .create(taken.log_id(), [added(9)]);
        let refused = append_many_with_key(store, again, IdempotencyKey::new(&key)).await;
        assert!(
            matches!(refused, Err(AppendError::LogAlreadyExists { log_id }) if log_id == taken.log_id()),
            "{refused:?}"
        );
        assert_eq!(
            replays(store, IdempotencyKey::new(&key)).await,
            [],
            "a refused write does not use up its key"
        );
    }
    for log in [first, second, taken] {
        assert_eq!(amounts(store, log.log_id()).await, [0]);
    }
    assert_eq!(amounts(store, stale.log_id()).await, [0, 1]);
    assert_eq!(amounts(store, missing.log_id()).await, [0_i64; 0]);
}

/// One append can create some logs and continue others, as when an order continues and its payment begins.
pub async fn logs_can_begin_beside_others_that_go_on(store: &impl Store) {
    let (old, new) = (log_of(store, 2).await, LogId::new());
    let appends = || {
        Appends::new()
            .create(new, [added(5), added(6)])
            .append(old, [added(7)])
    };
    let states = append_across(store, appends())
        .await
        .expect("one log is new, the state of the other is current");
    assert_eq!((states[0].log_id(), states[0].index()), (new, 1));
    assert_eq!((states[1].log_id(), states[1].index()), (old.log_id(), 2));
    assert_eq!(amounts(store, new).await, [5, 6]);
    assert_eq!(amounts(store, old.log_id()).await, [0, 1, 7]);

    let again = append_across(store, appends()).await;
    assert!(
        matches!(
            again,
            Err(AppendError::LogAlreadyExists { .. } | AppendError::Conflict { .. })
        ),
        "{again:?}"
    );
    assert_eq!(amounts(store, new).await, [5, 6]);
    assert_eq!(amounts(store, old.log_id()).await, [0, 1, 7]);
}

/// A retry with the key of an append to several logs is a replay. It returns the first log; the caller can look up the others.
pub async fn one_key_for_several_logs_is_a_replay_of_all(store: &impl Store) {
    let text = fresh_key();
    let fingerprint = Some(RequestFingerprint::new(text.as_bytes()));
    let key = IdempotencyKey::new(&text).with_fingerprint(fingerprint);
    let (one, other, new) = (log_of(store, 2).await, log_of(store, 1).await, LogId::new());
    let appends = |one: LogPosition, other: LogPosition| {
        Appends::new()
            .append(one, [added(5), added(6)])
            .create(new, [added(7)])
            .append(other, [added(8)])
    };
    let states = append_many_with_key(store, appends(one, other), key)
        .await
        .expect("the key is new");
    let found = replays(store, key).await;
    let parts: Vec<_> = found
        .iter()
        .map(|replay| (replay.state, replay.first_index, replay.event_count))
        .collect();
    assert_eq!(
        parts,
        [(states[0], 2, 2), (states[1], 0, 1), (states[2], 1, 1)]
    );
    for replay in &found {
        assert_eq!(replay.request_fingerprint, fingerprint);
        let records = all(store, replay.state.log_id()).await;
        let last = records.last().map(EventRecord::recorded_at);
        assert_eq!(last, Some(replay.recorded_at));
    }

    // On the old states, on the new ones, and as an append to one log.
    let turned_round = Appends::new()
        .append(states[2], [added(8)])
        .append(states[0], [added(5)]);
    for retry in [
        appends(one, other),
        appends(states[0], states[2]),
        turned_round,
    ] {
        let retry = append_many_with_key(store, retry, key).await;
        assert!(
            matches!(retry, Err(AppendError::Replay(replay)) if replay == found[0]),
            "{retry:?}"
        );
    }
    let retry = append_once(store, states[2], 8, key).await;
    assert!(
        matches!(retry, Err(AppendError::Replay(replay)) if replay == found[0]),
        "{retry:?}"
    );
    assert_eq!(amounts(store, one.log_id()).await, [0, 1, 5, 6]);
    assert_eq!(amounts(store, other.log_id()).await, [0, 8]);
    assert_eq!(amounts(store, new).await, [7]);

    // The opposite: one log used the key, and an append to several logs uses it again.
    let text = fresh_key();
    let created = create_with_key(store, LogId::new(), 1, &text)
        .await
        .expect("the key is new")
        .state;
    let late = append_many_with_key(
        store,
        [(states[0], [added(9)]), (states[1], [added(9)])],
        IdempotencyKey::new(&text),
    )
    .await;
    assert!(
        matches!(late, Err(AppendError::Replay(replay)) if replay.state == created),
        "{late:?}"
    );
    assert_eq!(amounts(store, new).await, [7]);
}

/// Of concurrent attempts with one key, one writes, as with an impatient client or with two clients that share a queue.
pub async fn of_many_attempts_with_one_key_for_several_logs_one_writes(store: &impl Store) {
    let text = fresh_key();
    let key = IdempotencyKey::new(&text);
    let parts = [
        (log_of(store, 1).await, [added(1)]),
        (log_of(store, 1).await, [added(2)]),
    ];
    let attempts = (0..8).map(|_| append_many_with_key(store, parts.clone(), key));
    let answers = join_all(attempts).await;
    let won: Vec<_> = answers
        .iter()
        .filter_map(|answer| answer.as_ref().ok())
        .collect();
    assert_eq!(won.len(), 1, "{answers:?}");
    for answer in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        assert!(
            matches!(answer, AppendError::Replay(replay) if replay.state == won[0][0]),
            "{answer:?}"
        );
    }
    assert_eq!(amounts(store, parts[0].0.log_id()).await, [0, 1]);
    assert_eq!(amounts(store, parts[1].0.log_id()).await, [0, 2]);
}

/// An invalid append to several logs is refused with the cause, before anything is written.
pub async fn what_no_append_to_several_logs_may_hold_changes_nothing(store: &impl Store) {
    let (one, other) = (log_of(store, 1).await, log_of(store, 1).await);
    let nothing = append_across(store, Appends::new()).await;
    assert!(
        matches!(nothing, Err(AppendError::Invalid(InvalidAppend::NoEvents))),
        "{nothing:?}"
    );
    let nothing = append_across(store, vec![(one, vec![added(1)]), (other, vec![])]).await;
    assert!(
        matches!(nothing, Err(AppendError::Invalid(InvalidAppend::NoEvents))),
        "{nothing:?}"
    );
    let twice = append_across(
        store,
        [(one, [added(1)]), (other, [added(1)]), (one, [added(2)])],
    )
    .await;
    assert!(
        matches!(twice, Err(AppendError::Invalid(InvalidAppend::LogTwice { log_id })) if log_id == one.log_id()),
        "{twice:?}"
    );
    let limit = Limits::default().max_events_per_append;
    let half = vec![added(1); limit / 2 + 1];
    let too_many = append_across(store, vec![(one, half.clone()), (other, half)]).await;
    assert!(
        matches!(
            too_many,
            Err(AppendError::Invalid(InvalidAppend::TooManyEvents { events, limit: found }))
                if events == limit + 2 && found == limit
        ),
        "{too_many:?}"
    );
    let text = fresh_key();
    let parts = || [(one, [added(1)]), (other, [added(1)])];
    for log_id in [one.log_id(), LogId::new()] {
        let key = IdempotencyKey::new(&text).in_log(log_id);
        let refused = append_many_with_key(store, parts(), key).await;
        assert!(
            matches!(
                refused,
                Err(AppendError::Invalid(InvalidAppend::KeyOfOneLog))
            ),
            "{refused:?}"
        );
    }
    let too_long = "k".repeat(Limits::MAX_KEY_BYTES + 1);
    for text in ["", &too_long] {
        let refused = append_many_with_key(store, parts(), IdempotencyKey::new(text)).await;
        assert!(
            matches!(
                refused,
                Err(AppendError::Invalid(InvalidAppend::IdempotencyKey { .. }))
            ),
            "{refused:?}"
        );
    }
    assert_eq!(amounts(store, one.log_id()).await, [0]);
    assert_eq!(amounts(store, other.log_id()).await, [0]);
    let most = vec![added(1); limit / 2];
    append_across(store, vec![(one, most.clone()), (other, most)])
        .await
        .expect("the maximum number of logs is allowed");
    assert_eq!(all(store, one.log_id()).await.len(), 1 + limit / 2);
}

/// Of two concurrent appends to the same logs exactly one succeeds. Locks taken in the order in which the caller names the logs
/// would deadlock here.
pub async fn of_two_appends_to_the_same_logs_exactly_one_wins(store: &impl Store) {
    for round in 0..10 {
        let (one, other) = (log_of(store, 1).await, log_of(store, 1).await);
        let new = LogId::new();
        let forth = Appends::new()
            .append(one, [added(1), added(2)])
            .create(new, [added(3)])
            .append(other, [added(4)]);
        let back = Appends::new()
            .append(other, [added(10), added(20)])
            .create(new, [added(30)])
            .append(one, [added(40)]);
        let answers = join_all([append_across(store, forth), append_across(store, back)]).await;
        let stored = [
            amounts(store, one.log_id()).await,
            amounts(store, new).await,
            amounts(store, other.log_id()).await,
        ];
        match (&answers[0], &answers[1]) {
            (Ok(_), Err(error)) => {
                assert!(is_overtaken(error), "round {round}: {error:?}");
                assert_eq!(stored, [vec![0, 1, 2], vec![3], vec![0, 4]]);
            }
            (Err(error), Ok(_)) => {
                assert!(is_overtaken(error), "round {round}: {error:?}");
                assert_eq!(stored, [vec![0, 40], vec![30], vec![0, 10, 20]]);
            }
            _ => panic!("round {round}: {answers:?}"),
        }
    }
}

/// Returns `true` for the errors that the loser of a race gets.
const fn is_overtaken(error: &AppendError) -> bool {
    matches!(
        error,
        AppendError::Conflict { .. } | AppendError::LogAlreadyExists { .. }
    )
}

/// Concurrent appends to several logs and to single ones never mix: every append that returns success is stored whole, and no
/// other one is stored.
pub async fn appends_to_several_logs_and_to_single_ones_never_mix(store: &impl Store) {
    let starts = [
        log_of(store, 1).await,
        log_of(store, 1).await,
        log_of(store, 1).await,
    ];
    let mut ends = starts;
    let mut expected = [vec![0], vec![0], vec![0]];
    for round in 0..20i64 {
        let base = round * 1_000;
        // Two appends to two logs each, which share the middle log, and one append to each log.
        let pairs = [(0, 1, base + 100), (2, 1, base + 200)];
        let singles = [(0, base), (1, base + 1), (2, base + 2)];
        let pairs_won = join_all(pairs.map(|(one, other, amount)| {
            append_across(
                store,
                [(ends[one], [added(amount)]), (ends[other], [added(amount)])],
            )
        }));
        let singles_won = join_all(singles.map(|(log, amount)| append(store, ends[log], amount)));
        let (pairs_won, singles_won) = if round % 2 == 0 {
            join(pairs_won, singles_won).await
        } else {
            let (singles, pairs) = join(singles_won, pairs_won).await;
            (pairs, singles)
        };
        let mut winners = [0; 3];
        for ((one, other, amount), won) in pairs.into_iter().zip(pairs_won) {
            match won {
                Ok(states) => {
                    for (log, state) in [(one, states[0]), (other, states[1])] {
                        ends[log] = state;
                        expected[log].push(amount);
                        winners[log] += 1;
                    }
                }
                Err(error) => assert!(is_overtaken(&error), "round {round}: {error:?}"),
            }
        }
        for ((log, amount), won) in singles.into_iter().zip(singles_won) {
            match won {
                Ok(appended) => {
                    ends[log] = appended.state;
                    expected[log].push(amount);
                    winners[log] += 1;
                }
                Err(error) => assert!(is_overtaken(&error), "round {round}: {error:?}"),
            }
        }
        assert!(
            winners.iter().all(|winners| *winners <= 1),
            "round {round}: several appends succeeded at one position: {winners:?}"
        );
        assert!(
            winners.iter().sum::<i32>() > 0,
            "round {round}: no append succeeded"
        );
    }
    for (start, expected) in starts.iter().zip(expected) {
        assert_eq!(amounts(store, start.log_id()).await, expected);
    }
}

/// A caller that drops an append to several logs never leaves one log changed and the other unchanged.
pub async fn a_dropped_append_to_several_logs_leaves_no_half(store: &impl Store) {
    let (one, other) = (log_of(store, 1).await, log_of(store, 1).await);
    for amount in 1..9 {
        // The future is polled once, then dropped.
        let parts = [(one, [added(amount)]), (other, [added(amount)])];
        let _ = append_across(store, parts).now_or_never();
    }
    let mut ends = [one, other];
    let mut tries = 0;
    // Dropped events may still be stored in between; a refused caller then reads the new ends.
    while append_across(store, [(ends[0], [added(9)]), (ends[1], [added(9)])])
        .await
        .is_err()
    {
        for end in &mut ends {
            let records = all(store, end.log_id()).await;
            *end = records
                .last()
                .map(RecordedEvent::position)
                .expect("the first event is stored");
        }
        tries += 1;
        assert!(tries < 10, "the dropped appends settle in the end");
    }
    let stored = amounts(store, one.log_id()).await;
    assert!(
        stored.len() <= 3,
        "of eight appends at most one is stored: {stored:?}"
    );
    assert_eq!(amounts(store, other.log_id()).await, stored);
}
