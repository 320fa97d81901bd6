//! Decisions on writes in flight: no caller gets, and no cache keeps, a state that is not committed.

use crate::gated::{Gated, stored};
use crate::payments::{Payment, PaymentEvent, cached_payments, captured, payments, refund};
use chrono::{DateTime, Utc};
use eventlogs::caches::CacheError;
use eventlogs::ids::LogId;
use eventlogs::stores::StoreError;
use eventlogs::{
    Aggregate, Aggregation, AggregationCache, AppendOptions, DecideError, DecideOptions, Decided,
    EventRecord, LogManager, LogManagerError, LogPosition, LogState, MemoryAggregationCache,
};
use futures_util::future::{join, join_all, join3};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

/// A decision that has been polled once.
type Deciding<'a, R> =
    Pin<Box<dyn Future<Output = Result<Decided<Payment>, DecideError<R>>> + Send + 'a>>;

/// Polls a decision until it waits.
async fn started<R>(mut deciding: Deciding<'_, R>) -> Deciding<'_, R> {
    assert!(!is_answered(&mut deciding).await, "the gate is closed");
    deciding
}

async fn is_answered<R>(deciding: &mut Deciding<'_, R>) -> bool {
    for _ in 0..20 {
        let polled = poll_fn(|context| Poll::Ready(deciding.as_mut().poll(context))).await;
        if polled.is_ready() {
            return true;
        }
        tokio::task::yield_now().await;
    }
    false
}

fn refunding<'a>(
    payments: &'a LogManager<Payment>,
    log_id: &'a LogId,
    options: &'a DecideOptions,
    amount: u64,
) -> Deciding<'a, u64> {
    Box::pin(payments.decide(log_id, options, move |payment: &Payment| {
        if payment.outstanding() < amount {
            return Err(payment.outstanding());
        }
        Ok([refund(amount)])
    }))
}

/// Creates a payment that a decision finds in the cache, so that it needs no read.
async fn cached(payments: &LogManager<Payment>) -> LogId {
    let log_id = captured(payments).await;
    payments.reduce(&log_id).await.unwrap();
    payments.flush_cache().await;
    log_id
}

#[tokio::test]
async fn a_refusal_waits_for_the_commit_of_what_it_was_decided_on() {
    let store = Gated::new();
    let payments = payments(store.clone());
    let log_id = cached(&payments).await;
    let options = DecideOptions::default();
    store.close();
    let first = started(refunding(&payments, &log_id, &options, 100)).await;
    let refused = started(refunding(&payments, &log_id, &options, 1)).await;
    let nothing: Deciding<'_, ()> = Box::pin(payments.decide(&log_id, &options, |payment| {
        Ok((payment.outstanding() > 0).then(|| refund(1)))
    }));
    let nothing = started(nothing).await;
    assert_eq!(stored(&store, log_id).await.len(), 2);
    store.open();
    let (first, refused, nothing) = join3(first, refused, nothing).await;
    assert!(
        matches!(refused, Err(DecideError::Refused(0))),
        "{refused:?}"
    );
    let nothing = nothing.unwrap().into_aggregation();
    let first = first.unwrap().into_aggregation();
    let last = stored(&store, log_id).await[2].clone();
    for aggregation in [nothing, first] {
        assert_eq!(aggregation.state(), last.state());
        assert_eq!(aggregation.aggregate().outstanding(), 0);
        assert_eq!(aggregation.updated_at(), last.recorded_at());
    }
}

#[tokio::test]
async fn a_refusal_on_what_is_never_committed_is_decided_anew() {
    for dropped in [false, true] {
        let store = Gated::new();
        let payments = payments(store.clone());
        let log_id = cached(&payments).await;
        let options = DecideOptions::default();
        store.close();
        let first = started(refunding(&payments, &log_id, &options, 100)).await;
        let second = started(refunding(&payments, &log_id, &options, 60)).await;
        let third = started(refunding(&payments, &log_id, &options, 60)).await;
        if dropped {
            drop(first);
            store.open();
        } else {
            store.fail_next(1);
            store.open();
            let failed = first.await;
            assert!(
                matches!(
                    failed,
                    Err(DecideError::Log(LogManagerError::Store(
                        StoreError::Overloaded
                    )))
                ),
                "{failed:?}"
            );
        }
        // The first would have left nothing for the other two; without it, one of them gets the rest.
        let (second, third) = join(second, third).await;
        let answers = [second, third];
        let refused = answers
            .iter()
            .filter(|answer| matches!(answer, Err(DecideError::Refused(40))));
        assert_eq!(refused.count(), 1, "{answers:?}");
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
        assert_eq!(stored(&store, log_id).await.len(), 3);
    }
}

