//! Every result was true during the call, however late a process receives the results of its own writes.

use crate::gated::{Gated, stored};
use crate::payments::{Payment, PaymentEvent, captured, payments, refund};
use eventlogs::ids::LogId;
use eventlogs::stores::fake::FakeEventStore;
use eventlogs::{
    AppendOptions, CreateOptions, DecideError, DecideOptions, EventRecord, LogManager,
    LogManagerError, LogState,
};
use std::time::Duration;

/// A payment with 100 captured and 60 refunded. The result of the refund is still in flight, and another process has captured
/// 1,000 more since.
struct LateAnswer {
    store: Gated,
    here: LogManager<Payment>,
    log_id: LogId,
    refund: tokio::task::JoinHandle<()>,
}

impl LateAnswer {
    async fn new() -> Self {
        let store = Gated::new();
        let here = payments(store.clone());
        let elsewhere = payments(store.inner.clone());
        let log_id = captured(&here).await;
        here.reduce(&log_id).await.unwrap();
        here.flush_cache().await;
        store.hold_answers(true);
        let deciding = here.clone();
        let refund = tokio::spawn(async move {
            let options = DecideOptions::default();
            let refunded = deciding.decide(&log_id, &options, |_| Ok::<_, ()>([refund(60)]));
            assert_eq!(refunded.await.unwrap().aggregation().through_index(), 2);
        });
        while stored(&store, log_id).await.len() < 3 {
            tokio::task::yield_now().await;
        }
        let more = PaymentEvent::Captured { amount: 1_000 };
        let state = LogState::at(log_id, 2);
        let options = AppendOptions::default();
        let appended = elsewhere.append(state, &more, &options).await;
        assert_eq!(appended.expect("the log ends at index 2").index(), 3);
        Self {
            store,
            here,
            log_id,
            refund,
        }
    }

    /// Releases the results a little later, when calls that begin now have gone as far as they can.
    fn answers_soon(&self) {
        let store = self.store.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(50)).await;
            store.hold_answers(false);
        });
    }
}

fn options(key: Option<&str>) -> DecideOptions {
    DecideOptions {
        idempotency_key: key.map(str::to_owned),
        max_attempts: 1,
        ..Default::default()
    }
}

#[tokio::test]
async fn a_refusal_on_a_commit_from_before_the_call_is_decided_anew() {
    for key in [None, Some("a key")] {
        let late = LateAnswer::new().await;
        late.answers_soon();
        let decided = late
            .here
            .decide(&late.log_id, &options(key), |payment| {
                if payment.outstanding() < 500 {
                    return Err(payment.outstanding());
                }
                Ok([refund(500)])
            })
            .await
            .expect("1,040 are there");
        assert_eq!(decided.aggregation().aggregate().outstanding(), 540);
        late.refund.await.unwrap();
    }
}

#[tokio::test]
async fn a_decision_to_do_nothing_returns_what_was_true_in_the_call() {
    for key in [None, Some("a key")] {
        let late = LateAnswer::new().await;
        late.answers_soon();
        let nothing = |_: &Payment| Ok::<_, ()>([]);
        let decided = late.here.decide(&late.log_id, &options(key), nothing).await;
        let decided = decided.unwrap().into_aggregation();
        assert_eq!(decided.through_index(), 3);
        assert_eq!(decided.aggregate().outstanding(), 1_040);
        late.refund.await.unwrap();
    }
}

/// Also if the late result arrives after the call began but before its turn, or before both.
#[tokio::test]
async fn news_of_an_old_commit_is_no_read_whenever_it_arrives() {
    for yields in 0..8 {
        let late = LateAnswer::new().await;
        late.store.hold_answers(false);
        for _ in 0..yields {
            tokio::task::yield_now().await;
        }
        let too_little = |payment: &Payment| {
            if payment.outstanding() < 500 {
                return Err(payment.outstanding());
            }
            Ok([])
        };
        let options = options(None);
        let decided = late.here.decide(&late.log_id, &options, too_little);
        let decided = decided.await.expect("1,040 are there");
        assert_eq!(decided.aggregation().through_index(), 3);
        late.refund.await.unwrap();
    }
}

#[tokio::test]
async fn a_replay_returns_what_was_true_in_the_call() {
    let late = LateAnswer::new().await;
    let elsewhere = payments(late.store.inner.clone());
    let keyed = options(Some("a key"));
    let written = elsewhere.decide(&late.log_id, &keyed, |_| Ok::<_, ()>([refund(1)]));
    written.await.unwrap();
    late.answers_soon();
    for refuses in [true, false] {
        let decided = late.here.decide(&late.log_id, &keyed, |_| {
            if refuses {
                return Err("no");
            }
            Ok([refund(1)])
        });
        let decided = decided.await.unwrap();
        assert!(decided.is_replay());
        assert_eq!(decided.aggregation().through_index(), 4);
    }
    late.refund.await.unwrap();
}

/// A decision sees a log that another process created after this process found no log.
#[tokio::test]
async fn a_log_that_was_created_elsewhere_is_seen() {
    let store = FakeEventStore::new();
    let (here, elsewhere) = (payments(store.clone()), payments(store));
    let options = DecideOptions {
        create_if_missing: true,
        max_attempts: 1,
        ..Default::default()
    };
    let log_id = LogId::new();
    let missing = here.decide(&log_id, &options, |_| Ok::<_, ()>([])).await;
    assert!(
        matches!(
            missing,
            Err(DecideError::Log(LogManagerError::LogNotFound { .. }))
        ),
        "{missing:?}"
    );
    let requested = PaymentEvent::Requested { amount: 7 };
    let creating = CreateOptions::default();
    let created = elsewhere.create(&log_id, &requested, &creating).await;
    created.unwrap();
    let seen = here.decide(&log_id, &options, |payment| {
        if payment.requested == 0 {
            return Err("nothing was requested");
        }
        Ok([])
    });
    assert_eq!(seen.await.unwrap().aggregation().through_index(), 0);
}

/// A stale cache costs time, but no attempt.
#[tokio::test]
async fn a_stale_cache_costs_no_attempt() {
    let store = FakeEventStore::new();
    let (here, elsewhere) = (payments(store.clone()), payments(store));
    for max_attempts in [0, 1] {
        let log_id = captured(&here).await;
        here.reduce(&log_id).await.unwrap();
        here.flush_cache().await;
        let state = LogState::at(log_id, 1);
        let options = AppendOptions::default();
        let appended = elsewhere.append(state, &refund(50), &options).await;
        appended.unwrap();
        let options = DecideOptions {
            max_attempts,
            ..Default::default()
        };
        let mut asked = 0;
        let decided = here.decide(&log_id, &options, |_| {
            asked += 1;
            Ok::<_, ()>([refund(10)])
        });
        let decided = decided.await.expect("no other writer interferes");
        assert_eq!(decided.aggregation().aggregate().refunded, 60);
        assert_eq!(asked, 2);
    }
}

/// An old result of a commit from before the call costs no attempt either.
#[tokio::test]
async fn an_old_commit_costs_no_attempt() {
    let late = LateAnswer::new().await;
    late.answers_soon();
    let decided = late
        .here
        .decide(&late.log_id, &options(None), |_| Ok::<_, ()>([refund(1)]))
        .await
        .expect("no other writer has written since the call began");
    assert_eq!(decided.aggregation().through_index(), 4);
    late.refund.await.unwrap();
    let records = stored(&late.store, late.log_id).await;
    assert_eq!(records.last().unwrap().event(), &refund(1));
}
