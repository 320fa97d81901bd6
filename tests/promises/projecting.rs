//! The test kit for projections: the tests that it passes, the tests that it fails, and its messages.

use crate::postgres::TestStore;
use eventlogs::ids::LogId;
use eventlogs::projection::RowKeys;
use eventlogs::testing::projected_by;
use eventlogs::testing::{laws, projected};
use eventlogs::{Event, EventRecord, FeedRecord, Metadata, Projection, Rows, event_handler};
use serde::{Deserialize, Serialize};
use sqlx::{Connection, Executor, PgConnection, SqliteConnection};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicI64, Ordering};

#[derive(Debug, Clone, Event)]
enum PaymentEvent {
    #[event(name = "payment.requested")]
    Requested { customer: String },
    #[event(name = "payment.captured")]
    Captured { cents: i64 },
    #[event(name = "payment.noted")]
    Noted,
    #[event(name = "payment.settled")]
    Settled,
}

#[derive(Debug, Clone, Event)]
enum OrderEvent {
    #[event(name = "order.placed")]
    Placed { customer: String },
}

/// No projection here follows it.
#[derive(Debug, Event)]
enum DoorEvent {
    #[event(name = "door.opened")]
    Opened,
}

/// An open payment.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize, Projection)]
#[projection(
    name = "open_payments",
    events(PaymentEvent),
    database = sqlite,
    table = "open_payments",
    keep = Self::is_open,
    create = "create table open_payments (
        id text primary key, cents integer not null, events integer not null, settled integer not null,
        recorded text, occurred text, correlations text not null, through integer
    )"
)]
struct OpenPayment {
    #[key]
    id: LogId,
    cents: i64,
    events: u32,
    settled: bool,
    recorded: Option<String>,
    occurred: Option<String>,
    correlations: String,
    #[through]
    through: Option<u64>,
}

impl OpenPayment {
    const fn is_open(&self) -> bool {
        !self.settled
    }
}

#[event_handler(PaymentEvent, ignore(Requested | Noted))]
impl OpenPayment {
    #[on(Captured)]
    fn capture(&mut self, cents: i64, #[record] record: &impl EventRecord<PaymentEvent>) {
        assert_ne!(cents, BAD, "an amount on purpose");
        self.cents += cents;
        self.events += 1;
        self.recorded = Some(record.recorded_at().to_rfc3339());
        self.occurred = record.occurred_at().map(|time| time.to_rfc3339());
        if self.events > 1 {
            self.correlations.push(',');
        }
        let correlation = record.metadata().correlation_id.as_deref();
        self.correlations.push_str(correlation.unwrap_or("-"));
    }

    #[on(Settled)]
    fn settle(&mut self) {
        self.settled = true;
    }
}

/// What a customer has to do with the shop.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize, Projection)]
#[projection(
    name = "customers",
    events(PaymentEvent by payer, OrderEvent by buyer),
    database = sqlite,
    table = "customers"
)]
struct Customer {
    #[key]
    name: String,
    payments: u32,
    orders: u32,
}

fn payer(record: &FeedRecord<PaymentEvent>) -> RowKeys<String> {
    match record.event() {
        PaymentEvent::Requested { customer } => RowKeys::one(customer.clone()),
        _ => RowKeys::none(),
    }
}

fn buyer(record: &FeedRecord<OrderEvent>) -> RowKeys<String> {
    let OrderEvent::Placed { customer } = record.event();
    RowKeys::one(customer.clone())
}

#[event_handler(PaymentEvent, ignore(_))]
impl Customer {
    #[on(Requested)]
    fn request(&mut self) {
        self.payments += 1;
    }
}

#[event_handler(OrderEvent)]
impl Customer {
    #[on(Placed)]
    fn place(&mut self) {
        self.orders += 1;
    }
}

/// The amount that no handler can handle.
const BAD: i64 = 13;

fn captured(cents: i64) -> PaymentEvent {
    PaymentEvent::Captured { cents }
}

fn requested(customer: &str) -> PaymentEvent {
    PaymentEvent::Requested {
        customer: customer.to_owned(),
    }
}

