//! Promises about the place of an append, and about its refusal.

use crate::ids::{EventId, LogId};
use crate::log_state::LogPosition;
use crate::record::RecordedEvent;
use crate::stores::appends::AppendAcrossRequest;
use crate::stores::error::AppendError;
use crate::stores::error::invalid::InvalidAppend;
use crate::stores::error::store::StoreError;
use crate::stores::idempotency::IdempotencyKey;
use crate::stores::limits::Limits;
use crate::stores::request::AppendRequest;
use crate::testing::conformance::store::helpers::{
    Store, added, all, amounts, append, append_with_key, create, fresh_key, log_of,
};
use futures_util::FutureExt;
use futures_util::future::join_all;
use std::time::{Duration, Instant};

/// Indices start at 0 and rise by one, and an append returns the end of the log.
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
        records
            .iter()
            .map(RecordedEvent::position)
            .collect::<Vec<_>>(),
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

/// An append leaves no gap, neither after the end of a log nor in a log that does not exist.
pub async fn an_append_needs_its_predecessor(store: &impl Store) {
    let missing = append(store, LogPosition::at(LogId::new(), 0), 1).await;
    assert!(
        matches!(missing, Err(AppendError::LogNotFound { .. })),
        "{missing:?}"
    );

    let state = log_of(store, 2).await;
    for index in [0, 2, 17, i64::MAX as u64, u64::MAX - 1] {
        let refused = append(store, LogPosition::at(state.log_id(), index), 9).await;
        assert!(
            matches!(refused, Err(AppendError::Conflict { .. })),
            "index {index}: {refused:?}"
        );
    }
    // A batch with a key, beyond the last possible index.
    for index in [u64::MAX - 2, u64::MAX - 1, u64::MAX] {
        let batch = [added(8), added(9), added(10)];
        let mut request = AppendRequest::after(LogPosition::at(state.log_id(), index), &batch);
        let key = fresh_key();
        request.context.idempotency_key = Some(IdempotencyKey::new(&key));
        let refused = store.append(request).await;
        assert!(
            matches!(refused, Err(AppendError::Conflict { .. })),
            "index {index}: {refused:?}"
        );
    }
    let by_index = append(store, LogPosition::at(state.log_id(), 1), 2).await;
    assert_eq!(
        by_index.expect("a correct index is enough").state.index(),
        2
    );
    assert_eq!(amounts(store, state.log_id()).await, [0, 1, 2]);
}

/// An append after another event at the same index is refused: the check compares the event, not only the index, so a caller
/// with another history gets a conflict.
pub async fn an_append_behind_another_event_at_the_same_index_is_refused(store: &impl Store) {
    let state = log_of(store, 2).await;
    let forked = LogPosition::new(state.log_id(), state.index(), EventId::new());
    let refused = append(store, forked, 9).await;
    assert!(
        matches!(refused, Err(AppendError::Conflict { event_index: 2, .. })),
        "{refused:?}"
    );
    assert_eq!(amounts(store, state.log_id()).await, [0, 1]);
}

/// Of concurrent appends at one index, one succeeds; the others get a conflict.
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

/// The events of one append are stored together, without events of others between them, or not at all.
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

    // Two concurrent batches that overlap never mix.
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

/// Two logs do not affect each other, even if they are adjacent in a database index.
pub async fn logs_do_not_touch_each_other(store: &impl Store) {
    let (one, other) = (log_of(store, 3).await, log_of(store, 5).await);
    assert_eq!(amounts(store, one.log_id()).await, [0, 1, 2]);
    assert_eq!(amounts(store, other.log_id()).await, [0, 1, 2, 3, 4]);
}

/// A request that exceeds a limit is refused and changes nothing.
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
        .expect("1,000 events and a key of the maximum length are allowed");
    assert_eq!(all(store, state.log_id()).await.len(), 1001);
}

/// A caller that drops its append leaves the log whole and the store usable, no matter if the event was stored.
pub async fn a_dropped_append_harms_nobody(store: &impl Store) {
    let state = log_of(store, 1).await;
    let events = [added(1)];
    for _ in 0..8 {
        // The future is polled once, then dropped.
        let _ = store
            .append(AppendRequest::after(state, &events))
            .now_or_never();
    }
    let stored = amounts(store, state.log_id()).await;
    assert!(
        stored.len() <= 2,
        "of the appends at one index at most one is stored: {stored:?}"
    );
    let end = all(store, state.log_id())
        .await
        .last()
        .map(RecordedEvent::position)
        .expect("the first event is stored");
    // A dropped event may still be stored in between; a refused caller then reads the new end.
    if append(store, end, 9).await.is_err() {
        let end = all(store, state.log_id())
            .await
            .last()
            .map(RecordedEvent::position)
            .expect("the first event is stored");
        append(store, end, 9)
            .await
            .expect("all dropped appends are settled by now");
    }
}

/// An append returns if its event is stored when the deadline passes. A deadline before the call returns `DeadlineExceeded`,
/// and nothing is stored. A deadline that passes during the write may end either way, and the result says which.
pub async fn an_append_whose_time_is_over_says_whether_it_is_stored(store: &impl Store) {
    let ahead = [
        Duration::ZERO,
        Duration::from_micros(200),
        Duration::from_millis(5),
    ];
    for ahead in ahead {
        let (state, other) = (log_of(store, 1).await, log_of(store, 1).await);
        let deadline = Some(Instant::now() + ahead);
        let new = LogId::new();
        let events = [added(1)];
        let mut request = AppendRequest::create(new, &events);
        request.context.deadline = deadline;
        let late_creation = store.append(request).await;
        let mut request = AppendRequest::after(state, &events);
        request.context.deadline = deadline;
        let late = store.append(request).await;
        let mut request = AppendAcrossRequest::new([(other, [added(1)])].into());
        request.context.deadline = deadline;
        let late_many = store.append_across(request).await;

        for (late, log_id, before) in [
            (late_creation.map(|appended| appended.state), new, &[][..]),
            (late.map(|appended| appended.state), state.log_id(), &[0]),
            (late_many.map(|states| states[0]), other.log_id(), &[0]),
        ] {
            let stored = amounts(store, log_id).await;
            match late {
                Ok(state) if !ahead.is_zero() => {
                    let index = usize::try_from(state.index()).expect("a small number");
                    assert_eq!((index, stored), (before.len(), [before, &[1]].concat()));
                }
                Err(AppendError::Store(StoreError::DeadlineExceeded)) => assert_eq!(stored, before),
                Err(AppendError::Store(StoreError::OutcomeUnknown { .. })) if !ahead.is_zero() => {
                    continue;
                }
                answer => panic!("deadline {ahead:?} ahead, {stored:?} stored: {answer:?}"),
            }
            // No event of it is stored later, and the log accepts further appends.
            let end = amounts(store, log_id).await.len() as u64;
            if let Some(last) = end.checked_sub(1) {
                let goes_on = append(store, LogPosition::at(log_id, last), 9).await;
                goes_on.expect("no event of the late append is stored later");
            } else {
                create(store, log_id, 9).await;
            }
        }
    }
}
