//! Reduce, decide, append and retry in one call.

use crate::payments::{Payment, PaymentEvent, captured, on_every_store, payments, refund};
use eventlogs::ids::LogId;
use eventlogs::stores::fake::FakeEventStore;
use eventlogs::{AppendOptions, DecideError, DecideOptions, ErrorKind, LogManagerError, LogState};
use futures_util::future::join_all;
use std::sync::atomic::{AtomicU32, Ordering};

/// The reason why a refund is refused.
#[derive(Debug, PartialEq)]
struct TooMuch {
    outstanding: u64,
}

fn refunding(amount: u64) -> impl Fn(&Payment) -> Result<Vec<PaymentEvent>, TooMuch> {
    move |payment| {
        if payment.outstanding() < amount {
            return Err(TooMuch {
                outstanding: payment.outstanding(),
            });
        }
        Ok(vec![refund(amount)])
    }
}

fn keyed(key: &str) -> DecideOptions {
    DecideOptions {
        idempotency_key: Some(key.to_owned()),
        ..Default::default()
    }
}

#[tokio::test]
async fn a_decision_is_recorded_and_its_state_returned() {
    for (store, payments) in on_every_store().await {
        let log_id = captured(&payments).await;
        let decided = payments
            .decide(&log_id, &DecideOptions::default(), refunding(30))
            .await
            .unwrap();
        assert!(!decided.is_replay(), "{store}");
        assert_eq!(
            (
                decided.aggregation().through_index(),
                decided.aggregation().aggregate().outstanding()
            ),
            (2, 70),
            "{store}"
        );
        let reduced = payments.reduce(&log_id).await.unwrap();
        assert_eq!(
            reduced.aggregate(),
            decided.aggregation().aggregate(),
            "{store}"
        );
        assert_eq!(reduced.state(), decided.aggregation().state(), "{store}");
    }
}

#[tokio::test]
async fn a_refusal_is_the_closures_own_error_and_writes_nothing() {
    for (store, payments) in on_every_store().await {
        let log_id = captured(&payments).await;
        let refused = payments
            .decide(&log_id, &DecideOptions::default(), refunding(101))
            .await;
        assert!(
            matches!(
                refused,
                Err(DecideError::Refused(TooMuch { outstanding: 100 }))
            ),
            "{store}: {refused:?}"
        );
        assert_eq!(
            payments.reduce(&log_id).await.unwrap().through_index(),
            1,
            "{store}"
        );
    }
}

#[tokio::test]
async fn a_decision_to_do_nothing_writes_nothing() {
    for (store, payments) in on_every_store().await {
        let log_id = captured(&payments).await;
        let decided = payments
            .decide(&log_id, &keyed("nothing"), |_| Ok::<_, ()>([]))
            .await
            .unwrap();
        assert_eq!(decided.aggregation().through_index(), 1, "{store}");
        // The key was not used up, because nothing was written.
        let decided = payments
            .decide(&log_id, &keyed("nothing"), refunding(5))
            .await
            .unwrap();
        assert!(!decided.is_replay(), "{store}");
    }
}

#[tokio::test]
async fn neither_refusals_nor_doing_nothing_are_decided_on_a_stale_cache() {
    // Another process with a cache of its own captures more than this one has read.
    let store = FakeEventStore::new();
    let (ours, theirs) = (payments(store.clone()), payments(store));
    let log_id = captured(&ours).await;
    ours.reduce(&log_id).await.unwrap();
    ours.flush_cache().await;
    theirs
        .append(
            LogState::at(log_id, 1),
            &PaymentEvent::Captured { amount: 900 },
            &AppendOptions::default(),
        )
        .await
        .unwrap();
    let decided = ours
        .decide(&log_id, &DecideOptions::default(), refunding(500))
        .await
        .unwrap();
    assert_eq!(decided.aggregation().aggregate().outstanding(), 500);

    ours.flush_cache().await;
    theirs
        .append(
            LogState::at(log_id, 3),
            &PaymentEvent::Captured { amount: 1 },
            &AppendOptions::default(),
        )
        .await
        .unwrap();
    let only_if_1001 =
        |payment: &Payment| Ok::<_, ()>((payment.captured == 1001).then_some(PaymentEvent::Voided));
    let decided = ours
        .decide(&log_id, &DecideOptions::default(), only_if_1001)
        .await
        .unwrap();
    assert_eq!(decided.aggregation().aggregate().voided, 1);
}