fn placed(customer: &str) -> OrderEvent {
    OrderEvent::Placed {
        customer: customer.to_owned(),
    }
}

fn log(number: u8) -> LogId {
    LogId::derived("projecting", number.to_string())
}

/// Returns the message of a test that fails.
fn failure<T>(test: impl FnOnce() -> T) -> String {
    let Err(panic) = catch_unwind(AssertUnwindSafe(test)) else {
        panic!("it passed");
    };
    match panic.downcast::<String>() {
        Ok(message) => *message,
        Err(panic) => panic.downcast_ref::<&str>().unwrap().to_string(),
    }
}

/// Fails unless a message has all these parts.
fn assert_says(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "`{part}` is missing: {message}");
    }
}

mod rows {
    use super::*;

    #[test]
    fn rows_are_the_fold_of_the_logs() {
        let scenario = projected::<OpenPayment>()
            .given(log(1), [captured(70), PaymentEvent::Noted])
            .given(log(2), [captured(5), PaymentEvent::Settled])
            .given(log(1), [captured(30)])
            .given(log(3), [requested("Ada"), PaymentEvent::Noted]);
        let row = scenario.row(&log(1)).expect("it is open");
        assert_eq!((row.id, row.cents, row.events), (log(1), 100, 2));
        assert_eq!(
            row.through,
            Some(2),
            "what is not wanted has its index, too"
        );
        // One second per event.
        assert_eq!(row.recorded.as_deref(), Some("2026-01-01T00:00:04+00:00"));
        assert_eq!(scenario.row(&log(2)), None, "it is not kept");
        assert_eq!(scenario.row(&log(3)), None, "nothing is wanted");
        assert_eq!(scenario.rows(), [row]);
        // An event after the last one of a row that was not kept begins a new row.
        let scenario = scenario.given(log(2), [captured(6)]);
        assert_eq!(scenario.row(&log(2)).map(|row| row.cents), Some(6));
        assert_eq!(scenario.rows().len(), 2);
    }

    #[test]
    fn times_are_those_of_the_test() {
        let times = ["2027-01-01T00:00:00Z", "2026-12-31T12:00:00Z"];
        let [recorded, occurred] = times.map(|time| time.parse().unwrap());
        let scenario = projected::<OpenPayment>()
            .given(log(1), [captured(1)])
            .recorded_at(recorded)
            .occurred_at(occurred)
            .given(log(2), [captured(1)])
            .recorded_at(occurred);
        let row = scenario.row(&log(1)).unwrap();
        assert_eq!(row.recorded.as_deref(), Some("2027-01-01T00:00:00+00:00"));
        assert_eq!(row.occurred.as_deref(), Some("2026-12-31T12:00:00+00:00"));
        // Along a log the time never falls, although another log is behind.
        let scenario = scenario.given(log(1), [captured(1)]);
        let row = scenario.row(&log(1)).unwrap();
        assert_eq!(row.recorded.as_deref(), Some("2027-01-01T00:00:01+00:00"));
        let message = failure(|| scenario.clone().recorded_at(occurred));
        assert_says(&message, &["never falls along a log"]);
        for message in [
            failure(|| projected::<OpenPayment>().recorded_at(occurred)),
            failure(|| projected::<OpenPayment>().occurred_at(occurred)),
        ] {
            assert_says(&message, &["no event that can be changed"]);
        }
    }

    #[test]
    fn metadata_is_that_of_the_test() {
        let metadata = |id: &str| {
            Metadata::new()
                .with_correlation_id(id)
                .with("tenant", "acme")
        };
        let scenario = projected::<OpenPayment>()
            .given(log(1), [captured(1), PaymentEvent::Noted, captured(2)])
            .metadata(&metadata("first"))
            .given(log(1), [captured(3)])
            .given(log(2), [captured(3)])
            .metadata(&metadata("second"));
        let row = scenario.row(&log(1)).unwrap();
        assert_eq!(row.correlations, "first,first,-");
        assert_eq!(scenario.row(&log(2)).unwrap().correlations, "second");
        let message = failure(|| projected::<OpenPayment>().metadata(&metadata("third")));
        assert_says(&message, &["no event that can be changed"]);
    }

