//! A log has one kind: no event of another enum gets into it in any way, and no caller reads it as another kind.

use crate::postgres::TestStore;
use eventlogs::ids::LogId;
use eventlogs::stores::{
    AppendAcrossRequest, AppendError, AppendRequest, ReadError, ReadRequest, ReadStart, StoreError,
};
use eventlogs::{
    Aggregate, AppendOptions, Appends, CreateOptions, DecideError, DecideOptions, Event,
    EventRecord, EventStore, LogManager, LogManagerError, LogManagerOptions, LogState, LogType,
    MemoryAggregationCache, PostgresEventStore, SqliteEventStore, event_handler, sqlx,
};
use futures_util::future::{join, join_all};

#[derive(Debug, Clone, PartialEq, Event)]
enum OrderEvent {
    #[event(name = "order.placed")]
    Placed { cents: u64 },
}

#[derive(Debug, Default, Clone, Aggregate)]
#[aggregate(event = OrderEvent)]
struct Order {
    cents: u64,
}

#[event_handler(OrderEvent)]
impl Order {
    #[on(Placed)]
    fn place(&mut self, cents: u64) {
        self.cents += cents;
    }
}

#[derive(Debug, Clone, PartialEq, Event)]
enum PaymentEvent {
    #[event(name = "payment.captured")]
    Captured { cents: u64 },
}

#[derive(Debug, Default, Clone, Aggregate)]
#[aggregate(event = PaymentEvent)]
struct Payment {
    cents: u64,
}

#[event_handler(PaymentEvent)]
impl Payment {
    #[on(Captured)]
    fn capture(&mut self, cents: u64) {
        self.cents += cents;
    }
}

const PLACED: OrderEvent = OrderEvent::Placed { cents: 3 };
const CAPTURED: PaymentEvent = PaymentEvent::Captured { cents: 5 };

fn manager<A: Aggregate>(store: impl EventStore<A::Event>) -> LogManager<A> {
    LogManager::new(
        store,
        MemoryAggregationCache::default(),
        LogManagerOptions::default(),
    )
}

fn is_wrong(error: &LogManagerError, log: LogId) -> bool {
    matches!(
        error,
        LogManagerError::WrongKind { log_id, found, expected, .. }
            if *log_id == log && found == "order" && *expected == "payment"
    )
}

/// Tries every way to write into an order's log, and every way to read it, with a manager of payments.
#[expect(clippy::too_many_lines, reason = "one or two lines per way")]
async fn no_road_leads_into_a_log_of_another_kind<S>(store: S)
where
    S: EventStore<OrderEvent> + EventStore<PaymentEvent> + Clone,
{
    let orders = manager::<Order>(store.clone());
    let payments = manager::<Payment>(store.clone());
    let log_id = LogId::new();
    let order = orders
        .create(log_id, &PLACED, CreateOptions::NONE)
        .await
        .unwrap();
    let order = orders
        .append(order, &PLACED, AppendOptions::NONE)
        .await
        .unwrap();
    let own = LogId::new();
    let payment = payments
        .create(own, &CAPTURED, CreateOptions::NONE)
        .await
        .unwrap();

    let none = AppendOptions::NONE;
    // The end of the log, its end by index, and positions that are not its end.
    let states = [
        order.position().into(),
        LogState::at(log_id, 1),
        LogState::at(log_id, 0),
        LogState::at(log_id, 7),
    ];
    for state in states {
        let refused = payments.append(state, &CAPTURED, none).await.unwrap_err();
        assert!(is_wrong(&refused, log_id), "{state:?}: {refused:?}");
        let refused = payments
            .append_all(state, &[CAPTURED, CAPTURED], none)
            .await;
        assert!(is_wrong(&refused.unwrap_err(), log_id));
        let keyed = AppendOptions {
            idempotency_key: Some(format!("{log_id} {}", state.index())),
            ..AppendOptions::default()
        };
        let refused = payments.append(state, &CAPTURED, &keyed).await.unwrap_err();
        assert!(is_wrong(&refused, log_id), "{state:?}: {refused:?}");
        for several in [
            Appends::new()
                .append(payment, [CAPTURED])
                .append(state, [CAPTURED]),
            Appends::new()
                .append(state, [CAPTURED])
                .create(LogId::new(), [PLACED]),
        ] {
            let refused = payments.append_across(several, none).await.unwrap_err();
            assert!(is_wrong(&refused, log_id), "{state:?}: {refused:?}");
        }
    }
    // Together with others in one batch, and as a link of a chain.
    let state: LogState<PaymentEvent> = order.position().into();
    let busy = (0..20).map(async |_| {
        let created = payments.create(LogId::new(), &CAPTURED, CreateOptions::NONE);
        created.await.map(|_| ())
    });
    let foreign = (0..5).map(async |_| {
        let refused = payments.append(state, &CAPTURED, none).await;
        assert!(is_wrong(&refused.unwrap_err(), log_id));
    });
    let (busy, _) = join(join_all(busy), join_all(foreign)).await;
    assert!(busy.iter().all(Result::is_ok));

    for create_if_missing in [false, true] {
        let options = DecideOptions {
            create_if_missing,
            ..DecideOptions::default()
        };
        let decided = payments
            .decide(log_id, &options, |_| Ok::<_, ()>([CAPTURED]))
            .await;
        assert!(
            matches!(&decided, Err(DecideError::Log(error)) if is_wrong(error, log_id)),
            "{decided:?}"
        );
    }
    let exists = payments
        .create(log_id, &CAPTURED, CreateOptions::NONE)
        .await;
    assert!(
        matches!(exists, Err(LogManagerError::LogAlreadyExists { .. })),
        "{exists:?}"
    );

    assert!(is_wrong(
        &payments.reduce(log_id).await.unwrap_err(),
        log_id
    ));
    assert!(is_wrong(
        &payments.load(log_id, 0, 10).await.unwrap_err(),
        log_id
    ));
    assert!(is_wrong(
        &payments.load(log_id, 1, 1).await.unwrap_err(),
        log_id
    ));
    let at = eventlogs::PointInTime::Index(0);
    assert!(is_wrong(
        &payments.reduce_at(log_id, at).await.unwrap_err(),
        log_id
    ));

    // The logs are unchanged.
    let order = orders.reduce(log_id).await.unwrap();
    assert_eq!((order.aggregate().cents, order.through_index()), (6, 1));
    assert_eq!(payments.reduce(own).await.unwrap().through_index(), 0);
    orders.append(&order, &PLACED, none).await.unwrap();
}

