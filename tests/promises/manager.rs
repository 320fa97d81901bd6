//! Creating and appending, as the caller of a manager sees it.

use crate::payments::{PaymentEvent, captured, on_every_store, payments, refund};
use eventlogs::ids::LogId;
use eventlogs::stores::fake::FakeEventStore;
use eventlogs::stores::{EncodeError, InvalidAppend};
use eventlogs::{
    AppendOptions, CreateOptions, EventRecord, LogManagerError, LogState, SqliteEventStore,
};

fn keyed(key: &str) -> AppendOptions {
    AppendOptions {
        idempotency_key: Some(key.to_owned()),
        ..Default::default()
    }
}

fn keyed_create(key: &str) -> CreateOptions {
    CreateOptions {
        idempotency_key: Some(key.to_owned()),
        ..Default::default()
    }
}

#[tokio::test]
async fn a_retried_create_reports_the_log_that_was_created() {
    for (store, payments) in on_every_store().await {
        let (first, second) = (LogId::new(), LogId::new());
        let requested = PaymentEvent::Requested { amount: 1 };
        let state = payments
            .create(&first, &requested, &keyed_create("order-17"))
            .await
            .unwrap();
        // A client creates a new log id for each attempt; only the key stays.
        for log_id in [first, second] {
            let retry = payments
                .create(&log_id, &requested, &keyed_create("order-17"))
                .await;
            let Err(LogManagerError::IdempotentReplay {
                log_id,
                event_index,
                event_count,
                state: replayed,
                ..
            }) = retry
            else {
                panic!("{store}: expected a replay, got {retry:?}")
            };
            assert_eq!(
                (log_id, event_index, event_count, replayed),
                (first, 0, 1, state.position()),
                "{store}"
            );
        }
        let absent = payments.reduce(&second).await;
        assert!(
            matches!(absent, Err(LogManagerError::LogNotFound { .. })),
            "{store}: {absent:?}"
        );
    }
}

#[tokio::test]
async fn a_retried_append_is_a_replay_and_not_a_conflict() {
    for (store, payments) in on_every_store().await {
        let log_id = captured(&payments).await;
        let state = payments.reduce(&log_id).await.unwrap().state();
        payments
            .append(state, &refund(40), &keyed("refund-1"))
            .await
            .unwrap();
        let retry = payments
            .append(state, &refund(40), &keyed("refund-1"))
            .await;
        assert!(
            matches!(
                retry,
                Err(LogManagerError::IdempotentReplay { event_index: 2, .. })
            ),
            "{store}: {retry:?}"
        );
        assert_eq!(
            payments.reduce(&log_id).await.unwrap().aggregate().refunded,
            40,
            "{store}"
        );
    }
}

#[tokio::test]
async fn a_replay_says_where_to_go_on() {
    for (store, payments) in on_every_store().await {
        let log_id = captured(&payments).await;
        let state = payments.reduce(&log_id).await.unwrap().state();
        payments
            .append_all(state, &[refund(1), refund(2)], &keyed("refunds"))
            .await
            .unwrap();
        let Err(LogManagerError::IdempotentReplay { state, .. }) = payments
            .append_all(state, &[refund(1), refund(2)], &keyed("refunds"))
            .await
        else {
            panic!("{store}: expected a replay")
        };
        payments
            .append(state, &PaymentEvent::Voided, &AppendOptions::default())
            .await
            .unwrap();
        let payment = payments.reduce(&log_id).await.unwrap();
        assert_eq!(
            (payment.through_index(), payment.aggregate().refunded),
            (4, 3),
            "{store}"
        );
    }
}

#[tokio::test]
async fn a_key_of_another_log_is_reported_as_reused() {
    for (store, payments) in on_every_store().await {
        let (one, other) = (captured(&payments).await, captured(&payments).await);
        payments
            .append(LogState::at(one, 1), &refund(1), &keyed("key"))
            .await
            .unwrap();
        let refused = payments
            .append(LogState::at(other, 1), &refund(1), &keyed("key"))
            .await;
        let Err(LogManagerError::IdempotencyKeyReused {
            log_id,
            event_index,
            ..
        }) = refused
        else {
            panic!("{store}: expected a reused key, got {refused:?}")
        };
        assert_eq!((log_id, event_index), (one, 2), "{store}");
        assert_eq!(
            payments.reduce(&other).await.unwrap().through_index(),
            1,
            "{store}"
        );
    }
}

