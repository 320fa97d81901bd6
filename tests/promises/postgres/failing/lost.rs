//! Responses that were lost.

use crate::payments::{PaymentEvent, captured, payments, refund};
use crate::postgres::TestStore;
use eventlogs::ids::LogId;
use eventlogs::stores::StoreError;
use eventlogs::{AppendOptions, Appends, EventRecord, LogManagerError, LogState};
use std::time::Duration;

#[tokio::test]
async fn a_lost_answer_is_found_again() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    let (proxy, behind) = store.through_proxy(Duration::from_secs(20)).await;
    let manager = payments(behind);
    let log_id = captured(&manager).await;
    let mut state = LogState::at(log_id, 1);
    let rounds = 60;
    for round in 0..rounds {
        // Once more, so that the statement is prepared on the connection, and the lost response is that of the append.
        manager.reduce(&log_id).await.unwrap();
        let key = (round % 2 == 0).then(|| format!("{log_id}-{round}"));
        let options = AppendOptions {
            idempotency_key: key,
            ..Default::default()
        };
        proxy.lose_next_answer();
        let events =
            vec![PaymentEvent::Captured { amount: round }; 1 + usize::try_from(round % 3).unwrap()];
        state = manager
            .append_all(state, &events, &options)
            .await
            .expect("the library finds out the outcome");
    }
    assert!(
        proxy.lost_answers() >= rounds,
        "{} responses were lost",
        proxy.lost_answers()
    );
    let records = manager.load(&log_id, 2, 1_000).await.unwrap();
    let amounts: Vec<_> = records
        .iter()
        .map(|record| record.event().clone())
        .collect();
    let expected = (0..rounds).flat_map(|round| {
        vec![PaymentEvent::Captured { amount: round }; 1 + usize::try_from(round % 3).unwrap()]
    });
    assert_eq!(
        amounts,
        expected.collect::<Vec<_>>(),
        "each event exactly once"
    );
    assert_eq!(records.last().map(EventRecord::index), Some(state.index()));
}

/// The second attempt conflicts with the events of the first one, on either log; the caller gets success.
#[tokio::test]
async fn a_lost_answer_about_several_logs_is_found_again() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    let (proxy, behind) = store.through_proxy(Duration::from_secs(20)).await;
    let manager = payments(behind);
    let (one, other) = (captured(&manager).await, captured(&manager).await);
    let (mut first, mut second) = (LogState::at(one, 1), LogState::at(other, 1));
    let mut begun = Vec::new();
    let rounds = 30;
    for round in 0..rounds {
        // Once more, so that the lost response is that of the append.
        manager.reduce(&one).await.unwrap();
        let options = AppendOptions {
            idempotency_key: (round % 2 == 0).then(|| format!("{one}-{round}")),
            ..Default::default()
        };
        let new = LogId::new();
        begun.push(new);
        proxy.lose_next_answer();
        let appends = Appends::new()
            .append(first, [refund(1), refund(1)])
            .create(new, [PaymentEvent::Captured { amount: round }])
            .append(second, [refund(1)]);
        let states = manager
            .append_across(appends, &options)
            .await
            .expect("the library finds out the outcome");
        (first, second) = (states[0].into(), states[2].into());
    }
    assert!(
        proxy.lost_answers() >= rounds,
        "{} responses were lost",
        proxy.lost_answers()
    );
    for (log_id, refunded) in [(one, 2 * rounds), (other, rounds)] {
        let payment = manager.reduce(&log_id).await.unwrap();
        assert_eq!(payment.aggregate().refunded, refunded, "each event once");
    }
    for (log_id, amount) in begun.into_iter().zip(0..) {
        let payment = manager.reduce(&log_id).await.unwrap();
        assert_eq!(payment.aggregate().captured, amount);
        assert_eq!(payment.through_index(), 0);
    }
}

#[tokio::test]
async fn without_an_answer_in_time_the_outcome_is_unknown() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    let (proxy, behind) = store.through_proxy(Duration::from_millis(400)).await;
    let manager = payments(behind);
    let log_id = captured(&manager).await;
    proxy.black_hole(true);
    let state = LogState::at(log_id, 1);
    let unknown = manager
        .append(state, &refund(1), &AppendOptions::default())
        .await;
    assert!(
        matches!(
            unknown,
            Err(LogManagerError::Store(StoreError::OutcomeUnknown {
                source: Some(_)
            }))
        ),
        "{unknown:?}"
    );
    // A read cannot have changed anything.
    let unread = manager.reduce(&log_id).await;
    assert!(
        matches!(
            unread,
            Err(LogManagerError::Store(StoreError::Unavailable { .. }))
        ),
        "{unread:?}"
    );
    proxy.black_hole(false);
    assert_eq!(
        manager.reduce(&log_id).await.unwrap().aggregate().captured,
        100
    );
}
