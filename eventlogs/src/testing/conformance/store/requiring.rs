//! Promises about logs that an append requires, and about the ends of logs.

use crate::__example::CounterEvent;
use crate::ids::{EventId, LogId};
use crate::log_state::LogPosition;
use crate::record::RecordedEvent;
use crate::stores::appends::{AppendAcrossRequest, AppendPart, Appends};
use crate::stores::error::AppendError;
use crate::stores::error::invalid::InvalidAppend;
use crate::stores::idempotency::IdempotencyKey;
use crate::stores::request::Expected;
use crate::testing::conformance::events::UnrelatedEvent;
use crate::testing::conformance::store::chains::Watch;
use crate::testing::conformance::store::helpers::{
    Store, added, all, amounts, append, append_across, append_many_with_key, create, fresh_key,
    log_of, replays,
};
use futures_util::future::{join, join_all};
use std::sync::Arc;

/// Requires that a log has not moved.
fn require(appends: Appends, log: LogPosition) -> Appends {
    appends.require::<CounterEvent>(log)
}

/// Appends an amount to one log, and requires others.
fn appending(log: LogPosition, amount: i64, required: &[LogPosition]) -> Appends {
    let appends = Appends::new().append(log, [added(amount)]);
    required.iter().copied().fold(appends, require)
}

fn is_conflict<T>(answer: &Result<T, AppendError>, log: LogId, index: u64) -> bool {
    matches!(answer, Err(AppendError::Conflict { log_id, event_index }) if *log_id == log && *event_index == index)
}

/// Requirements that hold change nothing: the other logs are written to, and only their new ends are returned.
pub async fn a_write_happens_if_what_it_requires_holds(store: &impl Store) {
    let (one, other) = (log_of(store, 2).await, log_of(store, 3).await);
    let (new, absent) = (LogId::new(), LogId::new());
    let appends = require(Appends::new(), other)
        .append(one, [added(10), added(11)])
        .require_absent::<CounterEvent>(absent)
        .create(new, [added(20)]);
    assert_eq!(appends.len(), 4);
    let request = AppendAcrossRequest::new(appends);
    let required: Vec<_> = request
        .parts
        .iter()
        .map(AppendPart::is_requirement)
        .collect();
    assert_eq!(required, [true, false, true, false]);
    let expected = request.states_after();
    let states = store.append_across(request).await;
    let states = states.expect("all logs are where they must be");
    assert_eq!(states, expected);
    let logs: Vec<_> = states.iter().map(LogPosition::log_id).collect();
    assert_eq!(logs, [one.log_id(), new]);
    assert_eq!(amounts(store, one.log_id()).await, [0, 1, 10, 11]);
    assert_eq!(amounts(store, new).await, [20]);
    assert_eq!(amounts(store, other.log_id()).await, [0, 1, 2]);
    assert_eq!(amounts(store, absent).await, [0_i64; 0]);

    // What was required can still be changed, at the same place.
    append(store, other, 3)
        .await
        .expect("the log has not moved");
    create(store, absent, 0).await;
    // The id of the last event need not be known.
    let by_index = LogPosition::at(other.log_id(), 3);
    let appended = append_across(store, appending(states[0], 12, &[by_index])).await;
    appended.expect("the log ends at that index");
}

/// If a required log has moved, nothing is written, whichever part it is.
pub async fn where_a_requirement_does_not_hold_nothing_is_written(store: &impl Store) {
    let (first, second) = (log_of(store, 1).await, log_of(store, 1).await);
    let stale = log_of(store, 1).await;
    append(store, stale, 1).await.expect("the state is current");
    let held = log_of(store, 1).await;
    let forked = LogPosition::new(held.log_id(), 0, EventId::new());
    let ahead = LogPosition::at(held.log_id(), 1);
    let beyond = LogPosition::at(held.log_id(), u64::MAX);
    let missing = LogPosition::at(LogId::new(), 0);
    let missing_beyond = LogPosition::at(LogId::new(), 6);
    let key = fresh_key();
    for place in 0..3 {
        for bad in [stale, forked, ahead, beyond, missing, missing_beyond] {
            let mut parts = vec![Some(first), Some(second)];
            parts.insert(place, None);
            let appends = parts
                .into_iter()
                .fold(Appends::new(), |appends, part| match part {
                    Some(log) => appends.append(log, [added(1), added(2)]),
                    None if bad.log_id() == held.log_id() => require(appends, bad),
                    None => require(require(appends, held), bad),
                });
            let refused = append_many_with_key(store, appends, IdempotencyKey::new(&key)).await;
            let index = Expected::After(bad).next_index();
            assert!(
                is_conflict(&refused, bad.log_id(), index),
                "{bad:?}, part {place}: {refused:?}"
            );
        }
        let appends = Appends::new()
            .append(first, [added(1)])
            .require_absent::<CounterEvent>(held.log_id());
        let refused = append_many_with_key(store, appends, IdempotencyKey::new(&key)).await;
        assert!(is_conflict(&refused, held.log_id(), 0), "{refused:?}");
    }
    let key = IdempotencyKey::new(&key);
    assert_eq!(replays(store, key).await, [], "the key is still unused");
    for log in [first, second, held] {
        assert_eq!(amounts(store, log.log_id()).await, [0]);
    }
    assert_eq!(amounts(store, stale.log_id()).await, [0, 1]);
}

