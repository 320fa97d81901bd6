//! Decisions on several logs.

use crate::payments::{Payment, PaymentEvent, captured, on_every_store, payments, refund};
use crate::postgres::TestStore;
use crate::sqlite_file::TemporaryStore;
use eventlogs::ids::LogId;
use eventlogs::stores::fake::FakeEventStore;
use eventlogs::stores::{InvalidAppend, StoreError};
use eventlogs::{
    Aggregate, AppendOptions, CreateOptions, DecideError, DecideOptions, Event, EventStore,
    IdempotencyScope, LogManager, LogManagerError, LogManagerOptions, MemoryAggregationCache,
    RequestFingerprint, SqliteEventStore, across, event_handler,
};
use futures_util::FutureExt;
use futures_util::future::join_all;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// The reason why a transfer is refused.
#[derive(Debug, PartialEq)]
struct TooLittle {
    there: u64,
}

/// Moves an amount from the first payment to the second.
fn moving(
    amount: u64,
) -> impl Fn(&Payment, &Payment) -> Result<([PaymentEvent; 1], [PaymentEvent; 1]), TooLittle> {
    move |from, _| {
        let there = from.outstanding();
        if there < amount {
            return Err(TooLittle { there });
        }
        Ok(([refund(amount)], [PaymentEvent::Captured { amount }]))
    }
}

fn keyed(key: &str) -> DecideOptions {
    DecideOptions {
        idempotency_key: Some(key.to_owned()),
        ..Default::default()
    }
}

fn nothing() -> [PaymentEvent; 0] {
    []
}

async fn outstanding(payments: &LogManager<Payment>, log_id: LogId) -> u64 {
    let reduced = payments.reduce(log_id).await.unwrap();
    reduced.aggregate().outstanding()
}

/// Two managers that know nothing of each other, as in two processes, on each store that several processes can open.
async fn two_processes() -> Vec<(&'static str, LogManager<Payment>, LogManager<Payment>, Keep)> {
    let fake = FakeEventStore::new();
    let file = TemporaryStore::open().await;
    let other = SqliteEventStore::open(file.path()).await.unwrap();
    let mut both = vec![
        (
            "fake",
            payments(fake.clone()),
            payments(fake),
            Keep::Nothing,
        ),
        (
            "sqlite",
            payments(file.store.clone()),
            payments(other),
            Keep::File(Box::new(file)),
        ),
    ];
    if let Some(server) = TestStore::new().await {
        let other = server.another().await;
        both.push((
            "postgres",
            payments(server.store.clone()),
            payments(other),
            Keep::Server(Box::new(server)),
        ));
    }
    both
}

/// What must live as long as the managers.
#[allow(dead_code, reason = "its contents are only dropped")]
enum Keep {
    Nothing,
    File(Box<TemporaryStore>),
    Server(Box<TestStore>),
}

#[tokio::test]
async fn a_transfer_is_written_to_both_logs_and_returns_both_states() {
    for (store, payments) in on_every_store().await {
        let (from, to) = (captured(&payments).await, captured(&payments).await);
        let moved = across(((&payments, from), (&payments, to)))
            .decide(&DecideOptions::default(), moving(30))
            .await
            .unwrap();
        assert!(!moved.is_replay(), "{store}");
        let (first, second) = moved.into_logs();
        assert_eq!(
            (
                first.aggregate().outstanding(),
                second.aggregate().outstanding()
            ),
            (70, 130),
            "{store}"
        );
        for (log, log_id) in [(first, from), (second, to)] {
            assert_eq!(log.log_id(), log_id, "{store}");
            assert_eq!(
                (log.first_index(), log.event_count()),
                (Some(2), 1),
                "{store}"
            );
            let reduced = payments.reduce(log_id).await.unwrap();
            assert_eq!(log.appended(), Some(reduced.position()), "{store}");
            assert_eq!(log.state(), Some(reduced.state()), "{store}");
            assert_eq!(log.aggregate(), reduced.aggregate(), "{store}");
            let log = log.aggregation().unwrap();
            assert_eq!(log.updated_at(), reduced.updated_at(), "{store}");
        }
    }
}