#[tokio::test]
async fn no_road_leads_into_a_log_of_another_kind_in_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let file = SqliteEventStore::open(folder.path().join("kinds.db"));
    no_road_leads_into_a_log_of_another_kind(file.await.unwrap()).await;
    no_road_leads_into_a_log_of_another_kind(SqliteEventStore::in_memory().await.unwrap()).await;
}

#[tokio::test]
async fn no_road_leads_into_a_log_of_another_kind_in_postgres() {
    let Some(server) = TestStore::new().await else {
        return;
    };
    no_road_leads_into_a_log_of_another_kind(server.store.clone()).await;
    into_a_transaction_of_ones_own(&server.store, &server.pool().await).await;
}

async fn into_a_transaction_of_ones_own(store: &PostgresEventStore, pool: &sqlx::PgPool) {
    let orders = manager::<Order>(store.clone());
    let log_id = LogId::new();
    let order = orders
        .create(log_id, &PLACED, CreateOptions::NONE)
        .await
        .unwrap();
    let mut transaction = pool.begin().await.unwrap();
    let refused = store
        .append_in(
            &mut transaction,
            order.position(),
            &[CAPTURED],
            AppendOptions::NONE,
        )
        .await;
    assert!(is_wrong(&refused.unwrap_err(), log_id));
    let begun = LogId::new();
    let payment = store
        .create_in(&mut transaction, begun, &CAPTURED, CreateOptions::NONE)
        .await
        .unwrap();
    store
        .append_in(&mut transaction, payment, &[CAPTURED], AppendOptions::NONE)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    let payments = manager::<Payment>(store.clone());
    assert_eq!(payments.reduce(begun).await.unwrap().aggregate().cents, 10);
    let wrong = orders.reduce(begun).await.unwrap_err();
    assert!(
        matches!(&wrong, LogManagerError::WrongKind { found, expected: "order", .. } if found == "payment"),
        "{wrong:?}"
    );
}

/// A key that a log of the other kind used is not the outcome of this request.
async fn a_key_of_another_kind_is_reused<S>(store: S)
where
    S: EventStore<OrderEvent> + EventStore<PaymentEvent> + Clone,
{
    let orders = manager::<Order>(store.clone());
    let payments = manager::<Payment>(store);
    let first = LogId::new();
    let options = CreateOptions {
        idempotency_key: Some(format!("key of {first}")),
        ..CreateOptions::default()
    };
    orders.create(first, &PLACED, &options).await.unwrap();
    let reused = payments.create(LogId::new(), &CAPTURED, &options).await;
    assert!(
        matches!(reused, Err(LogManagerError::IdempotencyKeyReused { log_id, .. }) if log_id == first),
        "{reused:?}"
    );
    let replay = orders.create(LogId::new(), &PLACED, &options).await;
    assert!(
        matches!(replay, Err(LogManagerError::IdempotentReplay { log_id, .. }) if log_id == first),
        "{replay:?}"
    );
    let options = DecideOptions {
        idempotency_key: options.idempotency_key,
        create_if_missing: true,
        ..DecideOptions::default()
    };
    let reused = payments
        .decide(LogId::new(), &options, |_| Ok::<_, ()>([CAPTURED]))
        .await;
    assert!(
        matches!(
            reused,
            Err(DecideError::Log(LogManagerError::IdempotencyKeyReused { log_id, .. })) if log_id == first
        ),
        "{reused:?}"
    );
}