#[tokio::test]
async fn an_append_behind_the_end_or_off_the_end_is_a_conflict() {
    for (store, payments) in on_every_store().await {
        let log_id = captured(&payments).await;
        for index in [0, 2, 50] {
            let refused = payments
                .append(
                    LogState::at(log_id, index),
                    &PaymentEvent::Voided,
                    &AppendOptions::default(),
                )
                .await;
            let Err(LogManagerError::ConcurrentAppend { event_index, .. }) = refused else {
                panic!("{store}: expected a conflict, got {refused:?}")
            };
            assert_eq!(event_index, index + 1, "{store}");
        }
        // By index alone, as an API with `If-Match` would do.
        payments
            .append(
                LogState::at(log_id, 1),
                &PaymentEvent::Voided,
                &AppendOptions::default(),
            )
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn logs_that_are_there_and_logs_that_are_not_are_told_apart() {
    for (store, payments) in on_every_store().await {
        let log_id = captured(&payments).await;
        let again = payments
            .create(&log_id, &PaymentEvent::Voided, &CreateOptions::default())
            .await;
        assert!(
            matches!(again, Err(LogManagerError::LogAlreadyExists { .. })),
            "{store}: {again:?}"
        );

        let unknown = LogId::new();
        let append = payments
            .append(
                LogState::at(unknown, 0),
                &PaymentEvent::Voided,
                &AppendOptions::default(),
            )
            .await;
        assert!(
            matches!(append, Err(LogManagerError::LogNotFound { .. })),
            "{store}: {append:?}"
        );
        let reduce = payments.reduce(&unknown).await;
        assert!(
            matches!(reduce, Err(LogManagerError::LogNotFound { log_id, .. }) if log_id == unknown),
            "{store}: {reduce:?}"
        );
    }
}

#[tokio::test]
async fn requests_that_no_store_accepts_are_refused_with_a_way_out() {
    for (store, payments) in on_every_store().await {
        let log_id = captured(&payments).await;
        let state = LogState::at(log_id, 1);
        let empty = payments
            .append_all(state, &[], &AppendOptions::default())
            .await;
        assert!(
            matches!(
                empty,
                Err(LogManagerError::Invalid(InvalidAppend::NoEvents))
            ),
            "{store}: {empty:?}"
        );
        let keyless = payments
            .append(state, &PaymentEvent::Voided, &keyed(""))
            .await
            .unwrap_err();
        assert_eq!(
            keyless.to_string(),
            "an idempotency key must have 1 to 512 bytes, but this one has 0; use a UUID or a hash of the request",
            "{store}"
        );
        assert_eq!(
            payments.reduce(&log_id).await.unwrap().through_index(),
            1,
            "{store}"
        );
    }
}

#[tokio::test]
async fn an_event_that_its_codec_cannot_bring_back_is_refused() {
    let payments = payments(SqliteEventStore::in_memory().await.unwrap());
    let log_id = captured(&payments).await;
    let state = LogState::at(log_id, 1);
    payments
        .append(state, &PaymentEvent::Rated(1.5), &AppendOptions::default())
        .await
        .unwrap();
    let refused = payments
        .append(
            LogState::at(log_id, 2),
            &PaymentEvent::Rated(f64::NAN),
            &AppendOptions::default(),
        )
        .await;
    assert!(
        matches!(
            refused,
            Err(LogManagerError::Encode(EncodeError::Codec {
                event_type: "payment.rated",
                ..
            }))
        ),
        "{refused:?}"
    );
    assert_eq!(payments.reduce(&log_id).await.unwrap().through_index(), 2);
}

#[tokio::test]
async fn the_callers_time_is_kept_beside_the_stores() {
    for (store, payments) in on_every_store().await {
        let log_id = LogId::new();
        let occurred_at = "1999-12-31T23:59:59.123456Z".parse().unwrap();
        let options = CreateOptions {
            occurred_at: Some(occurred_at),
            ..Default::default()
        };
        payments
            .create(&log_id, &PaymentEvent::Voided, &options)
            .await
            .unwrap();
        let records = payments.load(&log_id, 0, 10).await.unwrap();
        assert_eq!(records[0].occurred_at(), Some(occurred_at), "{store}");
        assert!(records[0].recorded_at() > occurred_at, "{store}");
        let payment = payments.reduce(&log_id).await.unwrap();
        assert_eq!(
            (payment.created_at(), payment.updated_at()),
            (records[0].recorded_at(), records[0].recorded_at())
        );
    }
}

#[tokio::test]
async fn a_manager_can_be_made_outside_a_runtime_and_used_from_any_task() {
    let payments = std::thread::spawn(|| payments(FakeEventStore::new()))
        .join()
        .unwrap();
    let log_id = captured(&payments).await;
    let other = payments.clone();
    let reduced = tokio::spawn(async move { other.reduce(&log_id).await })
        .await
        .unwrap()
        .unwrap();
    assert_eq!(reduced.aggregate().captured, 100);
}