#[tokio::test]
async fn a_refusal_is_the_closures_own_error_and_writes_nothing() {
    for (store, payments) in on_every_store().await {
        let (from, to) = (captured(&payments).await, captured(&payments).await);
        let refused = across(((&payments, from), (&payments, to)))
            .decide(&DecideOptions::default(), moving(101))
            .await;
        let refused = refused.unwrap_err();
        assert!(
            matches!(refused, DecideError::Refused(TooLittle { there: 100 })),
            "{store}: {refused:?}"
        );
        for log_id in [from, to] {
            let reduced = payments.reduce(log_id).await.unwrap();
            assert_eq!(reduced.through_index(), 1, "{store}");
        }
    }
}

#[tokio::test]
async fn the_retry_of_a_transfer_that_went_through_is_a_replay_although_it_would_be_refused() {
    for (store, payments) in on_every_store().await {
        let (from, to) = (captured(&payments).await, captured(&payments).await);
        let transfer = || async {
            across(((&payments, from), (&payments, to)))
                .decide(&keyed("transfer"), moving(100))
                .await
        };
        assert!(!transfer().await.unwrap().is_replay(), "{store}");
        let retry = transfer().await.unwrap();
        assert!(retry.is_replay(), "{store}");
        assert_eq!(retry.replay().len(), 2, "{store}");
        let (first, second) = retry.logs();
        assert_eq!(
            (first.first_index(), second.first_index()),
            (Some(2), Some(2))
        );
        assert_eq!(second.aggregate().outstanding(), 200, "{store}");
        // Also if the closure has nothing to do, or would write.
        let retry = across(((&payments, from), (&payments, to)))
            .decide(&keyed("transfer"), |_, _| {
                Ok::<_, Infallible>((nothing(), nothing()))
            })
            .await;
        assert!(retry.unwrap().is_replay(), "{store}");
        let retry = across(((&payments, from), (&payments, to)))
            .decide(&keyed("transfer"), moving(0))
            .await;
        assert!(retry.unwrap().is_replay(), "{store}");
        assert_eq!(outstanding(&payments, to).await, 200, "{store}");
    }
}

#[tokio::test]
async fn a_key_of_other_logs_or_of_another_request_is_reused() {
    for (store, payments) in on_every_store().await {
        let (from, to, third) = (
            captured(&payments).await,
            captured(&payments).await,
            captured(&payments).await,
        );
        let fingerprinted = |bytes: &[u8]| DecideOptions {
            request_fingerprint: Some(RequestFingerprint::new(bytes)),
            ..keyed("transfer")
        };
        across(((&payments, from), (&payments, to)))
            .decide(&fingerprinted(b"10"), moving(10))
            .await
            .unwrap();
        let others = [
            across(((&payments, from), (&payments, third)))
                .decide(&keyed("transfer"), moving(10))
                .await,
            across(((&payments, from), (&payments, third)))
                .decide(&keyed("transfer"), moving(1_000))
                .await,
            across(((&payments, from), (&payments, to)))
                .decide(&fingerprinted(b"20"), moving(20))
                .await,
        ];
        for other in others {
            let error = other.unwrap_err();
            assert!(
                matches!(
                    error,
                    DecideError::Log(LogManagerError::IdempotencyKeyReused { .. })
                ),
                "{store}: {error:?}"
            );
        }
        // With a further log to look at, it is the same operation.
        let retry = across(((&payments, from), (&payments, to), (&payments, third)))
            .decide(&keyed("transfer"), |_, _, _| {
                Err::<([PaymentEvent; 0], [PaymentEvent; 0], [PaymentEvent; 0]), _>("no")
            })
            .await;
        assert!(retry.unwrap().is_replay(), "{store}");
    }
}

#[tokio::test]
async fn a_log_that_may_be_created_can_have_another_id_in_the_retry() {
    for (store, payments) in on_every_store().await {
        let from = captured(&payments).await;
        let open = || async {
            let fresh = payments.log(LogId::new()).create_if_missing();
            across((payments.log(from), fresh))
                .decide(&keyed("open"), moving(40))
                .await
                .unwrap()
        };
        let first = open().await;
        let retry = open().await;
        assert!(retry.is_replay(), "{store}");
        let created = first.logs().1.log_id();
        assert!(
            retry
                .replay()
                .iter()
                .any(|part| part.state.log_id() == created),
            "{store}"
        );
        assert_eq!(outstanding(&payments, from).await, 60, "{store}");
        assert_eq!(outstanding(&payments, created).await, 40, "{store}");
    }
}