#[tokio::test]
async fn a_key_of_another_kind_is_reused_on_every_store() {
    a_key_of_another_kind_is_reused(SqliteEventStore::in_memory().await.unwrap()).await;
    if let Some(server) = TestStore::new().await {
        a_key_of_another_kind_is_reused(server.store.clone()).await;
    }
}

/// The current name of the kind that was called an order once, and had yet another name before.
mod renamed {
    use eventlogs::{Aggregate, Event, EventRecord};

    #[derive(Debug, Clone, PartialEq)]
    pub(super) struct PurchaseEvent(pub(super) super::OrderEvent);

    impl Event for PurchaseEvent {
        type Codec = <super::OrderEvent as Event>::Codec;
        const LOG_TYPE: super::LogType =
            super::LogType::new("purchase").with_aliases(&["deal", "order"]);
        const SCHEMA: &'static [eventlogs::EventSchema] = super::OrderEvent::SCHEMA;

        fn event_type(&self) -> eventlogs::EventType {
            self.0.event_type()
        }

        fn serialize_payload<S: serde::Serializer>(
            &self,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            self.0.serialize_payload(serializer)
        }

        fn decode(
            stored: &eventlogs::codec::StoredPayload<'_>,
        ) -> Result<Self, eventlogs::codec::DecodeProblem> {
            super::OrderEvent::decode(stored).map(Self)
        }
    }

    #[derive(Debug, Default, Clone)]
    pub(super) struct Purchase {
        pub(super) cents: u64,
    }

    impl Aggregate for Purchase {
        type Event = PurchaseEvent;

        fn apply(&mut self, record: &impl EventRecord<PurchaseEvent>) {
            let super::OrderEvent::Placed { cents } = record.event().0;
            self.cents += cents;
        }
    }
}

/// A log of a former name is read and continued by every kind of append; a log of the current name does not have the old kind.
async fn a_log_of_a_former_name_goes_on<S>(before: S, after: S)
where
    S: EventStore<OrderEvent> + EventStore<renamed::PurchaseEvent> + Clone,
{
    use renamed::{Purchase, PurchaseEvent};
    let placed = || PurchaseEvent(PLACED);
    let orders = manager::<Order>(before);
    let purchases = manager::<Purchase>(after);
    let none = AppendOptions::NONE;
    let (old, other) = (LogId::new(), LogId::new());
    for log_id in [old, other] {
        orders
            .create(log_id, &PLACED, CreateOptions::NONE)
            .await
            .unwrap();
    }
    let keyed = AppendOptions {
        idempotency_key: Some(format!("goes on {old}")),
        ..AppendOptions::default()
    };
    let state = purchases
        .append(LogState::at(old, 0), &placed(), none)
        .await
        .unwrap();
    let state = purchases.append(state, &placed(), none).await.unwrap();
    let state = purchases
        .append_all(state, &[placed(), placed()], none)
        .await
        .unwrap();
    let state = purchases.append(state, &placed(), &keyed).await.unwrap();
    let new = LogId::new();
    let several = Appends::new()
        .append(state, [placed(), placed()])
        .create(new, [placed()])
        .append(LogState::at(other, 0), [placed()]);
    purchases.append_across(several, none).await.unwrap();
    let decisions =
        (0..10).map(|_| purchases.decide(old, DecideOptions::NONE, |_| Ok::<_, ()>([placed()])));
    for decided in join_all(decisions).await {
        decided.unwrap();
    }
    assert_eq!(
        purchases.reduce(old).await.unwrap().aggregate().cents,
        3 * 18
    );
    // The former code still reads the events that the current code added.
    assert_eq!(orders.reduce(old).await.unwrap().aggregate().cents, 3 * 18);
    assert_eq!(orders.reduce(other).await.unwrap().through_index(), 1);
    let newer = orders.reduce(new).await;
    assert!(
        matches!(&newer, Err(LogManagerError::WrongKind { found, .. }) if found == "purchase"),
        "{newer:?}"
    );
}

#[tokio::test]
async fn a_log_of_a_former_name_goes_on_in_every_store() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("orders.db");
    let before = SqliteEventStore::open(&file).await.unwrap();
    let after = SqliteEventStore::open(&file).await.unwrap();
    a_log_of_a_former_name_goes_on(before, after).await;
    if let Some(server) = TestStore::new().await {
        let after =
            PostgresEventStore::connect_with(server.connect.clone(), server.options.clone());
        let after = after.await.unwrap();
        a_log_of_a_former_name_goes_on(server.store.clone(), after).await;
    }
}

