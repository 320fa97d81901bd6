//! Tallies of payments: rows whose handlers add up, so that an event that is applied twice or not at all shows.

use crate::payments::{Payment, PaymentEvent, payments};
use crate::postgres::TestStore;
use crate::sqlite_file;
use crate::sqlite_file::TemporaryStore;
use eventlogs::ids::LogId;
use eventlogs::projection::{CatchUpError, CheckpointStore, Postgres, ResumableRow, Sqlite};
use eventlogs::subscriptions::{RunningSubscriptions, SubscriptionOptions, Subscriptions};
use eventlogs::{
    AppendOptions, CreateOptions, EventFeed, EventHandler, EventRecord, EventStore, LogManager,
    LogManagerError, LogState, PostgresEventStore, ProjectedRow, Rows, SqliteEventStore,
};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, Executor, PgPool};
use std::collections::BTreeMap;
use std::error::Error;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// The amount at which the handler panics.
pub(crate) const PANICS: u64 = 1_300;

/// Makes rows of one database.
macro_rules! tallies {
    ($row:ident, $name:literal, $database:ident, $create:expr) => {
        #[derive(Debug, Default, Clone, PartialEq, serde::Serialize, serde::Deserialize, eventlogs::Projection)]
        #[projection(
            name = $name, events(crate::payments::PaymentEvent), database = $database, table = "tallies", create = $create
        )]
        pub(crate) struct $row {
            #[key]
            id: eventlogs::ids::LogId,
            requested: u64,
            captured: u64,
            events: u64,
            #[through]
            through: Option<u64>,
        }

        #[eventlogs::event_handler(crate::payments::PaymentEvent, ignore(Rated | Voided | Refunded))]
        impl $row {
            #[on(Requested)]
            fn request(&mut self, amount: u64) {
                self.requested += amount;
                self.events += 1;
            }

            #[on(Captured)]
            fn capture(&mut self, amount: u64) {
                assert_ne!(amount, crate::inline::PANICS, "an amount on purpose");
                self.captured += amount;
                self.events += 1;
            }
        }
    };
}
pub(crate) use tallies;

/// What a row has but its key.
const COLUMNS: [&str; 4] = ["requested", "captured", "events", "through"];

pub(crate) fn content(row: &impl serde::Serialize) -> Value {
    let row = serde_json::to_value(row).unwrap();
    let columns = COLUMNS.map(|name| (name.to_owned(), row[name].clone()));
    Value::Object(columns.into_iter().collect())
}

pub(crate) type Written = Result<(LogState<PaymentEvent>, Value), Box<dyn Error + Send + Sync>>;

/// A store with rows, and what a user does with them.
pub(crate) trait Stand: Send + Sync + 'static {
    type Store: EventStore<PaymentEvent> + CheckpointStore;
    type Row: ResumableRow + EventHandler<PaymentEvent> + std::fmt::Debug;

    fn store(&self) -> &Self::Store;

    /// Starts the subscription.
    fn start(&self) -> impl Future<Output = RunningSubscriptions<Self::Store>> + Send;

    /// Appends events, writes the row, and commits or rolls back.
    fn write(
        &self,
        state: LogState<PaymentEvent>,
        events: &[PaymentEvent],
        commit: bool,
    ) -> impl Future<Output = Written> + Send;

    /// Brings the row up to date, without an event.
    fn look(
        &self,
        log_id: LogId,
    ) -> impl Future<Output = Result<Option<Self::Row>, CatchUpError>> + Send;

    /// Reads all rows with plain SQL.
    fn rows(&self) -> impl Future<Output = BTreeMap<LogId, Value>> + Send;

    fn manager(&self) -> LogManager<Payment> {
        payments(self.store().clone())
    }
}

/// Pages of few events, so that the subscription and the transactions meet often.
fn options() -> SubscriptionOptions {
    SubscriptionOptions {
        page_size: 7,
        ..SubscriptionOptions::default()
    }
}

/// A store on the server.
pub(crate) struct OnServer<R> {
    pub(crate) store: PostgresEventStore,
    pub(crate) pool: PgPool,
    pub(crate) lease: Duration,
    pub(crate) tallies: Rows<R>,
}

impl<R: ResumableRow<Database = Postgres>> OnServer<R> {
    /// Makes one, with the tables of the projection; `None` without a server.
    pub(crate) async fn new() -> Option<(TestStore, Self)> {
        let server = TestStore::new().await?;
        forget::<R>(&server).await;
        let stand = Self {
            store: server.store.clone(),
            pool: server.pool().await,
            lease: Duration::from_secs(15),
            tallies: Rows::new(),
        };
        Some((server, stand))
    }
}