#[tokio::test]
async fn a_log_that_is_only_looked_at_gets_no_event_but_must_not_have_moved() {
    for (store, here, elsewhere, _keep) in two_processes().await {
        let (written, looked_at) = (captured(&here).await, captured(&here).await);
        here.reduce(looked_at).await.unwrap();
        here.flush_cache().await;
        // Another process empties the log that is looked at, and the cache of this one does not know.
        elsewhere
            .decide(looked_at, DecideOptions::NONE, |_| {
                Ok::<_, ()>([refund(100)])
            })
            .await
            .unwrap();
        let mut seen = Vec::new();
        let decided = across(((&here, written), (&here, looked_at)))
            .decide(&DecideOptions::default(), |_, quota| {
                seen.push(quota.outstanding());
                if quota.outstanding() == 0 {
                    return Err("the quota is used up");
                }
                Ok(([PaymentEvent::Voided], nothing()))
            })
            .await;
        assert!(
            matches!(decided, Err(DecideError::Refused(_))),
            "{store}: {decided:?}"
        );
        assert_eq!(seen.last(), Some(&0), "{store}");
        let unwritten = here.reduce(written).await.unwrap();
        assert_eq!(unwritten.aggregate().voided, 0, "{store}");

        let decided = across(((&here, written), (&here, looked_at)))
            .decide(&DecideOptions::default(), |_, _| {
                Ok::<_, Infallible>(([PaymentEvent::Voided], nothing()))
            })
            .await
            .unwrap();
        let (first, second) = decided.logs();
        assert_eq!(
            (first.event_count(), second.event_count()),
            (1, 0),
            "{store}"
        );
        assert_eq!((second.first_index(), second.appended()), (None, None));
        assert_eq!(second.aggregation().unwrap().through_index(), 2, "{store}");
        assert_eq!(here.reduce(looked_at).await.unwrap().through_index(), 2);
    }
}

/// Two doctors of a ward are on call, and each may leave only while the other one stays.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_writers_that_look_at_each_others_log_only_one_wins() {
    for (store, here, elsewhere, _keep) in two_processes().await {
        for round in 0..25 {
            let (mine, yours) = (captured(&here).await, captured(&here).await);
            let leave = |payments: LogManager<Payment>, own: LogId, other: LogId| async move {
                let left = across(((&payments, own), (&payments, other)))
                    .decide(&DecideOptions::default(), |_, other| {
                        if other.voided > 0 {
                            return Err("the other one has left");
                        }
                        Ok(([PaymentEvent::Voided], nothing()))
                    })
                    .await;
                match left {
                    Ok(_) => 1,
                    Err(DecideError::Refused(_)) => 0,
                    Err(error) => panic!("{error:?}"),
                }
            };
            let left = join_all([
                tokio::spawn(leave(here.clone(), mine, yours)),
                tokio::spawn(leave(elsewhere.clone(), yours, mine)),
                tokio::spawn(leave(here.clone(), yours, mine)),
                tokio::spawn(leave(elsewhere.clone(), mine, yours)),
            ])
            .await;
            // Both calls of one doctor may succeed, so count the doctors.
            assert!(
                left.into_iter().map(Result::unwrap).sum::<u32>() > 0,
                "{store}"
            );
            let (mine, yours) = (here.reduce(mine).await, here.reduce(yours).await);
            let gone = [mine.unwrap(), yours.unwrap()];
            let gone = gone.iter().filter(|log| log.aggregate().voided > 0).count();
            assert_eq!(gone, 1, "{store}, round {round}: nobody is on call");
        }
    }
}