/// A required log of another kind is an error of its own. A store of one enum refuses the enum.
pub async fn a_required_log_must_be_of_its_kind(store: &impl Store) {
    let (one, other) = (log_of(store, 1).await, log_of(store, 1).await);
    let appends = Appends::new()
        .append(one, [added(1)])
        .require::<UnrelatedEvent>(other);
    let refused = append_across(store, appends).await;
    assert!(
        matches!(
            refused,
            Err(AppendError::WrongKind { log_id, .. }
                | AppendError::Invalid(InvalidAppend::OtherEvents { log_id })) if log_id == other.log_id()
        ),
        "{refused:?}"
    );
    assert_eq!(amounts(store, one.log_id()).await, [0]);
}

/// A log is in one part only, and something must be written.
pub async fn a_log_is_either_written_to_or_required(store: &impl Store) {
    let (one, other) = (log_of(store, 1).await, log_of(store, 1).await);
    for appends in [
        appending(one, 1, &[one]),
        require(Appends::new(), one).append(one, [added(1)]),
        appending(one, 1, &[other, other]),
        appending(one, 1, &[other]).require_absent::<CounterEvent>(other.log_id()),
    ] {
        let refused = append_across(store, appends).await;
        assert!(
            matches!(
                refused,
                Err(AppendError::Invalid(InvalidAppend::LogTwice { .. }))
            ),
            "{refused:?}"
        );
    }
    // An append of no events is not a requirement.
    let no_events = appending(other, 1, &[]).append(one, Vec::<CounterEvent>::new());
    for nothing in [require(Appends::new(), one), no_events] {
        let refused = append_across(store, nothing).await;
        assert!(
            matches!(refused, Err(AppendError::Invalid(InvalidAppend::NoEvents))),
            "{refused:?}"
        );
    }
    assert_eq!(amounts(store, one.log_id()).await, [0]);
}

/// A key belongs to the logs that were written to. A retry is a replay, whatever has happened to a required log.
pub async fn a_used_key_comes_before_a_requirement(store: &impl Store) {
    let (one, other) = (log_of(store, 1).await, log_of(store, 1).await);
    let text = fresh_key();
    let key = IdempotencyKey::new(&text);
    let states = append_many_with_key(store, appending(one, 1, &[other]), key).await;
    let states = states.expect("the logs are current");
    append(store, other, 1)
        .await
        .expect("the log has not moved");
    for required in [other, LogPosition::at(LogId::new(), 3)] {
        let again = append_many_with_key(store, appending(one, 1, &[required]), key).await;
        assert!(
            matches!(&again, Err(AppendError::Replay(replay)) if replay.state == states[0]),
            "{again:?}"
        );
    }
    let found = replays(store, key).await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].state, states[0]);
    assert_eq!(amounts(store, one.log_id()).await, [0, 1]);
}

/// Of two writers that each require the log of the other one, exactly one writes.
pub async fn of_writers_that_require_each_others_log_one_writes(store: &impl Store) {
    for round in 0..20 {
        let (one, other) = (log_of(store, 1).await, log_of(store, 1).await);
        let answers = join(
            append_across(store, appending(one, round, &[other])),
            append_across(store, appending(other, round, &[one])),
        )
        .await;
        let stored = [&answers.0, &answers.1].map(Result::is_ok);
        assert!(
            stored == [true, false] || stored == [false, true],
            "{answers:?}"
        );
        let lengths = [
            all(store, one.log_id()).await.len(),
            all(store, other.log_id()).await.len(),
        ];
        assert_eq!(lengths.iter().sum::<usize>(), 3, "{answers:?}");
    }
}