    #[test]
    fn events_of_several_enums_share_rows_by_a_key_of_their_own() {
        let scenario = projected::<Customer>()
            .given(log(1), [requested("Ada"), captured(1)])
            .given(log(2), [placed("Grace")])
            .given(log(3), [placed("Ada")]);
        let ada = scenario.row(&"Ada".to_owned());
        let ada = ada.expect("she has ordered");
        assert_eq!((ada.payments, ada.orders), (1, 1));
        let names = scenario.rows();
        let names: Vec<_> = names.iter().map(|row| row.name.as_str()).collect();
        assert_eq!(names, ["Ada", "Grace"]);
    }

    #[test]
    fn mistakes_are_named() {
        let scenario = projected::<OpenPayment>();
        let message = failure(|| scenario.clone().given(log(1), [DoorEvent::Opened]));
        assert_says(&message, &["`OpenPayment` never gets a `DoorEvent`"]);

        let customers = projected::<Customer>().given(log(1), [placed("Ada")]);
        let message = failure(|| customers.given(log(1), [captured(1)]));
        let log_1 = log(1).to_string();
        assert_says(&message, &[&log_1, "another enum than `PaymentEvent`"]);

        let bad = scenario.given(log(1), [captured(1), captured(BAD), captured(1)]);
        for message in [
            failure(|| bad.rows()),
            failure(|| laws::any_pages_give_the_same_rows([bad.clone()])),
        ] {
            let event = format!("event 1 of log {log_1} (`payment.captured`)");
            assert_says(&message, &["`OpenPayment`", &event, "an amount on purpose"]);
        }
    }
}

mod any_pages {
    use super::*;

    eventlogs::testing::projection_laws!(
        open_payment_laws,
        OpenPayment,
        laws::every_sequence([captured(1), captured(2), PaymentEvent::Settled], 3)
            .into_iter()
            .map(|events| projected()
                .given(log(1), events.clone())
                .given(log(2), events.clone())
                .given(log(1), events))
    );

    /// A number that serde leaves out.
    #[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
    struct Forgotten {
        #[serde(skip)]
        cents: i64,
    }

    #[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize, Projection)]
    #[projection(name = "forgetful", events(PaymentEvent), database = sqlite, table = "forgetful")]
    struct Forgetful {
        #[key]
        id: LogId,
        total: i64,
        forgotten: Forgotten,
    }

    #[event_handler(PaymentEvent, ignore(_))]
    impl Forgetful {
        #[on(Captured)]
        fn capture(&mut self, cents: i64) {
            self.forgotten.cents += cents;
            self.total = self.forgotten.cents;
        }
    }

    static CALLS: AtomicI64 = AtomicI64::new(0);

    #[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize, Projection)]
    #[projection(name = "counting", events(PaymentEvent), database = sqlite, table = "counting")]
    struct Counting {
        #[key]
        id: LogId,
        calls: i64,
    }

    #[event_handler(PaymentEvent, ignore(_))]
    impl Counting {
        #[on(Captured)]
        fn capture(&mut self) {
            self.calls = CALLS.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn rows_that_depend_on_the_pages_break_the_law() {
        let given = || projected().given(log(1), [captured(1), captured(2), captured(4)]);
        let message = failure(|| laws::any_pages_give_the_same_rows::<Forgetful>([given()]));
        assert_says(
            &message,
            &["scenario 0", "pages of [3]", "total: 4,", "total: 7,"],
        );
    }

    #[test]
    fn rows_that_depend_on_a_global_break_the_law() {
        let given = || projected().given(log(1), [captured(1), captured(2)]);
        let message = failure(|| laws::any_pages_give_the_same_rows::<Counting>([given()]));
        assert_says(&message, &["a global", "calls: 1", "calls: 3"]);
    }

    #[test]
    fn the_law_needs_events() {
        let given = || projected::<OpenPayment>().given(log(1), [captured(1)]);
        for scenarios in [vec![], vec![given()]] {
            let message = failure(|| laws::any_pages_give_the_same_rows(scenarios));
            assert_says(&message, &["the law was not tested"]);
        }
    }
}

/// A projection with SQL of its own, over two enums.
#[derive(Projection)]
#[projection(
    name = "sums",
    events(PaymentEvent, OrderEvent),
    database = sqlite,
    create = "create table sums (account text not null, customer text, cents integer not null)"
)]
struct Sums {
    account: &'static str,
}