/// A name may be taken only if nobody has it: a log is created only while another one does not exist.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_log_that_must_be_missing_is_not_created_meanwhile() {
    for (store, here, elsewhere, _keep) in two_processes().await {
        for round in 0..25 {
            let (mine, yours) = (LogId::new(), LogId::new());
            let take = |payments: LogManager<Payment>, own: LogId, other: LogId| async move {
                let options = DecideOptions {
                    create_if_missing: true,
                    ..Default::default()
                };
                let taken = across(((&payments, own), (&payments, other)))
                    .decide(&options, |_, other| {
                        if other.requested > 0 {
                            return Err("taken");
                        }
                        Ok(([PaymentEvent::Requested { amount: 1 }], nothing()))
                    })
                    .await;
                match taken {
                    Ok(taken) => {
                        let (own, other) = taken.into_logs();
                        assert_eq!(own.event_count(), 1);
                        assert!(other.aggregation().is_none());
                        assert!(other.state().is_none());
                        1
                    }
                    Err(DecideError::Refused(_)) => 0,
                    Err(error) => panic!("{error:?}"),
                }
            };
            let taken = join_all([
                tokio::spawn(take(here.clone(), mine, yours)),
                tokio::spawn(take(elsewhere.clone(), yours, mine)),
            ])
            .await;
            let taken: u32 = taken.into_iter().map(Result::unwrap).sum();
            assert_eq!(taken, 1, "{store}, round {round}");
        }
    }
}