/// Of two writers that each create a log unless the log of the other one exists, exactly one writes.
pub async fn of_writers_that_require_each_others_absence_one_writes(store: &impl Store) {
    let create = |own: LogId, other: LogId| {
        let appends = Appends::new().create(own, [added(1)]);
        append_across(store, appends.require_absent::<CounterEvent>(other))
    };
    for _ in 0..20 {
        let (one, other) = (LogId::new(), LogId::new());
        let answers = join(create(one, other), create(other, one)).await;
        let stored = [&answers.0, &answers.1].map(Result::is_ok);
        assert!(
            stored == [true, false] || stored == [false, true],
            "{answers:?}"
        );
        let lengths = [all(store, one).await.len(), all(store, other).await.len()];
        assert_eq!(lengths.iter().sum::<usize>(), 1, "{answers:?}");
    }
}

/// Writers that only require a log are not in each other's way.
pub async fn of_writers_that_require_one_log_all_write(store: &impl Store) {
    let shared = log_of(store, 1).await;
    let absent = LogId::new();
    let mut logs = Vec::new();
    for _ in 0..30 {
        logs.push(log_of(store, 1).await);
    }
    for round in 1..4 {
        let writes = logs.iter().map(|log| {
            let appends = appending(LogPosition::at(log.log_id(), log.index()), round, &[shared]);
            append_across(store, appends.require_absent::<CounterEvent>(absent))
        });
        let answers = join_all(writes).await;
        for (log, answer) in logs.iter_mut().zip(answers) {
            let states = answer.expect("nobody has moved the shared log");
            *log = states[0];
        }
    }
    for log in &logs {
        assert_eq!(amounts(store, log.log_id()).await, [0, 1, 2, 3]);
    }
    assert_eq!(amounts(store, shared.log_id()).await, [0]);
    append(store, shared, 1)
        .await
        .expect("the log has not moved");
}

/// Writes in flight that share logs are stored if each builds on the one before, and a write that cannot be stored fails only
/// those that build on it.
pub async fn writes_that_share_logs_depend_on_what_they_build_on(store: &impl Store) {
    let stale = log_of(store, 1).await;
    append(store, stale, 1).await.expect("the state is current");
    let [hub, left, right, held, alone] = [
        log_of(store, 1).await,
        log_of(store, 1).await,
        log_of(store, 1).await,
        log_of(store, 1).await,
        log_of(store, 1).await,
    ];
    // A write that is sent before the others are queued.
    let first = append_across(store, [(log_of(store, 1).await, [added(1)])]);
    let request = |parts: &[LogPosition], required: &[LogPosition]| {
        let appends = parts.iter().fold(Appends::new(), |appends, log| {
            appends.append(*log, [added(1), added(2)])
        });
        let request = AppendAcrossRequest::new(required.iter().copied().fold(appends, require));
        let states = request.states_after();
        (request, states)
    };
    let (stored, ends) = request(&[hub, left], &[held]);
    let (hub_1, left_1) = (ends[0], ends[1]);
    let (refused, ends) = request(&[hub_1, stale], &[held]);
    let (hub_2, _) = (ends[0], ends[1]);
    let (builds_on_refused, _) = request(&[right, hub_2], &[]);
    let (requires_refused, _) = request(&[right], &[hub_2]);
    let (independent, ends) = request(&[left_1], &[held]);
    let left_2 = ends[0];
    let (requires_stored, _) = request(&[alone], &[left_2, held]);
    let (appends_to_required, _) = request(&[held], &[]);
    let requests = [
        stored,
        refused,
        builds_on_refused,
        requires_refused,
        independent,
        requires_stored,
        appends_to_required,
    ];
    let (_, answers) = join(
        first,
        join_all(requests.map(|request| store.append_across(request))),
    )
    .await;
    let is_stored: Vec<_> = answers.iter().map(Result::is_ok).collect();
    let expected = [true, false, false, false, true, true, true];
    assert_eq!(is_stored, expected, "{answers:?}");
    assert!(is_conflict(&answers[1], stale.log_id(), 1), "{answers:?}");
    for answer in &answers[2..4] {
        assert!(is_conflict(answer, hub.log_id(), 5), "{answers:?}");
    }
    assert_eq!(amounts(store, hub.log_id()).await, [0, 1, 2]);
    assert_eq!(amounts(store, left.log_id()).await, [0, 1, 2, 1, 2]);
    assert_eq!(amounts(store, right.log_id()).await, [0]);
    assert_eq!(amounts(store, alone.log_id()).await, [0, 1, 2]);
    assert_eq!(amounts(store, held.log_id()).await, [0, 1, 2]);
}

