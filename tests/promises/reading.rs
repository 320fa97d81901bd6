//! Pages, streams and past states.

use crate::payments::{PaymentEvent, captured, on_every_store, payments, refund};
use eventlogs::ids::LogId;
use eventlogs::stores::fake::FakeEventStore;
use eventlogs::{
    AppendOptions, CreateOptions, EventRecord, LogManager, LogManagerError, LogManagerOptions,
    LogState, PointInTime, SqliteEventStore,
};
use futures_util::{StreamExt, TryStreamExt};
use std::num::NonZeroUsize;

#[tokio::test]
async fn a_page_is_json_for_an_api() {
    for (store, payments) in on_every_store().await {
        let log_id = captured(&payments).await;
        payments
            .append(
                LogState::at(log_id, 1),
                &refund(3),
                &AppendOptions::default(),
            )
            .await
            .unwrap();
        payments
            .append(
                LogState::at(log_id, 2),
                &PaymentEvent::Voided,
                &AppendOptions::default(),
            )
            .await
            .unwrap();
        let page = payments.load(&log_id, 1, 101).await.unwrap();
        let json = serde_json::to_value(&page).unwrap();
        let first = &json[0];
        assert_eq!(first["log_id"], log_id.to_string(), "{store}");
        assert_eq!(first["event_index"], 1, "{store}");
        assert_eq!(first["event_id"], page[0].event_id().to_string(), "{store}");
        assert_eq!(
            (&first["event_type"], &first["event_version"]),
            (&"payment.captured".into(), &1.into()),
            "{store}"
        );
        assert_eq!(
            first["event"],
            serde_json::json!({ "amount": 100 }),
            "{store}"
        );
        assert_eq!(
            first["recorded_at"],
            serde_json::to_value(page[0].recorded_at()).unwrap(),
            "{store}"
        );
        assert!(first.get("occurred_at").is_none(), "{store}");
        assert_eq!(
            json[1]["event"],
            serde_json::json!({ "amount": 3 }),
            "{store}"
        );
        assert_eq!(
            json[2]["event"],
            serde_json::json!({}),
            "{store}: a unit variant is an empty object"
        );
    }
}