/// A token is always in exactly one of two logs. Two states read one after the other may show none, or two.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_refusal_rests_on_states_that_were_true_together() {
    for (store, here, elsewhere, _keep) in two_processes().await {
        let (left, right) = (captured(&here).await, captured(&here).await);
        here.decide(right, DecideOptions::NONE, |_| Ok::<_, ()>([refund(100)]))
            .await
            .unwrap();
        let mover = tokio::spawn(async move {
            for _ in 0..100 {
                let swapped = across(((&elsewhere, left), (&elsewhere, right)))
                    .decide(DecideOptions::NONE, |left, _| {
                        let (gone, come) = (refund(100), PaymentEvent::Captured { amount: 100 });
                        Ok::<_, Infallible>(if left.outstanding() > 0 {
                            ([gone], [come])
                        } else {
                            ([come], [gone])
                        })
                    })
                    .await;
                // It may lose against nobody: the others only look.
                swapped.unwrap();
            }
        });
        let mut calls = 0;
        while !mover.is_finished() || calls < 10 {
            calls += 1;
            let looked = across(((&here, left), (&here, right)))
                .decide(DecideOptions::NONE, |left, right| {
                    match left.outstanding() + right.outstanding() {
                        100 => Ok((nothing(), nothing())),
                        sum => Err(sum),
                    }
                })
                .await;
            match looked {
                Ok(looked) => {
                    let (left, right) = looked.into_logs();
                    let sum = left.aggregate().outstanding() + right.aggregate().outstanding();
                    assert_eq!(sum, 100, "{store}");
                }
                // The logs moved each time.
                Err(DecideError::Log(LogManagerError::ConcurrentAppend { .. })) => {}
                Err(error) => panic!("{store}: {error:?}"),
            }
        }
        mover.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn decisions_that_take_the_same_logs_in_any_order_all_end_and_the_sum_stays() {
    for (store, payments) in on_every_store().await {
        let mut logs = Vec::new();
        for _ in 0..5 {
            logs.push(captured(&payments).await);
        }
        let calls = Arc::new(AtomicU32::new(0));
        let tasks = (0..40_usize).map(|task| {
            let (payments, logs, calls) = (payments.clone(), logs.clone(), Arc::clone(&calls));
            tokio::spawn(async move {
                for nth in 0..5 {
                    let from = logs[(task * 7 + nth) % 5];
                    let to = logs[(task * 7 + nth * 3 + 1 + task % 4) % 5];
                    if from == to {
                        continue;
                    }
                    let moved = across(((&payments, from), (&payments, to)))
                        .decide(DecideOptions::NONE, |from: &Payment, to: &Payment| {
                            calls.fetch_add(1, Ordering::Relaxed);
                            moving(7)(from, to)
                        })
                        .await;
                    match moved {
                        Ok(_) | Err(DecideError::Refused(_)) => {}
                        Err(error) => panic!("{error:?}"),
                    }
                    // Decisions on one log take turns with them.
                    payments
                        .decide(from, DecideOptions::NONE, |_| {
                            Ok::<_, ()>([PaymentEvent::Requested { amount: 1 }])
                        })
                        .await
                        .unwrap();
                }
            })
        });
        for task in join_all(tasks).await {
            task.unwrap();
        }
        let (mut sum, mut requested) = (0, 0);
        for log_id in logs {
            // From the start, by another manager: the cache must not hide anything.
            let reduced = payments.reduce_at(log_id, eventlogs::PointInTime::Index(u64::MAX));
            let reduced = reduced.await.unwrap();
            sum += reduced.aggregate().outstanding();
            requested += reduced.aggregate().requested;
            let cached = payments.reduce(log_id).await.unwrap();
            assert_eq!(cached.aggregate(), reduced.aggregate(), "{store}");
            assert_eq!(cached.updated_at(), reduced.updated_at(), "{store}");
        }
        assert_eq!(sum, 500, "{store}");
        assert!(requested > 500, "{store}");
    }
}

#[tokio::test]
async fn what_does_not_fit_together_is_refused_before_the_closure_runs() {
    for (store, payments) in on_every_store().await {
        let other = crate::payments::payments(FakeEventStore::new());
        let (from, to) = (captured(&payments).await, captured(&other).await);
        let calls = AtomicU32::new(0);
        let decide = |_: &Payment, _: &Payment| {
            calls.fetch_add(1, Ordering::Relaxed);
            Ok::<_, Infallible>(([PaymentEvent::Voided], [PaymentEvent::Voided]))
        };
        let scoped = DecideOptions {
            idempotency_scope: IdempotencyScope::Log,
            ..keyed("a key")
        };
        let second = captured(&payments).await;
        let errors = [
            across(((&payments, from), (&other, to)))
                .decide(DecideOptions::NONE, decide)
                .await,
            across(((&payments, from), (&payments, from)))
                .decide(DecideOptions::NONE, decide)
                .await,
            across(((&payments, from), (&payments, second)))
                .decide(&scoped, decide)
                .await,
            across(((&payments, from), (&payments, second)))
                .decide(&keyed(""), decide)
                .await,
        ];
        let errors = errors.map(|error| match error {
            Err(DecideError::Log(LogManagerError::Invalid(error))) => error,
            other => panic!("{store}: {other:?}"),
        });
        assert_eq!(
            errors,
            [
                InvalidAppend::OtherStore { log_id: to },
                InvalidAppend::LogTwice { log_id: from },
                InvalidAppend::KeyOfOneLog,
                InvalidAppend::IdempotencyKey { bytes: 0 },
            ],
            "{store}"
        );
        assert_eq!(calls.load(Ordering::Relaxed), 0, "{store}");
    }
}

#[tokio::test]
async fn a_log_that_is_missing_is_an_error_unless_it_may_be_created() {
    for (store, payments) in on_every_store().await {
        let (from, missing) = (captured(&payments).await, LogId::new());
        let decided = across(((&payments, from), (&payments, missing)))
            .decide(DecideOptions::NONE, moving(1))
            .await;
        let error = decided.unwrap_err();
        assert!(
            matches!(error, DecideError::Log(LogManagerError::LogNotFound { log_id, .. }) if log_id == missing),
            "{store}: {error:?}"
        );
        let decided = across((
            payments.log(from),
            payments.log(missing).create_if_missing(),
        ))
        .decide(DecideOptions::NONE, moving(1))
        .await
        .unwrap();
        let (_, created) = decided.logs();
        assert_eq!((created.first_index(), created.event_count()), (Some(0), 1));
        assert_eq!(outstanding(&payments, missing).await, 1, "{store}");
    }
}

#[tokio::test]
async fn a_decision_to_do_nothing_writes_nothing_and_returns_the_states() {
    for (store, payments) in on_every_store().await {
        let (from, to) = (captured(&payments).await, captured(&payments).await);
        let decided = across(((&payments, from), (&payments, to)))
            .decide(&keyed("nothing"), |_, _| {
                Ok::<_, Infallible>((nothing(), nothing()))
            })
            .await
            .unwrap();
        assert!(!decided.is_replay(), "{store}");
        assert_eq!(decided.logs().1.aggregation().unwrap().through_index(), 1);
        // The key was not used up, because nothing was written.
        let decided = across(((&payments, from), (&payments, to)))
            .decide(&keyed("nothing"), moving(1))
            .await;
        assert!(!decided.unwrap().is_replay(), "{store}");
    }
}

#[tokio::test]
async fn each_of_any_number_of_logs_is_decided_on() {
    for (store, payments) in on_every_store().await {
        let mut logs = Vec::new();
        for _ in 0..9 {
            logs.push(captured(&payments).await);
        }
        // The odd ones pay for the even ones.
        let decided = payments
            .decide_each(&logs, &keyed("each"), |all| {
                let payments = all.iter().zip(0_u64..);
                Ok::<_, Infallible>(
                    payments
                        .map(|(payment, nth)| match nth {
                            8 => Vec::new(),
                            nth if nth % 2 == 1 => vec![refund(payment.outstanding())],
                            _ => vec![PaymentEvent::Captured { amount: 50 }; 2],
                        })
                        .collect::<Vec<_>>(),
                )
            })
            .await
            .unwrap();
        let outstanding = decided.logs().iter();
        let outstanding: Vec<_> = outstanding
            .map(|log| log.aggregate().outstanding())
            .collect();
        assert_eq!(
            outstanding,
            [200, 0, 200, 0, 200, 0, 200, 0, 100],
            "{store}"
        );
        let retry = payments
            .decide_each(&logs, &keyed("each"), |_| {
                Err::<Vec<[PaymentEvent; 0]>, _>("no")
            })
            .await;
        assert!(retry.unwrap().is_replay(), "{store}");
        for (log_id, outstanding) in logs.iter().zip(outstanding) {
            assert_eq!(
                self::outstanding(&payments, *log_id).await,
                outstanding,
                "{store}"
            );
        }
        let too_few = payments
            .decide_each(&logs, DecideOptions::NONE, |_| {
                Ok::<_, Infallible>([nothing()])
            })
            .await;
        assert!(
            matches!(
                too_few,
                Err(DecideError::Log(LogManagerError::Invalid(
                    InvalidAppend::EventLists { logs: 9, lists: 1 }
                )))
            ),
            "{store}: {too_few:?}"
        );
        let none = payments
            .decide_each([] as [LogId; 0], DecideOptions::NONE, |_| {
                Ok::<_, Infallible>(Vec::<[PaymentEvent; 0]>::new())
            })
            .await;
        assert!(
            matches!(
                none,
                Err(DecideError::Log(LogManagerError::Invalid(
                    InvalidAppend::NoLogs
                )))
            ),
            "{store}: {none:?}"
        );
    }
}

#[tokio::test]
async fn a_closure_that_panics_writes_nothing_and_keeps_no_turn() {
    for (store, payments) in on_every_store().await {
        let (from, to) = (captured(&payments).await, captured(&payments).await);
        let panicking = across(((&payments, from), (&payments, to))).decide(
            DecideOptions::NONE,
            |_, _| -> Result<([PaymentEvent; 0], [PaymentEvent; 0]), ()> { panic!("a bug") },
        );
        let caught = std::panic::AssertUnwindSafe(panicking).catch_unwind().await;
        assert!(caught.is_err(), "{store}");
        let moved = across(((&payments, to), (&payments, from)))
            .decide(DecideOptions::NONE, moving(5))
            .await;
        assert_eq!(
            moved.unwrap().logs().0.aggregate().outstanding(),
            95,
            "{store}"
        );
    }
}

#[tokio::test]
async fn a_call_after_its_deadline_decides_nothing() {
    for (store, payments) in on_every_store().await {
        let (from, to) = (captured(&payments).await, captured(&payments).await);
        let options = DecideOptions {
            deadline: Some(
                Instant::now()
                    .checked_sub(Duration::from_millis(1))
                    .unwrap(),
            ),
            ..Default::default()
        };
        let late = across(((&payments, from), (&payments, to)))
            .decide(&options, moving(5))
            .await;
        assert!(
            matches!(
                late,
                Err(DecideError::Log(LogManagerError::Store(
                    StoreError::DeadlineExceeded
                )))
            ),
            "{store}: {late:?}"
        );
        assert_eq!(outstanding(&payments, from).await, 100, "{store}");
    }
}

#[tokio::test]
async fn a_call_that_is_dropped_while_it_waits_keeps_no_turn() {
    for (store, payments) in on_every_store().await {
        let (from, to) = (captured(&payments).await, captured(&payments).await);
        for polls in 0..6 {
            let moved =
                across(((&payments, from), (&payments, to))).decide(DecideOptions::NONE, moving(1));
            let mut moved = Box::pin(moved);
            for _ in 0..polls {
                if (&mut moved).now_or_never().is_some() {
                    break;
                }
                tokio::task::yield_now().await;
            }
            drop(moved);
            let next = across(((&payments, to), (&payments, from)))
                .decide(DecideOptions::NONE, moving(1))
                .await
                .unwrap();
            let (to, from) = next.into_logs();
            let sum = to.aggregate().outstanding() + from.aggregate().outstanding();
            assert_eq!(sum, 200, "{store}, {polls} polls");
        }
    }
}

/// A decision joins the writes of two logs, on which it builds, and turns out to be a replay. The writes are stored without it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_a_replay_has_joined_is_stored_without_it() {
    for (store, payments) in on_every_store().await {
        let busy = captured(&payments).await;
        for round in 0..30 {
            let (left, right) = (captured(&payments).await, captured(&payments).await);
            let options = keyed(&format!("round {round}"));
            let transfer =
                || across(((&payments, left), (&payments, right))).decide(&options, moving(1));
            transfer().await.unwrap();
            let one = |log_id| {
                payments.decide(log_id, DecideOptions::NONE, |_| {
                    Ok::<_, Infallible>([PaymentEvent::Requested { amount: 1 }])
                })
            };
            // The first writes keep the store busy, so that the others go together.
            let others = join_all((0..6).map(|_| one(busy)));
            let (others, first, second, replay) =
                tokio::join!(others, one(left), one(right), transfer());
            for written in others.into_iter().chain([first, second]) {
                written.unwrap();
            }
            assert!(replay.unwrap().is_replay(), "{store}");
            for log_id in [left, right] {
                let stored = payments.load(log_id, 0, 10).await.unwrap();
                assert_eq!(stored.len(), 4, "{store}, round {round}");
            }
        }
    }
}