#[event_handler(PaymentEvent, ignore(_))]
impl Sums {
    #[on(Captured)]
    async fn capture(&self, cents: i64, #[context] db: &mut SqliteConnection) -> sqlx::Result<()> {
        assert_ne!(cents, BAD, "an amount on purpose");
        let insert = sqlx::query("insert into sums values ($1, null, $2)");
        let insert = insert.bind(self.account).bind(cents);
        insert.execute(db).await.map(|_| ())
    }
}

#[event_handler(OrderEvent)]
impl Sums {
    #[on(Placed)]
    async fn place(
        &self,
        customer: &str,
        #[context] db: &mut SqliteConnection,
    ) -> Result<(), String> {
        if customer.is_empty() {
            return Err("a customer has a name".to_owned());
        }
        let insert = sqlx::query("insert into sums values ($1, $2, 0)");
        let insert = insert.bind(self.account).bind(customer.to_owned());
        let inserted = insert.execute(db).await;
        inserted.map(|_| ()).map_err(|error| error.to_string())
    }
}

mod handlers {
    use super::*;

    async fn database() -> SqliteConnection {
        let connected = SqliteConnection::connect("sqlite::memory:").await;
        connected.unwrap()
    }

    async fn sums(db: &mut SqliteConnection) -> (i64, i64) {
        let read = sqlx::query_as("select count(*), sum(cents) from sums where account = 'a'");
        read.fetch_one(db).await.unwrap()
    }