/// Removes what an earlier run has left on a server that lives on.
pub(crate) async fn forget<R: ProjectedRow>(server: &TestStore) {
    let drop = format!("drop schema if exists {} cascade", R::NAME);
    let mut connection = server.connection().await;
    let drop = connection.execute(sqlx::raw_sql(AssertSqlSafe(drop)));
    drop.await.unwrap();
}

impl<R> Stand for OnServer<R>
where
    R: ResumableRow<Database = Postgres> + EventHandler<PaymentEvent> + std::fmt::Debug,
{
    type Store = PostgresEventStore;
    type Row = R;

    fn store(&self) -> &PostgresEventStore {
        &self.store
    }

    async fn start(&self) -> RunningSubscriptions<PostgresEventStore> {
        let subscriptions = Subscriptions::new(&self.store).lease(self.lease);
        let subscriptions = subscriptions.projection_with(Rows::<R>::new(), options());
        subscriptions.start().await.unwrap()
    }

    async fn write(
        &self,
        state: LogState<PaymentEvent>,
        events: &[PaymentEvent],
        commit: bool,
    ) -> Written {
        let mut transaction = self.pool.begin().await?;
        let options = AppendOptions::default();
        let appended = self
            .store
            .append_in(&mut transaction, state, events, &options);
        let state = appended.await?;
        let log_id = state.log_id();
        let row = self
            .store
            .catch_up_in(&mut transaction, &self.tallies, log_id);
        let row = row.await?;
        if commit {
            transaction.commit().await?;
        } else {
            transaction.rollback().await?;
        }
        Ok((state, content(&row.unwrap())))
    }

    async fn look(&self, log_id: LogId) -> Result<Option<R>, CatchUpError> {
        let mut transaction = self.pool.begin().await.unwrap();
        let row = self
            .store
            .catch_up_in(&mut transaction, &self.tallies, log_id);
        let row = row.await?;
        transaction.commit().await.unwrap();
        Ok(row)
    }

    async fn rows(&self) -> BTreeMap<LogId, Value> {
        let text = format!(
            "select id::text, requested, captured, events, through from {}.tallies",
            R::NAME
        );
        let rows = sqlx::query_as(AssertSqlSafe(text)).fetch_all(&self.pool);
        by_id(rows.await.unwrap())
    }
}

/// A store in a file.
pub(crate) struct InFile<R> {
    pub(crate) store: SqliteEventStore,
    pub(crate) path: PathBuf,
    pub(crate) lease: Duration,
    pub(crate) tallies: Rows<R>,
}

impl<R: ResumableRow<Database = Sqlite>> InFile<R> {
    pub(crate) fn new(file: &TemporaryStore) -> Self {
        Self {
            store: file.store.clone(),
            path: file.path(),
            lease: Duration::from_secs(15),
            tallies: Rows::new(),
        }
    }
}

impl<R> Stand for InFile<R>
where
    R: ResumableRow<Database = Sqlite> + EventHandler<PaymentEvent> + std::fmt::Debug,
{
    type Store = SqliteEventStore;
    type Row = R;

    fn store(&self) -> &SqliteEventStore {
        &self.store
    }

    async fn start(&self) -> RunningSubscriptions<SqliteEventStore> {
        let subscriptions = Subscriptions::new(&self.store).lease(self.lease);
        let subscriptions = subscriptions.projection_with(Rows::<R>::new(), options());
        subscriptions.start().await.unwrap()
    }

    async fn write(
        &self,
        state: LogState<PaymentEvent>,
        events: &[PaymentEvent],
        commit: bool,
    ) -> Written {
        let mut transaction = self.store.begin().await?;
        let options = AppendOptions::default();
        let appended = self
            .store
            .append_in(&mut transaction, state, events, &options);
        let state = appended.await?;
        let log_id = state.log_id();
        let row = self
            .store
            .catch_up_in(&mut transaction, &self.tallies, log_id);
        let row = row.await?;
        if commit {
            transaction.commit().await?;
        } else {
            transaction.rollback().await;
        }
        Ok((state, content(&row.unwrap())))
    }

    async fn look(&self, log_id: LogId) -> Result<Option<R>, CatchUpError> {
        let mut transaction = self.store.begin().await?;
        let row = self
            .store
            .catch_up_in(&mut transaction, &self.tallies, log_id);
        let row = row.await?;
        transaction.commit().await?;
        Ok(row)
    }

    async fn rows(&self) -> BTreeMap<LogId, Value> {
        let text = "select id, requested, captured, events, through from tallies";
        let mut connection = sqlite_file::connect(&self.path).await;
        let rows = sqlx::query_as(text).fetch_all(&mut connection).await;
        connection.close().await.unwrap();
        by_id(rows.unwrap())
    }
}