/// The events of a course.
#[derive(Debug, Clone, PartialEq, Event)]
enum CourseEvent {
    /// The number of seats was set.
    #[event(name = "course.sized")]
    Sized {
        /// The seats.
        seats: u64,
    },
    /// A student was booked.
    #[event(name = "course.booked")]
    Booked,
}

/// The state of a course.
#[derive(Debug, Default, Clone, PartialEq, Aggregate)]
#[aggregate(event = CourseEvent)]
struct Course {
    seats: u64,
    booked: u64,
}

#[event_handler(CourseEvent)]
impl Course {
    #[on(Sized)]
    fn size(&mut self, seats: u64) {
        self.seats += seats;
    }

    #[on(Booked)]
    fn book(&mut self) {
        self.booked += 1;
    }
}

fn courses(store: impl EventStore<CourseEvent>) -> LogManager<Course> {
    LogManager::new(
        store,
        MemoryAggregationCache::default(),
        LogManagerOptions::default(),
    )
}

/// Two aggregates, and a future that can be spawned.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn logs_of_two_enums_are_decided_on_together() {
    let file = TemporaryStore::open().await;
    let server = TestStore::new().await;
    let mut stores = vec![(courses(file.store.clone()), payments(file.store.clone()))];
    if let Some(server) = &server {
        stores.push((
            courses(server.store.clone()),
            payments(server.store.clone()),
        ));
    }
    for (courses, payments) in stores {
        let course = LogId::new();
        courses
            .create(
                course,
                &CourseEvent::Sized { seats: 3 },
                CreateOptions::NONE,
            )
            .await
            .unwrap();
        let bookings = (0..20).map(|_| {
            let (courses, payments) = (courses.clone(), payments.clone());
            tokio::spawn(async move {
                let payment = captured(&payments).await;
                let booked = across(((&courses, course), (&payments, payment)))
                    .decide(&DecideOptions::default(), |course, payment| {
                        if course.booked == course.seats || payment.outstanding() < 100 {
                            return Err("full");
                        }
                        Ok((vec![CourseEvent::Booked], Some(refund(100))))
                    })
                    .await;
                match booked {
                    Ok(booked) => {
                        assert_eq!(booked.logs().1.aggregate().outstanding(), 0);
                        1
                    }
                    Err(DecideError::Refused("full")) => 0,
                    Err(error) => panic!("{error:?}"),
                }
            })
        });
        let booked = join_all(bookings).await.into_iter();
        assert_eq!(booked.map(Result::unwrap).sum::<u32>(), 3);
        assert_eq!(courses.reduce(course).await.unwrap().aggregate().booked, 3);

        // An id of the other kind is found out, also if the log is only looked at.
        let other = captured(&payments).await;
        let wrong = across(((&courses, course), (&courses, other)))
            .decide(DecideOptions::NONE, |_, _| {
                Ok::<_, Infallible>(([CourseEvent::Booked], Vec::<CourseEvent>::new()))
            })
            .await;
        assert!(
            matches!(wrong, Err(DecideError::Log(LogManagerError::WrongKind { log_id, .. })) if log_id == other),
            "{wrong:?}"
        );
    }
}

