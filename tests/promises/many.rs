//! Appends to several logs through a manager.

use crate::payments::{Payment, PaymentEvent, captured, on_every_store, payments, refund};
use crate::postgres::TestStore;
use crate::sqlite_file::TemporaryStore;
use eventlogs::ids::LogId;
use eventlogs::stores::InvalidAppend;
use eventlogs::stores::fake::FakeEventStore;
use eventlogs::{
    Aggregate, AppendOptions, Appends, CreateOptions, Event, EventRecord, EventStore,
    IdempotencyScope, LogManager, LogManagerError, LogManagerOptions, LogState,
    MemoryAggregationCache, Metadata, RequestFingerprint, event_handler,
};

/// The events of an order.
#[derive(Debug, Clone, PartialEq, Event)]
enum OrderEvent {
    /// A customer places the order.
    #[event(name = "order.placed")]
    Placed {
        /// In cents.
        amount: u64,
    },
    /// The customer pays for the order.
    #[event(name = "order.paid")]
    Paid {
        /// In cents.
        amount: u64,
    },
}

/// The state of an order.
#[derive(Debug, Default, Clone, PartialEq, Aggregate)]
#[aggregate(event = OrderEvent)]
struct Order {
    placed: u64,
    paid: u64,
}

#[event_handler(OrderEvent)]
impl Order {
    #[on(Placed)]
    fn place(&mut self, amount: u64) {
        self.placed += amount;
    }

    #[on(Paid)]
    fn pay(&mut self, amount: u64) {
        self.paid += amount;
    }
}

/// Creates an order over 500.
async fn placed(orders: &LogManager<Order>) -> (LogId, LogState<OrderEvent>) {
    let log_id = LogId::new();
    let placed = OrderEvent::Placed { amount: 500 };
    let state = orders
        .create(&log_id, &placed, &CreateOptions::default())
        .await
        .unwrap();
    // The cached state is then older than the next events.
    orders.reduce(&log_id).await.unwrap();
    orders.flush_cache().await;
    (log_id, state)
}

async fn an_order_and_its_payment<S>(store: S)
where
    S: EventStore<OrderEvent> + EventStore<PaymentEvent> + Clone,
{
    let payments = payments(store.clone());
    let orders = LogManager::<Order>::new(
        store,
        MemoryAggregationCache::default(),
        LogManagerOptions::default(),
    );
    let (order, state) = placed(&orders).await;
    let payment = LogId::new();
    let both = |state: LogState<OrderEvent>| {
        Appends::new()
            .append(
                state,
                [
                    OrderEvent::Paid { amount: 200 },
                    OrderEvent::Paid { amount: 300 },
                ],
            )
            .create(payment, [PaymentEvent::Captured { amount: 500 }])
    };
    let options = AppendOptions {
        idempotency_key: Some(format!("{order} is paid")),
        request_fingerprint: Some(RequestFingerprint::new(b"500")),
        metadata: Metadata::new().with_correlation_id("request 17"),
        ..Default::default()
    };
    // Through either manager: neither owns the other's log.
    let states = payments.append_across(both(state), &options).await.unwrap();
    assert_eq!((states[0].log_id(), states[0].index()), (order, 2));
    assert_eq!((states[1].log_id(), states[1].index()), (payment, 0));
    let paid = orders.reduce(&order).await.unwrap();
    assert_eq!(
        paid.aggregate(),
        &Order {
            placed: 500,
            paid: 500
        }
    );
    assert_eq!(paid.state(), states[0]);
    let reduced = payments.reduce(&payment).await.unwrap();
    assert_eq!(reduced.aggregate().captured, 500);
    assert_eq!(reduced.state(), states[1]);
    let records = orders.load(&order, 1, 10).await.unwrap();
    assert!(
        records
            .iter()
            .all(|record| record.metadata().correlation_id.as_deref() == Some("request 17"))
    );

    // The retry, on the old state and on the new one.
    for state in [state, states[0].into()] {
        let retry = orders.append_across(both(state), &options).await;
        assert!(
            matches!(
                retry,
                Err(LogManagerError::IdempotentReplay { state, event_index: 1, event_count: 2, .. })
                    if state == states[0]
            ),
            "{retry:?}"
        );
    }
    let another = AppendOptions {
        request_fingerprint: Some(RequestFingerprint::new(b"700")),
        ..options.clone()
    };
    let reused = orders.append_across(both(states[0].into()), &another).await;
    assert!(
        matches!(reused, Err(LogManagerError::IdempotencyKeyReused { log_id, .. }) if log_id == order),
        "{reused:?}"
    );
    // Another order with the same key.
    let (other, state) = placed(&orders).await;
    let reused = orders
        .append_across([(state, [OrderEvent::Paid { amount: 500 }])], &options)
        .await;
    assert!(
        matches!(reused, Err(LogManagerError::IdempotencyKeyReused { log_id, .. }) if log_id == order),
        "{reused:?}"
    );
    assert_eq!(orders.reduce(&other).await.unwrap().aggregate().paid, 0);
}