#[tokio::test]
async fn a_decision_on_one_whose_answer_was_lost_has_the_times_of_the_store() {
    let store = Gated::new();
    let payments = payments(store.clone());
    let log_id = LogId::new();
    let options = DecideOptions {
        create_if_missing: true,
        ..Default::default()
    };
    let requesting = || -> Deciding<'_, ()> {
        Box::pin(payments.decide(&log_id, &options, |_: &Payment| {
            Ok([PaymentEvent::Requested { amount: 5 }])
        }))
    };
    store.close();
    // The first one creates the log.
    let (first, second) = (started(requesting()).await, started(requesting()).await);
    store.forget_next(1);
    store.open();
    let (first, second) = join(first, second).await;
    assert!(first.is_err(), "{first:?}");
    let second = second.unwrap().into_aggregation();
    payments.flush_cache().await;
    let records = stored(&store, log_id).await;
    for aggregation in [second, payments.reduce(&log_id).await.unwrap()] {
        assert_eq!(aggregation.aggregate().requested, 10);
        assert_eq!(aggregation.created_at(), records[0].recorded_at());
        assert_eq!(aggregation.updated_at(), records[1].recorded_at());
    }
}

#[tokio::test]
async fn decisions_on_one_that_is_dropped_or_fails_are_made_again_and_succeed() {
    for dropped in [false, true] {
        for place in [0, 3, 9] {
            let store = Gated::new();
            let payments = payments(store.clone());
            let log_id = cached(&payments).await;
            // One attempt is enough: the failure of an earlier write is not a failed attempt.
            let options = DecideOptions {
                max_attempts: 1,
                ..Default::default()
            };
            let mut deciding = Vec::new();
            store.close();
            for amount in 1..=10 {
                deciding.push(started(refunding(&payments, &log_id, &options, amount)).await);
            }
            let amount = u64::try_from(place).unwrap() + 1;
            let answers = if dropped {
                drop(deciding.remove(place));
                store.open();
                join_all(deciding).await
            } else if place == 0 {
                store.fail_next(1);
                store.open();
                let mut answers = join_all(deciding).await;
                let failed = answers.remove(0);
                assert!(failed.is_err(), "{failed:?}");
                answers
            } else {
                continue;
            };
            for answer in answers {
                answer.expect("only the write that it builds on failed");
            }
            let payment = payments.reduce(&log_id).await.unwrap();
            assert_eq!(payment.aggregate().refunded, 55 - amount);
            assert_eq!(payment.through_index(), 1 + 9);
        }
    }
}

/// An append by another process overtakes a waiting decision, with every decision that builds on it.
#[tokio::test]
async fn a_chain_that_is_overtaken_is_decided_anew() {
    let store = Gated::new();
    let ours = payments(store.clone());
    let theirs = payments(store.inner.clone());
    let log_id = cached(&ours).await;
    let options = DecideOptions::default();
    store.close();
    let mut deciding = Vec::new();
    for _ in 0..10 {
        deciding.push(started(refunding(&ours, &log_id, &options, 30)).await);
        if deciding.len() == 3 {
            break;
        }
    }
    let state = LogState::at(log_id, 1);
    theirs
        .append(state, &refund(50), &AppendOptions::default())
        .await
        .unwrap();
    store.open();
    let answers = join_all(deciding).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    for refused in answers.into_iter().filter_map(Result::err) {
        assert!(matches!(refused, DecideError::Refused(20)), "{refused:?}");
    }
    assert_eq!(ours.reduce(&log_id).await.unwrap().aggregate().refunded, 80);
}

/// A cache that records every entry that it gets.
#[derive(Clone, Default)]
struct Witness {
    cache: Arc<MemoryAggregationCache<Payment>>,
    seen: Arc<Mutex<Vec<Aggregation<Payment>>>>,
}