/// Another enum with the same name, in another module.
mod elsewhere {
    #[derive(Debug, Clone, eventlogs::Event)]
    pub(super) enum PaymentEvent {
        #[event(name = "rent.paid")]
        Paid,
    }
}

async fn two_enums_of_one_kind_are_noticed<S>(store: S)
where
    S: EventStore<PaymentEvent> + EventStore<elsewhere::PaymentEvent> + Clone,
{
    let log_id = LogId::new();
    manager::<Payment>(store.clone())
        .create(log_id, &CAPTURED, CreateOptions::NONE)
        .await
        .unwrap();
    let is_noticed = |error: &StoreError| {
        matches!(error, StoreError::LogTypeTwice { log_type: "payment", one, other }
            if one.ends_with("kinds::PaymentEvent") && other.ends_with("elsewhere::PaymentEvent"))
    };
    let paid = [elsewhere::PaymentEvent::Paid];
    let created = EventStore::append(&store, AppendRequest::create(LogId::new(), &paid)).await;
    assert!(
        matches!(&created, Err(AppendError::Store(error)) if is_noticed(error)),
        "{created:?}"
    );
    let read = ReadRequest::new(log_id, ReadStart::Index(0), 1);
    let read = EventStore::<elsewhere::PaymentEvent>::read(&store, read).await;
    assert!(
        matches!(&read, Err(ReadError::Store(error)) if is_noticed(error)),
        "{read:?}"
    );
    let several = AppendAcrossRequest::new(Appends::new().create(LogId::new(), paid));
    let several = EventStore::<PaymentEvent>::append_across(&store, several).await;
    assert!(
        matches!(&several, Err(AppendError::Store(error)) if is_noticed(error)),
        "{several:?}"
    );
}

#[tokio::test]
async fn two_enums_of_one_kind_are_noticed_in_every_store() {
    two_enums_of_one_kind_are_noticed(SqliteEventStore::in_memory().await.unwrap()).await;
    if let Some(server) = TestStore::new().await {
        two_enums_of_one_kind_are_noticed(server.store.clone()).await;
    }
}

/// The kind is recorded with the first event, however the log was created.
#[tokio::test]
async fn every_way_to_create_a_log_records_the_same_kind() {
    let Some(server) = TestStore::new().await else {
        return;
    };
    let store = &server.store;
    let payments = manager::<Payment>(store.clone());
    payments
        .create(LogId::new(), &CAPTURED, CreateOptions::NONE)
        .await
        .unwrap();
    let several = Appends::new().create(LogId::new(), [CAPTURED, CAPTURED]);
    payments
        .append_across(several, AppendOptions::NONE)
        .await
        .unwrap();
    let options = DecideOptions {
        create_if_missing: true,
        ..DecideOptions::default()
    };
    payments
        .decide(LogId::new(), &options, |_| {
            Ok::<_, ()>([CAPTURED, CAPTURED])
        })
        .await
        .unwrap();
    let mut transaction = server.pool().await.begin().await.unwrap();
    store
        .create_in(
            &mut transaction,
            LogId::new(),
            &CAPTURED,
            CreateOptions::NONE,
        )
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    let rows: Vec<(Option<String>, i32, i64)> = sqlx::query_as(
        "select log_type, kind, count(*) from events group by log_type, kind order by log_type",
    )
    .fetch_all(&mut server.connection().await)
    .await
    .unwrap();
    let number = LogType::new("payment").number();
    let expected = [(Some("payment".to_owned()), number, 4), (None, number, 2)];
    assert_eq!(rows, expected);
}

/// The futures of calls outlive the statement that created them.
#[tokio::test]
async fn calls_can_be_kept_in_variables() {
    let payments = manager::<Payment>(SqliteEventStore::in_memory().await.unwrap());
    let (one, other) = tokio::join!(
        payments.create(LogId::new(), &CAPTURED, CreateOptions::NONE),
        payments.create(LogId::new(), &CAPTURED, CreateOptions::NONE),
    );
    let ids = [one.unwrap().log_id(), other.unwrap().log_id()];
    let decisions = ids
        .iter()
        .map(|id| payments.decide(id, DecideOptions::NONE, |_| Ok::<_, ()>([CAPTURED])));
    for decided in join_all(decisions).await {
        assert_eq!(decided.unwrap().aggregation().through_index(), 1);
    }
    let later = payments.reduce(LogId::new());
    assert!(later.await.is_err());
    let record = payments.load(&ids[0], 0, 1).await.unwrap().remove(0);
    assert_eq!(record.log_id(), ids[0]);
}