#[tokio::test]
async fn pages_tell_no_log_from_no_more_events() {
    for (store, payments) in on_every_store().await {
        let log_id = captured(&payments).await;
        assert_eq!(
            payments.load(&log_id, 0, 1).await.unwrap().len(),
            1,
            "{store}"
        );
        assert_eq!(
            payments.load(&log_id, 0, 0).await.unwrap().len(),
            0,
            "{store}"
        );
        assert_eq!(
            payments.load(&log_id, 2, 10).await.unwrap().len(),
            0,
            "{store}"
        );
        assert_eq!(
            payments.load(&log_id, u64::MAX, 10).await.unwrap().len(),
            0,
            "{store}"
        );
        for (from, limit) in [(0, 10), (5, 10), (0, 0)] {
            let missing = payments.load(&LogId::new(), from, limit).await;
            assert!(
                matches!(missing, Err(LogManagerError::LogNotFound { .. })),
                "{store}: {missing:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_stream_gives_every_event_in_order_whatever_the_page() {
    for page_size in [1, 3, 100] {
        let options = LogManagerOptions {
            page_size: NonZeroUsize::new(page_size).unwrap(),
            ..Default::default()
        };
        let payments = LogManager::<crate::payments::Payment>::new(
            SqliteEventStore::in_memory().await.unwrap(),
            eventlogs::MemoryAggregationCache::default(),
            options,
        );
        let log_id = captured(&payments).await;
        let batch: Vec<_> = (0..7).map(refund).collect();
        payments
            .append_all(LogState::at(log_id, 1), &batch, &AppendOptions::default())
            .await
            .unwrap();
        for from in [0, 4, 9] {
            let stream = payments.stream(log_id, from);
            // The stream borrows nothing, so it may move to another task.
            let records: Vec<_> = tokio::spawn(stream.try_collect::<Vec<_>>())
                .await
                .unwrap()
                .unwrap();
            let indices: Vec<_> = records.iter().map(EventRecord::index).collect();
            assert_eq!(indices, (from..9).collect::<Vec<_>>());
        }
        let mut missing = Box::pin(payments.stream(LogId::new(), 0));
        assert!(matches!(
            missing.next().await,
            Some(Err(LogManagerError::LogNotFound { .. }))
        ));
        assert!(missing.next().await.is_none());
    }
}

#[tokio::test]
async fn large_pages_arrive_whole_although_the_store_cuts_them() {
    let counters = LogManager::<eventlogs::testing::conformance::Counter>::new(
        SqliteEventStore::in_memory().await.unwrap(),
        eventlogs::MemoryAggregationCache::default(),
        LogManagerOptions::default(),
    );
    let log_id = LogId::new();
    let noted = eventlogs::testing::conformance::CounterEvent::Noted {
        text: "x".repeat(1024 * 1024),
    };
    let mut state = counters
        .create(&log_id, &noted, &CreateOptions::default())
        .await
        .unwrap();
    for _ in 0..8 {
        state = counters
            .append(state, &noted, &AppendOptions::default())
            .await
            .unwrap();
    }
    assert_eq!(counters.load(&log_id, 0, 9).await.unwrap().len(), 9);
    assert_eq!(counters.load(&log_id, 2, 6).await.unwrap().len(), 6);
    assert_eq!(
        counters.reduce(&log_id).await.unwrap().aggregate().events,
        9
    );
}

#[tokio::test]
async fn the_past_can_be_reduced_by_index_and_by_time() {
    for (store, payments) in on_every_store().await {
        let log_id = captured(&payments).await;
        for amount in [1, 2, 3] {
            let payment = payments.reduce(&log_id).await.unwrap();
            payments
                .append(payment, &refund(amount), &AppendOptions::default())
                .await
                .unwrap();
            // A pause, so that the times differ.
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        let outstanding = |at| {
            let payments = payments.clone();
            async move {
                payments
                    .reduce_at(&log_id, at)
                    .await
                    .map(|payment| payment.aggregate().outstanding())
            }
        };
        assert_eq!(
            outstanding(PointInTime::Index(0)).await.unwrap(),
            0,
            "{store}"
        );
        assert_eq!(
            outstanding(PointInTime::Index(2)).await.unwrap(),
            99,
            "{store}"
        );
        assert_eq!(
            outstanding(PointInTime::Index(77)).await.unwrap(),
            94,
            "{store}"
        );
        let records = payments.load(&log_id, 0, 10).await.unwrap();
        assert_eq!(
            outstanding(PointInTime::Time(records[3].recorded_at()))
                .await
                .unwrap(),
            97,
            "{store}"
        );
        let before = records[0].recorded_at() - std::time::Duration::from_secs(1);
        let missing = outstanding(PointInTime::Time(before)).await;
        assert!(
            matches!(missing, Err(LogManagerError::LogNotFound { .. })),
            "{store}: {missing:?}"
        );
        // A read of a past state must not change the cached current state.
        assert_eq!(
            payments
                .reduce(&log_id)
                .await
                .unwrap()
                .aggregate()
                .outstanding(),
            94,
            "{store}"
        );
    }
}

#[tokio::test]
async fn a_stream_reads_what_is_appended_while_it_is_read() {
    let options = LogManagerOptions {
        page_size: NonZeroUsize::MIN,
        ..Default::default()
    };
    let payments = LogManager::<crate::payments::Payment>::new(
        FakeEventStore::new(),
        eventlogs::MemoryAggregationCache::default(),
        options,
    );
    let log_id = captured(&payments).await;
    let mut stream = Box::pin(payments.stream(log_id, 0));
    stream.next().await.unwrap().unwrap();
    payments
        .append(
            LogState::at(log_id, 1),
            &refund(1),
            &AppendOptions::default(),
        )
        .await
        .unwrap();
    assert_eq!(stream.count().await, 2);
}

#[tokio::test]
async fn an_unused_stream_costs_nothing() {
    let payments = payments(FakeEventStore::new());
    drop(payments.stream(LogId::new(), 0));
}