async fn one_that_stands_in_the_way<S>(store: S)
where
    S: EventStore<OrderEvent> + EventStore<PaymentEvent> + Clone,
{
    let payments = payments(store.clone());
    let orders = LogManager::<Order>::new(
        store,
        MemoryAggregationCache::default(),
        LogManagerOptions::default(),
    );
    let (order, state) = placed(&orders).await;
    let paid = OrderEvent::Paid { amount: 100 };
    let new = orders
        .append(state, &paid, &AppendOptions::default())
        .await
        .unwrap();
    let payment = LogId::new();
    let both = |state: LogState<OrderEvent>, payment: LogId| {
        Appends::new()
            .create(payment, [PaymentEvent::Captured { amount: 100 }])
            .append(state, [paid.clone()])
    };
    let refused = orders
        .append_across(both(state, payment), &AppendOptions::default())
        .await;
    assert!(
        matches!(refused, Err(LogManagerError::ConcurrentAppend { log_id, event_index: 1, .. }) if log_id == order),
        "{refused:?}"
    );
    let missing = payments.reduce(&payment).await;
    assert!(
        matches!(missing, Err(LogManagerError::LogNotFound { .. })),
        "{missing:?}"
    );
    let taken = captured(&payments).await;
    let exists = orders
        .append_across(both(new, taken), &AppendOptions::default())
        .await;
    assert!(
        matches!(exists, Err(LogManagerError::LogAlreadyExists { log_id, .. }) if log_id == taken),
        "{exists:?}"
    );
    let nowhere = LogState::at(LogId::new(), 4);
    let not_found = orders
        .append_across(both(nowhere, payment), &AppendOptions::default())
        .await;
    assert!(
        matches!(not_found, Err(LogManagerError::LogNotFound { log_id, .. }) if log_id == nowhere.log_id()),
        "{not_found:?}"
    );
    assert_eq!(orders.reduce(&order).await.unwrap().aggregate().paid, 100);
    let states = orders
        .append_across(both(new, payment), &AppendOptions::default())
        .await
        .unwrap();
    assert_eq!(states.len(), 2);
}

#[tokio::test]
async fn an_order_and_its_payment_change_together_on_sqlite() {
    let file = TemporaryStore::open().await;
    an_order_and_its_payment(file.store.clone()).await;
    one_that_stands_in_the_way(file.store.clone()).await;
}

#[tokio::test]
async fn an_order_and_its_payment_change_together_on_postgres() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    an_order_and_its_payment(store.store.clone()).await;
    one_that_stands_in_the_way(store.store.clone()).await;
}

#[tokio::test]
async fn the_fake_says_that_it_keeps_one_enum() {
    let payments = payments(FakeEventStore::new());
    let log_id = captured(&payments).await;
    let order = LogId::new();
    let both = Appends::new()
        .append(LogState::at(log_id, 1), [refund(1)])
        .create(order, [OrderEvent::Placed { amount: 5 }]);
    let refused = payments
        .append_across(both, &AppendOptions::default())
        .await;
    assert!(
        matches!(
            refused,
            Err(LogManagerError::Invalid(InvalidAppend::OtherEvents { log_id })) if log_id == order
        ),
        "{refused:?}"
    );
    assert_eq!(payments.reduce(&log_id).await.unwrap().through_index(), 1);
}

#[tokio::test]
async fn logs_of_one_enum_need_no_more_than_states_and_events() {
    for (store, payments) in on_every_store().await {
        let (one, other) = (captured(&payments).await, captured(&payments).await);
        let aggregations = [
            payments.reduce(&one).await.unwrap(),
            payments.reduce(&other).await.unwrap(),
        ];
        let [from, to] = aggregations;
        let transfer = vec![
            (from, vec![refund(40)]),
            (to, vec![PaymentEvent::Captured { amount: 40 }]),
        ];
        let states = payments
            .append_across(transfer, &AppendOptions::default())
            .await
            .unwrap();
        let outstanding = [60, 140];
        for (state, expected) in states.iter().zip(outstanding) {
            let payment = payments.reduce(&state.log_id()).await.unwrap();
            assert_eq!(payment.aggregate().outstanding(), expected, "{store}");
        }
        let local = AppendOptions {
            idempotency_key: Some("of which log".to_owned()),
            idempotency_scope: IdempotencyScope::Log,
            ..Default::default()
        };
        let both = [(states[0], [refund(1)]), (states[1], [refund(1)])];
        let refused = payments.append_across(both, &local).await;
        assert!(
            matches!(
                refused,
                Err(LogManagerError::Invalid(InvalidAppend::KeyOfOneLog))
            ),
            "{store}: {refused:?}"
        );
        assert_eq!(
            payments.reduce(&one).await.unwrap().aggregate(),
            &Payment {
                requested: 100,
                captured: 100,
                refunded: 40,
                ..Payment::default()
            },
            "{store}"
        );
    }
}

#[tokio::test]
async fn an_append_names_at_most_as_many_logs_as_the_limit() {
    for (store, payments) in on_every_store().await {
        let state = payments.reduce(captured(&payments).await).await.unwrap();
        let requiring = |logs| {
            let one = Appends::new().append(state.state(), [refund(1)]);
            (0..logs).fold(one, |appends, _| {
                appends.require_absent::<PaymentEvent>(LogId::new())
            })
        };
        let options = AppendOptions::default();
        let refused = payments.append_across(requiring(1_000), &options).await;
        assert!(
            matches!(
                refused,
                Err(LogManagerError::Invalid(InvalidAppend::TooManyLogs {
                    logs: 1_001,
                    limit: 1_000
                }))
            ),
            "{store}: {refused:?}"
        );
        let written = payments.append_across(requiring(999), &options).await;
        assert_eq!(written.unwrap().len(), 1, "{store}");
    }
}