#[tokio::test]
async fn the_retry_of_a_refund_that_went_through_is_a_replay_not_too_much() {
    for (store, payments) in on_every_store().await {
        let log_id = captured(&payments).await;
        let first = payments
            .decide(&log_id, &keyed("refund-1"), refunding(100))
            .await
            .unwrap();
        assert_eq!(first.aggregation().aggregate().outstanding(), 0);
        payments
            .append(
                first.aggregation().state(),
                &PaymentEvent::Voided,
                &AppendOptions::default(),
            )
            .await
            .unwrap();
        for _ in 0..2 {
            payments.flush_cache().await;
            let retry = payments
                .decide(&log_id, &keyed("refund-1"), refunding(100))
                .await
                .unwrap();
            let replay = retry.replay().expect("the key was used before");
            assert_eq!((replay.first_index, replay.event_count), (2, 1), "{store}");
            assert_eq!(
                retry.aggregation().through_index(),
                3,
                "{store}: a replay returns the current state"
            );
        }
        // Also if the retry would have been allowed.
        let small = payments
            .decide(&log_id, &keyed("refund-1"), |_| {
                Ok::<_, ()>([PaymentEvent::Voided])
            })
            .await
            .unwrap();
        assert!(small.is_replay(), "{store}");
        // Also if the same key decides on another log.
        let other = captured(&payments).await;
        let reused = payments
            .decide(&other, &keyed("refund-1"), refunding(1))
            .await;
        assert!(
            matches!(
                reused,
                Err(DecideError::Log(
                    LogManagerError::IdempotencyKeyReused { .. }
                ))
            ),
            "{store}: {reused:?}"
        );
        let reused = payments
            .decide(&other, &keyed("refund-1"), refunding(1_000))
            .await;
        assert!(
            matches!(
                reused,
                Err(DecideError::Log(
                    LogManagerError::IdempotencyKeyReused { .. }
                ))
            ),
            "{store}: {reused:?}"
        );
    }
}

#[tokio::test]
async fn deciders_that_race_never_overdraw() {
    for (store, payments) in on_every_store().await {
        let log_id = captured(&payments).await;
        let options = DecideOptions {
            max_attempts: 1_000,
            ..Default::default()
        };
        let tasks = (0..30).map(|_| payments.decide(&log_id, &options, refunding(7)));
        let outcomes = join_all(tasks).await;
        let refunds = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        assert_eq!(refunds, 14, "{store}: 14 refunds of 7 fit into 100");
        for refused in outcomes.into_iter().filter_map(Result::err) {
            assert!(
                matches!(refused, DecideError::Refused(TooMuch { outstanding: 2 })),
                "{store}: {refused:?}"
            );
        }
        assert_eq!(
            payments
                .reduce(&log_id)
                .await
                .unwrap()
                .aggregate()
                .outstanding(),
            2,
            "{store}"
        );
    }
}

#[tokio::test]
async fn attempts_are_bounded() {
    let payments = payments(FakeEventStore::new());
    let log_id = captured(&payments).await;
    let asked = AtomicU32::new(0);
    let options = DecideOptions {
        max_attempts: 3,
        ..Default::default()
    };
    // Each time the decision runs, another writer has just appended.
    let spoiler = payments.clone();
    let outcome = payments
        .decide(&log_id, &options, |_| {
            asked.fetch_add(1, Ordering::SeqCst);
            let spoil = async {
                let state = spoiler.reduce(&log_id).await?;
                spoiler
                    .append(state, &refund(1), &AppendOptions::default())
                    .await
            };
            futures_util::FutureExt::now_or_never(spoil)
                .expect("the fake store never waits")
                .expect("the state is current");
            Ok::<_, ()>([PaymentEvent::Voided])
        })
        .await;
    assert!(
        matches!(
            outcome,
            Err(DecideError::Log(LogManagerError::ConcurrentAppend { .. }))
        ),
        "{outcome:?}"
    );
    let error = outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(
        error.is_retryable(),
        "the next call begins with the newest state"
    );
    assert_eq!(asked.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_decision_can_start_a_log() {
    for (store, payments) in on_every_store().await {
        let log_id = LogId::new();
        let request = |payment: &Payment| {
            if payment.requested > 0 {
                Err("already requested")
            } else {
                Ok([PaymentEvent::Requested { amount: 5 }])
            }
        };
        let missing = payments
            .decide(&log_id, &DecideOptions::default(), request)
            .await;
        assert!(
            matches!(
                missing,
                Err(DecideError::Log(LogManagerError::LogNotFound { .. }))
            ),
            "{store}: {missing:?}"
        );

        let options = DecideOptions {
            create_if_missing: true,
            ..Default::default()
        };
        let nothing = payments
            .decide(&log_id, &options, |_| Ok::<_, ()>([]))
            .await;
        assert!(
            matches!(
                nothing,
                Err(DecideError::Log(LogManagerError::LogNotFound { .. }))
            ),
            "{store}: {nothing:?}"
        );
        let created = payments.decide(&log_id, &options, request).await.unwrap();
        assert_eq!(
            (
                created.aggregation().through_index(),
                created.aggregation().aggregate().requested
            ),
            (0, 5),
            "{store}"
        );
        let again = payments.decide(&log_id, &options, request).await;
        assert!(
            matches!(again, Err(DecideError::Refused("already requested"))),
            "{store}: {again:?}"
        );

        let racers = join_all((0..8).map(|_| async {
            let log_id = LogId::derived("race", store);
            payments.decide(&log_id, &options, request).await
        }))
        .await;
        assert_eq!(
            racers.iter().filter(|racer| racer.is_ok()).count(),
            1,
            "{store}: {racers:?}"
        );
    }
}

#[tokio::test]
async fn a_closure_may_hold_what_cannot_be_sent() {
    let payments = payments(FakeEventStore::new());
    let log_id = captured(&payments).await;
    let asked = std::rc::Rc::new(std::cell::Cell::new(0));
    let counting = std::rc::Rc::clone(&asked);
    payments
        .decide(&log_id, &DecideOptions::default(), move |_| {
            counting.set(counting.get() + 1);
            Ok::<_, std::rc::Rc<()>>([refund(1)])
        })
        .await
        .unwrap();
    assert_eq!(asked.get(), 1);
}