impl AggregationCache<Payment> for Witness {
    async fn get(&self, log_id: LogId) -> Result<Option<Aggregation<Payment>>, CacheError> {
        self.cache.get(log_id).await
    }

    async fn put(
        &self,
        aggregation: Aggregation<Payment>,
        ttl: Option<Duration>,
    ) -> Result<(), CacheError> {
        self.seen.lock().unwrap().push(aggregation.clone());
        self.cache.put(aggregation, ttl).await
    }

    async fn remove(&self, state: LogPosition) -> Result<(), CacheError> {
        self.cache.remove(state).await
    }

    async fn forget(&self, log_id: LogId) -> Result<(), CacheError> {
        self.cache.forget(log_id).await
    }
}

#[tokio::test]
async fn nothing_that_is_not_committed_is_cached_or_returned() {
    let store = Gated::new();
    let witness = Witness::default();
    let payments = cached_payments(store.clone(), witness.clone());
    let log_id = cached(&payments).await;
    let options = DecideOptions::default();
    let mut returned = Vec::new();
    for round in 0..30_u64 {
        store.close();
        let mut deciding = Vec::new();
        for amount in 1..=6 {
            let event = PaymentEvent::Captured {
                amount: round * 10 + amount,
            };
            let decide: Deciding<'_, ()> =
                Box::pin(payments.decide(&log_id, &options, move |_| Ok([event.clone()])));
            deciding.push(started(decide).await);
            // Readers see only committed state meanwhile.
            let reduced = payments.reduce(&log_id).await.unwrap();
            let last = stored(&store, log_id).await.pop().unwrap();
            assert_eq!(reduced.state(), last.state());
        }
        payments.flush_cache().await;
        match round % 3 {
            0 => store.fail_next(u32::try_from(round % 4).unwrap()),
            1 => drop(deciding.remove(usize::try_from(round % 5).unwrap())),
            _ => {}
        }
        store.open();
        returned.extend(join_all(deciding).await.into_iter().flatten());
        store.fail_next(0);
        payments.flush_cache().await;
    }
    let records = stored(&store, log_id).await;
    let mut true_states: Vec<(LogPosition, Payment, DateTime<Utc>)> = Vec::new();
    let mut payment = Payment::default();
    for record in &records {
        payment.apply(record);
        true_states.push((record.position(), payment.clone(), record.recorded_at()));
    }
    assert!(records.len() > 100, "most decisions are stored");
    let seen = witness.seen.lock().unwrap().clone();
    let returned = returned.into_iter().map(Decided::into_aggregation);
    let mut checked = 0;
    for aggregation in seen.into_iter().chain(returned) {
        let index = usize::try_from(aggregation.through_index()).unwrap();
        let (state, payment, recorded_at) = &true_states[index];
        assert_eq!(aggregation.state(), *state);
        assert_eq!(aggregation.aggregate(), payment);
        assert_eq!(aggregation.updated_at(), *recorded_at);
        checked += 1;
    }
    assert!(checked > 150, "{checked} states were cached or returned");
}

/// The number of waiting callers is not limited: a service whose database hangs has thousands of callers that wait and then
/// leave.
#[tokio::test]
async fn thousands_that_build_on_one_another_can_fail_or_be_dropped() {
    for dropped in [true, false] {
        let store = Gated::new();
        let payments = payments(store.clone());
        let log_id = cached(&payments).await;
        let options = DecideOptions::default();
        store.close();
        let decisions = 20_000;
        let mut deciding = Vec::new();
        for _ in 0..decisions {
            let mut decide = refunding(&payments, &log_id, &options, 0);
            let polled = poll_fn(|context| Poll::Ready(decide.as_mut().poll(context))).await;
            assert!(polled.is_pending());
            deciding.push(decide);
        }
        if dropped {
            drop(deciding);
            store.open();
        } else {
            store.fail_next(1);
            store.open();
            let answers = join_all(deciding).await;
            let stored = answers.iter().filter(|answer| answer.is_ok()).count();
            assert_eq!(stored, decisions - 1);
        }
        payments
            .decide(&log_id, &options, |_| Ok::<_, ()>([refund(1)]))
            .await
            .expect("the log accepts further writes");
    }
}