type Columns = (String, i64, i64, i64, Option<i64>);

fn by_id(rows: Vec<Columns>) -> BTreeMap<LogId, Value> {
    let row = |(id, requested, captured, events, through): Columns| {
        let content = json!({
            "requested": requested, "captured": captured, "events": events, "through": through,
        });
        (id.parse().unwrap(), content)
    };
    rows.into_iter().map(row).collect()
}

/// Creates logs of one event each.
pub(crate) async fn create(
    manager: &LogManager<Payment>,
    logs: usize,
) -> Vec<LogState<PaymentEvent>> {
    let mut states = Vec::new();
    for _ in 0..logs {
        let requested = PaymentEvent::Requested { amount: 100 };
        let (log_id, options) = (LogId::new(), CreateOptions::default());
        states.push(manager.create(&log_id, &requested, &options).await.unwrap());
    }
    states
}

/// Returns the fold of all logs.
pub(crate) async fn fold<S: Stand>(stand: &S, logs: &[LogId]) -> BTreeMap<LogId, Value> {
    let manager = stand.manager();
    let mut rows = BTreeMap::new();
    for log_id in logs {
        let mut row = S::Row::default();
        for record in manager.load(log_id, 0, 1_000_000).await.unwrap() {
            if !matches!(
                record.event(),
                PaymentEvent::Requested { .. } | PaymentEvent::Captured { .. }
            ) {
                continue;
            }
            row.handle(&record);
            row.set_through(record.index());
        }
        rows.insert(*log_id, content(&row));
    }
    rows
}

/// Waits until the subscription has come to the last event of each log.
pub(crate) async fn caught_up<S: Stand>(stand: &S, logs: &[LogId]) {
    let (begun, store) = (Instant::now(), stand.store());
    for log_id in logs {
        let state = stand.manager().reduce(log_id).await.unwrap().state();
        let place = store
            .find_place(*log_id, state.index())
            .await
            .unwrap()
            .unwrap();
        loop {
            let states = store.partitions(Some(S::Row::NAME)).await.unwrap();
            if !states.is_empty() && states.iter().all(|state| state.cursor >= place) {
                break;
            }
            assert!(
                begun.elapsed() < crate::subscriptions::PATIENCE,
                "{states:?}"
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Appends to logs in turns until it is told to end, sometimes with the row and sometimes without, and sometimes only looks.
pub(crate) async fn append_many<S: Stand>(stand: &S, logs: &[LogId], seed: u64, rounds: u64) {
    let manager = stand.manager();
    for round in 0..rounds {
        let turn = seed * 7 + round * 3;
        let log_id = logs[usize::try_from(turn).unwrap() % logs.len()];
        let mut events = vec![
            PaymentEvent::Captured {
                amount: 1 + turn % 9
            };
            1 + usize::try_from(round % 3).unwrap()
        ];
        if round % 4 == 0 {
            events.push(PaymentEvent::Rated(0.5));
        }
        loop {
            let state = manager.reduce(&log_id).await.unwrap().state();
            let conflicts = if (seed + round) % 5 < 3 {
                match stand.write(state, &events, true).await {
                    Ok(_) => false,
                    Err(error) => passes(&*error),
                }
            } else {
                let appended = manager.append_all(state, &events, AppendOptions::NONE);
                match appended.await {
                    Ok(_) => false,
                    Err(error) => passes(&error),
                }
            };
            if !conflicts {
                break;
            }
        }
        if round % 7 == 0 {
            let row = stand.look(log_id).await.unwrap().unwrap();
            assert!(row.through().is_some());
        }
    }
}

/// Returns `true` for a conflict, which passes; fails for every other error.
fn passes(error: &(dyn Error + 'static)) -> bool {
    let conflict = error.downcast_ref::<LogManagerError>();
    assert!(
        matches!(conflict, Some(LogManagerError::ConcurrentAppend { .. })),
        "{error:?}"
    );
    true
}