    /// Returns the message of a test that fails.
    async fn failure<T: Send + 'static>(test: impl Future<Output = T> + Send + 'static) -> String {
        let panic = tokio::spawn(test)
            .await
            .err()
            .expect("it fails")
            .into_panic();
        *panic.downcast::<String>().unwrap()
    }

    #[tokio::test]
    async fn handlers_run_once_per_event_on_the_connection() {
        let mut db = database().await;
        let projection = Sums { account: "a" };
        let scenario = projected_by(&projection)
            .given(log(1), [requested("Ada"), captured(70), captured(30)])
            .given(log(2), [placed("Grace")])
            .apply_in(&mut db)
            .await;
        assert_eq!(sums(&mut db).await, (3, 100));
        // The tables exist, and only the new event is applied.
        let scenario = scenario.given(log(1), [captured(5)]);
        let scenario = scenario.apply_in(&mut db).await;
        assert_eq!(sums(&mut db).await, (4, 105));
        let _ = scenario.apply_in(&mut db).await;
        assert_eq!(sums(&mut db).await, (4, 105));
    }

    /// Sums on a server, and rows there.
    #[derive(Projection)]
    #[projection(
        name = "kit_sums",
        events(PaymentEvent),
        database = postgres,
        create = "create table kit_sums (id uuid not null, cents bigint not null)"
    )]
    struct PostgresSums;

    #[event_handler(PaymentEvent, ignore(_))]
    impl PostgresSums {
        #[on(Captured)]
        async fn capture(
            &self,
            cents: i64,
            #[record] record: &FeedRecord<PaymentEvent>,
            #[context] db: &mut PgConnection,
        ) -> sqlx::Result<()> {
            let insert = sqlx::query("insert into kit_sums values ($1, $2)");
            let insert = insert.bind(*record.log_id().as_uuid()).bind(cents);
            insert.execute(db).await.map(|_| ())
        }
    }

    #[derive(Debug, Default, Clone, Serialize, Deserialize, Projection)]
    #[projection(
        name = "kit_rows",
        events(PaymentEvent),
        database = postgres,
        table = "kit_rows",
        create = "create table kit_rows (id uuid primary key, cents bigint not null)"
    )]
    struct PostgresRow {
        #[key]
        id: LogId,
        cents: i64,
    }

    #[event_handler(PaymentEvent, ignore(_))]
    impl PostgresRow {
        #[on(Captured)]
        fn capture(&mut self, cents: i64) {
            self.cents += cents;
        }
    }

    #[tokio::test]
    async fn handlers_and_rows_run_on_postgres() {
        let Some(server) = TestStore::new().await else {
            return;
        };
        let mut db = server.connection().await;
        let sums = projected_by(&PostgresSums).given(log(1), [captured(70), captured(30)]);
        let sums = sums.apply_in(&mut db).await;
        let _ = sums.given(log(2), [captured(5)]).apply_in(&mut db).await;
        let rows = Rows::<PostgresRow>::new();
        let scenario = projected_by(&rows).given(log(1), [captured(70), captured(30)]);
        let scenario = scenario.apply_in(&mut db).await;
        let scenario = scenario
            .given(log(2), [captured(5)])
            .given(log(1), [captured(4)]);
        let _ = scenario.apply_in(&mut db).await;
        let read = "select (select count(*) from kit_sums), (select sum(cents)::bigint from kit_sums),
                           (select cents from kit_rows where id = $1), (select cents from kit_rows where id = $2)";
        let read = sqlx::query_as(read)
            .bind(*log(1).as_uuid())
            .bind(*log(2).as_uuid());
        let found: (i64, i64, i64, i64) = read.fetch_one(&mut db).await.unwrap();
        assert_eq!(found, (3, 105, 104, 5));
    }

    #[tokio::test]
    async fn rows_are_the_same_on_a_real_table() {
        let mut db = database().await;
        let rows = Rows::<OpenPayment>::new();
        let events = || [captured(70), PaymentEvent::Noted, captured(30)];
        let settled = || [captured(5), PaymentEvent::Settled];
        let on_table = projected_by(&rows)
            .given(log(1), events())
            .given(log(2), settled());
        let _ = on_table.apply_in(&mut db).await;
        let in_memory = projected::<OpenPayment>()
            .given(log(1), events())
            .given(log(2), settled());
        let row = in_memory.row(&log(1)).unwrap();
        let read = "select id, cents, events, recorded, through from open_payments";
        let found: Vec<(String, i64, u32, String, i64)> =
            sqlx::query_as(read).fetch_all(&mut db).await.unwrap();
        let recorded = row.recorded.unwrap();
        let expected = (row.id.to_string(), row.cents, row.events, recorded, 2);
        assert_eq!(found, [expected]);
    }

    #[tokio::test]
    async fn mistakes_are_named() {
        const SUMS: Sums = Sums { account: "a" };
        let message = failure(async {
            let mut db = database().await;
            let scenario = projected_by(&SUMS).given(log(1), [captured(1), captured(BAD)]);
            let _ = scenario.apply_in(&mut db).await;
        });
        let event = format!("event 1 of log {} (`payment.captured`)", log(1));
        assert_says(&message.await, &["`Sums`", &event, "an amount on purpose"]);

        let message = failure(async {
            let mut db = database().await;
            let scenario = projected_by(&SUMS).given(log(1), [placed("Ada"), placed("")]);
            let _ = scenario.apply_in(&mut db).await;
        });
        let event = format!("event 1 of log {} (`order.placed`)", log(1));
        assert_says(&message.await, &[&event, "a customer has a name"]);

        let message = failure(async {
            let mut db = database().await;
            db.execute("create table sums (id integer)").await.unwrap();
            let _ = projected_by(&SUMS).apply_in(&mut db).await;
        });
        let parts = ["`create` of `Sums`", "an empty database", "already exists"];
        assert_says(&message.await, &parts);

        let message = failure(async {
            let _ = projected_by(&SUMS).given(log(1), [DoorEvent::Opened]);
        });
        assert_says(&message.await, &["`Sums` never gets a `DoorEvent`"]);
    }
}