/// A write that is refused is not in the way of writes to the logs that it required, which were queued at the same time.
pub async fn a_refused_write_leaves_the_logs_that_it_required_to_others(store: &impl Store) {
    for _ in 0..5 {
        let stale = log_of(store, 1).await;
        append(store, stale, 1).await.expect("the state is current");
        let (one, other) = (log_of(store, 1).await, log_of(store, 2).await);
        // A write that is sent before the others are queued.
        let first = append_across(store, [(log_of(store, 1).await, [added(1)])]);
        let refused = append_across(store, appending(stale, 1, &[one, other]));
        let appends = join(append(store, one, 7), append(store, other, 7));
        let (_, (refused, appended)) = join(first, join(refused, appends)).await;
        assert!(is_conflict(&refused, stale.log_id(), 1), "{refused:?}");
        appended.0.expect("the state is current");
        appended.1.expect("the state is current");
        assert_eq!(amounts(store, one.log_id()).await, [0, 7]);
        assert_eq!(amounts(store, other.log_id()).await, [0, 1, 7]);
    }
}

/// A store that calls observers calls those of all parts, before the write is settled and when it is.
pub async fn the_observers_of_all_parts_are_called(store: &impl Store) {
    let (one, other) = (log_of(store, 1).await, log_of(store, 2).await);
    let required = log_of(store, 1).await;
    for succeeds in [true, false] {
        let watches: Vec<_> = (0..3).map(|_| Arc::new(Watch::default())).collect();
        let part = |log: LogPosition, events: Vec<CounterEvent>, place: usize| {
            let watch: Arc<Watch> = Arc::clone(&watches[place]);
            AppendPart::new(log.log_id(), Expected::After(log), events)
                .observe::<CounterEvent>(watch)
        };
        // In the second round the first log has moved.
        let appends = Appends::new()
            .with_part(part(one, vec![added(1)], 0))
            .with_part(part(required, vec![], 1))
            .with_part(part(other, vec![added(2), added(3)], 2));
        let answer = append_across(store, appends).await;
        assert_eq!(answer.is_ok(), succeeds, "{answer:?}");
        let heard: Vec<_> = watches.iter().map(|watch| watch.heard()).collect();
        if heard
            .iter()
            .all(|heard| heard.queued.is_empty() && heard.settled.is_empty())
        {
            // This store calls no observers.
            continue;
        }
        for (heard, (log, events)) in heard.iter().zip([(one, 1), (required, 0), (other, 2)]) {
            assert_eq!(heard.queued.len(), 1, "{heard:?}");
            assert_eq!(heard.settled.len(), 1, "{heard:?}");
            assert_eq!(heard.settled[0].is_some(), succeeds, "{heard:?}");
            let queued = &heard.queued[0];
            assert_eq!(queued.len(), events);
            if let (true, Some(recorded_at)) = (succeeds, heard.settled[0]) {
                let queued = queued.iter().cloned();
                let queued = queued.map(|record| record.with_recorded_at(recorded_at));
                let index = usize::try_from(log.index()).expect("small");
                let stored: Vec<RecordedEvent<_>> = all(store, log.log_id()).await;
                assert_eq!(queued.collect::<Vec<_>>(), stored[index + 1..]);
            }
        }
    }
}

/// The ends of logs are those that a read finds, in the order that was asked for.
pub async fn the_ends_of_logs_are_those_that_a_read_finds(store: &impl Store) {
    let (one, other) = (log_of(store, 1).await, log_of(store, 4).await);
    let missing = LogId::new();
    let ids = [other.log_id(), missing, one.log_id(), other.log_id()];
    let ends = store.ends(&ids).await.expect("the store can be read");
    assert_eq!(ends, [Some(other), None, Some(one), Some(other)]);
    let nothing = store.ends(&[]).await.expect("the store can be read");
    assert_eq!(nothing, []);
    let last = append(store, other, 4).await.expect("the state is current");
    let ends = store.ends(&[other.log_id()]).await;
    assert_eq!(ends.expect("the store can be read"), [Some(last.state)]);
    let many: Vec<_> = (0..300).map(|_| LogId::new()).chain(ids).collect();
    let ends = store.ends(&many).await.expect("the store can be read");
    assert_eq!(ends.len(), 304);
    assert!(ends[..300].iter().all(Option::is_none));
    assert_eq!(ends[302], Some(one));
    assert_eq!(store.store_id(), store.store_id());
}