/// Decisions build on each other while they are in flight, also if they have only one log in common.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn decisions_in_a_chain_are_exact() {
    for (store, payments) in on_every_store().await {
        let mut logs = Vec::new();
        for _ in 0..6 {
            logs.push(captured(&payments).await);
        }
        let tasks = (0..60_usize).map(|task| {
            let (payments, logs) = (payments.clone(), logs.clone());
            tokio::spawn(async move {
                let (from, to) = (logs[task % 6], logs[(task + 1) % 6]);
                let third = logs[(task + 3) % 6];
                let moved = across(((&payments, from), (&payments, to), (&payments, third)))
                    .decide(DecideOptions::NONE, |_, _, _| {
                        let one = PaymentEvent::Requested { amount: 1 };
                        Ok::<_, Infallible>(([one.clone()], [one], nothing()))
                    })
                    .await
                    .unwrap();
                let (from, to, third) = moved.into_logs();
                (from.appended(), to.appended(), third.event_count())
            })
        });
        let mut appended = Vec::new();
        for task in join_all(tasks).await {
            let (from, to, looked_at) = task.unwrap();
            assert_eq!(looked_at, 0, "{store}");
            appended.extend([from.unwrap(), to.unwrap()]);
        }
        // No two decisions have got the same place.
        let places: std::collections::HashSet<_> = appended
            .iter()
            .map(|at| (at.log_id(), at.index()))
            .collect();
        assert_eq!(places.len(), 120, "{store}");
        for log_id in logs {
            let reduced = payments.reduce(log_id).await.unwrap();
            assert_eq!(reduced.aggregate().requested, 100 + 20, "{store}");
            assert_eq!(reduced.through_index(), 21, "{store}");
        }
    }
}

/// A write by the caller between two decisions is seen by the second, although both share the cache.
#[tokio::test]
async fn the_caches_of_all_logs_are_brought_forward() {
    for (store, payments) in on_every_store().await {
        let (from, to) = (captured(&payments).await, captured(&payments).await);
        for round in 1..=3 {
            across(((&payments, from), (&payments, to)))
                .decide(DecideOptions::NONE, moving(10))
                .await
                .unwrap();
            payments.flush_cache().await;
            for log_id in [from, to] {
                let reduced = payments.reduce(log_id).await.unwrap();
                assert_eq!(reduced.applied_events(), 0, "{store}, round {round}");
            }
        }
        let state = payments.reduce(to).await.unwrap().state();
        payments
            .append(
                state,
                &PaymentEvent::Captured { amount: 1 },
                AppendOptions::NONE,
            )
            .await
            .unwrap();
        let moved = across(((&payments, to), (&payments, from)))
            .decide(DecideOptions::NONE, moving(131))
            .await
            .unwrap();
        assert_eq!(moved.logs().0.aggregate().outstanding(), 0, "{store}");
    }
}
