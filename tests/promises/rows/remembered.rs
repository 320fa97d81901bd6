//! Keys that an earlier event of the log gave.

use super::domain::{AccountEvent, Accounts, forget};
use crate::postgres::TestStore;
use crate::sqlite_file;
use crate::sqlite_file::TemporaryStore;
use crate::subscriptions::{stopped, stopping};
use eventlogs::ids::LogId;
use eventlogs::projection::{CheckpointStore, ProjectionStore, RememberedKeys, RowDatabase};
use eventlogs::subscriptions::{
    RunningSubscriptions, StartAt, SubscriptionOptions, Subscriptions, WhenChanged,
};
use eventlogs::testing::{projected, projected_by, projection_laws};
use eventlogs::{
    EventRecord, EventStore, FeedRecord, ProjectedRow, Projection, Rows, event_handler,
};
use serde::{Deserialize, Serialize};
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What has failed and is corrected now. Each test has names of its own.
static CORRECTED: Mutex<Option<HashSet<String>>> = Mutex::new(None);

fn correct(name: &str) {
    let mut corrected = CORRECTED.lock().unwrap_or_else(PoisonError::into_inner);
    corrected.get_or_insert_default().insert(name.to_owned());
}

/// Panics at names that begin so, before they are corrected.
fn check(name: &str) {
    let corrected = CORRECTED.lock().unwrap_or_else(PoisonError::into_inner);
    let is_corrected = corrected.as_ref().is_some_and(|all| all.contains(name));
    drop(corrected);
    assert!(
        !name.starts_with("bad") || is_corrected,
        "a name on purpose: {name}"
    );
}

/// The holder when the account is opened, all names in a tag, and as before for a deposit.
fn holders(record: &FeedRecord<AccountEvent>) -> RememberedKeys<String> {
    match record.event() {
        AccountEvent::Opened { holder } => RememberedKeys::one(holder.clone()),
        AccountEvent::Tagged { tag } => tag.split(", ").map(str::to_owned).collect(),
        AccountEvent::Deposited { .. } => RememberedKeys::as_before(),
        _ => RememberedKeys::none(),
    }
}

/// Makes the rows of one database.
macro_rules! holders {
    ($row:ident, $name:literal, $database:ident) => {
        /// What a holder has.
        #[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize, Projection)]
        #[projection(
            name = $name, events(AccountEvent by holders), database = $database, table = "holders",
            create = "create table holders (
                holder text primary key, opened bigint not null, balance bigint not null, deposits bigint not null
            )",
        )]
        struct $row {
            #[key]
            holder: String,
            opened: i64,
            balance: i64,
            deposits: i64,
        }

        #[event_handler(AccountEvent, ignore(Noticed | Moved | Closed))]
        impl $row {
            #[on(Opened)]
            fn open(&mut self, holder: &str) {
                check(holder);
                self.opened += 1;
            }

            #[on(Tagged)]
            fn tag(&mut self, tag: &str) {
                check(tag);
            }

            #[on(Deposited)]
            fn deposit(&mut self, amount: i64) {
                self.balance += amount;
                self.deposits += 1;
            }
        }

        impl From<$row> for Holder {
            fn from(row: $row) -> Self {
                (row.opened, row.balance, row.deposits)
            }
        }
    };
}

holders!(SqliteHolders, "holders", sqlite);
holders!(PostgresHolders, "promises_remembered", postgres);
holders!(PostgresFailing, "promises_remembered_failing", postgres);
holders!(PostgresParking, "promises_remembered_parking", postgres);
holders!(PostgresNow, "promises_remembered_now", postgres);
holders!(PostgresAnew, "promises_remembered_anew", postgres);

/// How often an account was opened for a holder, the sum of the deposits, and their number.
type Holder = (i64, i64, i64);
type Holders = BTreeMap<String, Holder>;

const SELECT: &str = "select holder, opened, balance, deposits from";

fn by_holder(rows: Vec<(String, i64, i64, i64)>) -> Holders {
    let row = |(holder, opened, balance, deposits)| (holder, (opened, balance, deposits));
    rows.into_iter().map(row).collect()
}

async fn on_postgres(connection: &mut PgConnection, schema: &str) -> Holders {
    let text = AssertSqlSafe(format!("{SELECT} {schema}.holders"));
    by_holder(sqlx::query_as(text).fetch_all(connection).await.unwrap())
}

async fn on_sqlite(connection: &mut SqliteConnection) -> Holders {
    let text = AssertSqlSafe(format!("{SELECT} holders"));
    by_holder(sqlx::query_as(text).fetch_all(connection).await.unwrap())
}

/// Returns the fold of the events: what the rows must be.
async fn fold<S>(accounts: &Accounts<S>) -> Holders
where
    S: EventStore<AccountEvent> + CheckpointStore,
{
    let mut holders = Holders::new();
    for state in &accounts.states {
        let mut keys: Vec<String> = Vec::new();
        for event in accounts.events(state.log_id()).await {
            match event {
                AccountEvent::Opened { holder } => {
                    holders.entry(holder.clone()).or_default().0 += 1;
                    keys = vec![holder];
                }
                AccountEvent::Tagged { tag } => {
                    // Each counts once.
                    let names: BTreeSet<_> = tag.split(", ").map(str::to_owned).collect();
                    keys = names.into_iter().collect();
                    for key in &keys {
                        holders.entry(key.clone()).or_default();
                    }
                }
                AccountEvent::Deposited { amount } => {
                    for key in &keys {
                        let holder = holders.entry(key.clone()).or_default();
                        holder.1 += amount;
                        holder.2 += 1;
                    }
                }
                _ => {}
            }
        }
    }
    holders
}

fn opened(holder: &str) -> AccountEvent {
    AccountEvent::Opened {
        holder: holder.to_owned(),
    }
}

fn tagged(tag: &str) -> AccountEvent {
    AccountEvent::Tagged {
        tag: tag.to_owned(),
    }
}

const fn deposited(amount: i64) -> AccountEvent {
    AccountEvent::Deposited { amount }
}

/// A place of events and rows.
struct Place<S, F> {
    accounts: Accounts<S>,
    read: F,
}

impl<S, F: AsyncFn() -> Holders> Place<S, F> {
    async fn start<R>(&self, options: SubscriptionOptions) -> RunningSubscriptions<S>
    where
        R: ProjectedRow<Database: RowDatabase>,
        S: ProjectionStore<R::Database>,
    {
        let subscriptions = Subscriptions::new(&self.accounts.store);
        let subscriptions = subscriptions.projection_with(Rows::<R>::new(), options);
        subscriptions.start().await.unwrap()
    }

    /// Starts the rows, waits until they have all events, and ends them.
    async fn catch_up<R>(&self, options: SubscriptionOptions)
    where
        R: ProjectedRow<Database: RowDatabase>,
        S: ProjectionStore<R::Database> + EventStore<AccountEvent>,
    {
        let running = self.start::<R>(options).await;
        self.accounts.caught_up(R::NAME).await;
        running.shutdown().await;
    }

    async fn check(&self, what: &str)
    where
        S: CheckpointStore + EventStore<AccountEvent>,
    {
        assert_eq!((self.read)().await, fold(&self.accounts).await, "{what}");
    }
}

/// Runs a test on a file, and on a server if there is one.
macro_rules! on_both {
    ($test:ident::<$postgres:ident> $(, $argument:expr)*) => {{
        let file = TemporaryStore::open().await;
        let place = Place {
            accounts: Accounts::new(file.store.clone(), 3).await,
            read: async || on_sqlite(&mut sqlite_file::connect(&file.path()).await).await,
        };
        $test::<SqliteHolders, _, _>(place $(, $argument)*).await;
        if let Some(server) = TestStore::new().await {
            forget(&server, $postgres::NAME).await;
            let place = Place {
                accounts: Accounts::new(server.store.clone(), 3).await,
                read: async || {
                    on_postgres(&mut server.connection().await, $postgres::NAME).await
                },
            };
            $test::<$postgres, _, _>(place $(, $argument)*).await;
            forget(&server, $postgres::NAME).await;
        }
    }};
}

fn pages_of(page_size: usize) -> SubscriptionOptions {
    SubscriptionOptions {
        page_size,
        ..SubscriptionOptions::default()
    }
}

/// Waits until something about the parked logs is so.
async fn until_parked(store: &impl CheckpointStore, name: &str, logs: usize) {
    let begun = Instant::now();
    loop {
        let parked = store.parked(name).await.unwrap();
        if parked.len() == logs && parked.iter().all(|log| log.wish.is_none()) {
            return;
        }
        assert!(begun.elapsed() < Duration::from_mins(1), "{parked:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn any_pages<R, S, F>(mut place: Place<S, F>, page_size: usize)
where
    R: ProjectedRow<Database: RowDatabase>,
    S: ProjectionStore<R::Database> + EventStore<AccountEvent>,
    F: AsyncFn() -> Holders,
{
    let options = || pages_of(page_size);
    place.accounts.append_a_lot().await;
    place.catch_up::<R>(options()).await;
    place.check("after the first start").await;
    // Only events without a key, after a restart.
    for log in 0..3 {
        place
            .accounts
            .append(log, &[deposited(1), deposited(5)])
            .await;
    }
    place.catch_up::<R>(options()).await;
    place.check("after a restart").await;
    let running = place.start::<R>(options()).await;
    place.accounts.append_a_lot().await;
    place
        .accounts
        .append(1, &[tagged("a, b, a"), deposited(3)])
        .await;
    place.accounts.append(1, &[deposited(4)]).await;
    place.accounts.caught_up(R::NAME).await;
    running.shutdown().await;
    place.check("with several keys").await;
}

#[tokio::test]
async fn keys_are_remembered_over_pages_and_restarts() {
    for size in [1, 2, 7, 500] {
        on_both!(any_pages::<PostgresHolders>, size);
    }
}

/// The keys of a page go away with its rows. The bad event is behind one that gives another key.
async fn a_failing_page<R, S, F>(mut place: Place<S, F>)
where
    R: ProjectedRow<Database: RowDatabase>,
    S: ProjectionStore<R::Database> + EventStore<AccountEvent>,
    F: AsyncFn() -> Holders,
{
    let bad = format!("bad page of {}", R::NAME);
    place.accounts.append(0, &[opened("x"), deposited(1)]).await;
    place.catch_up::<R>(pages_of(500)).await;
    let before = fold(&place.accounts).await;
    let events = [
        deposited(2),
        opened("y"),
        deposited(4),
        opened(&bad),
        deposited(8),
    ];
    place.accounts.append(0, &events).await;
    let running = place.start::<R>(stopping()).await;
    let (_, reason) = stopped(&running, R::NAME).await;
    assert!(reason.contains("a name on purpose"), "{reason}");
    let found = (place.read)().await;
    assert_eq!(found["x"], (before["x"].0, 3, 2));
    assert_eq!(found["y"], (1, 4, 1));
    correct(&bad);
    running.resume(R::NAME).await.unwrap();
    place.accounts.caught_up(R::NAME).await;
    running.shutdown().await;
    place.check("after the correction").await;
}

#[tokio::test]
async fn the_keys_of_a_page_that_is_rolled_back_are_not_remembered() {
    on_both!(a_failing_page::<PostgresFailing>);
}

/// The event that gives the key fails. Its log is parked, and the events as before wait for it, or have the key of an earlier one.
async fn a_parked_key<R, S, F>(mut place: Place<S, F>)
where
    R: ProjectedRow<Database: RowDatabase>,
    S: ProjectionStore<R::Database> + EventStore<AccountEvent>,
    F: AsyncFn() -> Holders,
{
    let bad = [0, 1].map(|log| format!("bad log {log} of {}", R::NAME));
    for (log, bad) in bad.iter().enumerate() {
        let first = format!("first of {log}");
        let events = [opened(&first), deposited(1), opened(bad), deposited(2)];
        place.accounts.append(log, &events).await;
    }
    place.accounts.append(2, &[opened("z"), deposited(3)]).await;
    let running = place.start::<R>(pages_of(2)).await;
    let store = place.accounts.store.clone();
    until_parked(&store, R::NAME, 2).await;
    for log in 0..3 {
        place.accounts.append(log, &[deposited(10)]).await;
    }
    place.accounts.caught_up(R::NAME).await;
    let found = (place.read)().await;
    assert_eq!(found["first of 0"], (1, 1, 1));
    assert_eq!(found["z"], (1, 13, 2), "other logs go on");
    assert!(!found.contains_key(&bad[0]), "{found:?}");

    let logs: Vec<_> = place
        .accounts
        .states
        .iter()
        .map(eventlogs::LogState::log_id)
        .collect();
    correct(&bad[0]);
    running.retry(R::NAME, logs[0]).await.unwrap();
    running.skip(R::NAME, logs[1], "ann").await.unwrap();
    until_parked(&store, R::NAME, 0).await;
    let found = (place.read)().await;
    assert_eq!(found["first of 0"], (1, 1, 1));
    assert_eq!(found[&bad[0]], (1, 12, 2));
    assert_eq!(
        found["first of 1"],
        (1, 13, 3),
        "a skipped event gives no key"
    );
    assert!(!found.contains_key(&bad[1]), "{found:?}");
    // They go on with the keys that they have now.
    place.accounts.append(0, &[deposited(100)]).await;
    place.accounts.append(1, &[deposited(100)]).await;
    place.accounts.caught_up(R::NAME).await;
    running.shutdown().await;
    let found = (place.read)().await;
    assert_eq!(found[&bad[0]], (1, 112, 3));
    assert_eq!(found["first of 1"], (1, 113, 4));
}

#[tokio::test]
async fn parked_logs_remember_their_keys() {
    on_both!(a_parked_key::<PostgresParking>);
}

async fn from_now<R, S, F>(mut place: Place<S, F>)
where
    R: ProjectedRow<Database: RowDatabase>,
    S: ProjectionStore<R::Database> + EventStore<AccountEvent>,
    F: AsyncFn() -> Holders,
{
    place
        .accounts
        .append(0, &[opened("early"), deposited(1)])
        .await;
    let options = SubscriptionOptions {
        start_at: StartAt::Now,
        ..SubscriptionOptions::default()
    };
    let running = place.start::<R>(options).await;
    place.accounts.append(0, &[deposited(2)]).await;
    place.accounts.caught_up(R::NAME).await;
    assert_eq!((place.read)().await, Holders::new());
    place.accounts.append(0, &[opened("late")]).await;
    place.accounts.append(0, &[deposited(4)]).await;
    place.accounts.caught_up(R::NAME).await;
    running.shutdown().await;
    let expected = [("late".to_owned(), (1, 4, 1))];
    assert_eq!((place.read)().await, Holders::from(expected));
}

/// What came before the start is unknown.
#[tokio::test]
async fn an_event_without_an_earlier_key_changes_no_row() {
    on_both!(from_now::<PostgresNow>);
}

/// Builds the tables anew as the guide says. Nothing of the first life is left.
async fn anew<R, S, F>(mut place: Place<S, F>, drop: impl AsyncFn(), count: impl AsyncFn() -> i64)
where
    R: ProjectedRow<Database: RowDatabase>,
    S: ProjectionStore<R::Database> + EventStore<AccountEvent>,
    F: AsyncFn() -> Holders,
{
    let bad = [0, 1].map(|log| format!("bad {log} anew in {}", R::NAME));
    for (log, bad) in bad.iter().enumerate() {
        place
            .accounts
            .append(log, &[opened(bad), deposited(1)])
            .await;
    }
    place.accounts.append_a_lot().await;
    let running = place.start::<R>(pages_of(2)).await;
    let store = place.accounts.store.clone();
    until_parked(&store, R::NAME, 2).await;
    let skipped = place.accounts.states[1].log_id();
    running.skip(R::NAME, skipped, "ann").await.unwrap();
    until_parked(&store, R::NAME, 1).await;
    place.accounts.caught_up(R::NAME).await;
    running.shutdown().await;
    assert!(count().await > 2, "parked, skipped and remembered");

    drop().await;
    let now = SubscriptionOptions {
        start_at: StartAt::Now,
        when_changed: WhenChanged::Refuse,
        ..SubscriptionOptions::default()
    };
    let running = place.start::<R>(now).await;
    running.shutdown().await;
    assert_eq!(count().await, 0, "nothing of the first life is left");
    // What was remembered is not known any more, so only a new start from the beginning has all.
    drop().await;
    correct(&bad[0]);
    correct(&bad[1]);
    place.catch_up::<R>(pages_of(7)).await;
    place.check("built anew").await;
    assert_eq!(store.parked(R::NAME).await.unwrap(), []);
}

/// Counts the rows of the tables that a subscription leaves.
const LEFT: &str =
    "select (select count(*) from parked_logs) + (select count(*) from skipped_events)
    + (select count(*) from row_keys)";

#[tokio::test]
async fn tables_that_are_built_anew_begin_without_what_was_left() {
    let file = TemporaryStore::open().await;
    let connect = async || sqlite_file::connect(&file.path()).await;
    let place = Place {
        accounts: Accounts::new(file.store.clone(), 3).await,
        read: async || on_sqlite(&mut connect().await).await,
    };
    let drop = async || {
        let drop =
            "begin; drop table holders; delete from subscriptions where name = 'holders'; commit";
        sqlite_file::execute(&file.path(), drop).await;
    };
    let count = async || {
        let count = sqlx::query_scalar(LEFT);
        count.fetch_one(&mut connect().await).await.unwrap()
    };
    anew::<SqliteHolders, _, _>(place, drop, count).await;

    let Some(server) = TestStore::new().await else {
        return;
    };
    let name = PostgresAnew::NAME;
    forget(&server, name).await;
    let place = Place {
        accounts: Accounts::new(server.store.clone(), 3).await,
        read: async || on_postgres(&mut server.connection().await, name).await,
    };
    let drop = async || {
        let drop = "begin; drop schema promises_remembered_anew cascade;
            delete from subscriptions where name = 'promises_remembered_anew'; commit";
        server.execute(drop).await;
    };
    let count = async || {
        let count = sqlx::query_scalar(LEFT);
        count
            .fetch_one(&mut server.connection().await)
            .await
            .unwrap()
    };
    anew::<PostgresAnew, _, _>(place, drop, count).await;
    forget(&server, name).await;
}

/// Two partitions would overwrite each other's changes.
#[tokio::test]
async fn rows_of_several_logs_are_refused_in_several_partitions() {
    let file = TemporaryStore::open().await;
    let options = SubscriptionOptions {
        partitions: 2,
        ..SubscriptionOptions::default()
    };
    let rows = Rows::<SqliteHolders>::new();
    let subscriptions = Subscriptions::new(&file.store).projection_with(rows, options);
    let refused = subscriptions.start().await.expect_err("they share rows");
    let message = refused.to_string();
    assert!(message.contains("start it with 1 partition"), "{message}");
}

fn log(number: u8) -> LogId {
    LogId::derived("remembered", number.to_string())
}

/// The events of a test without a store.
fn given() -> [(LogId, Vec<AccountEvent>); 4] {
    [
        (
            log(1),
            vec![opened("ada"), deposited(1), AccountEvent::Closed],
        ),
        (log(2), vec![deposited(7), opened("bob"), deposited(2)]),
        (log(1), vec![deposited(4), tagged("bob, cy"), deposited(8)]),
        (log(2), vec![AccountEvent::Noticed, deposited(16)]),
    ]
}

/// What the rows must be after them.
fn expected() -> Holders {
    let rows = [("ada", (1, 5, 2)), ("bob", (1, 26, 3)), ("cy", (0, 8, 1))];
    rows.map(|(name, row)| (name.to_owned(), row)).into()
}

#[test]
fn the_kit_remembers_keys() {
    let scenario = given().into_iter().fold(
        projected::<SqliteHolders>(),
        |scenario, (log_id, events)| scenario.given(log_id, events),
    );
    let rows = scenario.rows().into_iter();
    let rows: Holders = rows.map(|row| (row.holder.clone(), row.into())).collect();
    assert_eq!(rows, expected());
}

projection_laws!(
    laws_of_remembered_keys,
    SqliteHolders,
    [given()
        .into_iter()
        .fold(projected(), |scenario, (log_id, events)| scenario
            .given(log_id, events))]
);

#[tokio::test]
async fn the_kit_remembers_keys_on_sqlite() {
    let mut db = SqliteConnection::connect("sqlite::memory:").await.unwrap();
    let rows = Rows::<SqliteHolders>::new();
    let mut scenario = projected_by(&rows);
    for (log_id, events) in given() {
        scenario = scenario.given(log_id, events).apply_in(&mut db).await;
    }
    assert_eq!(on_sqlite(&mut db).await, expected());
}

#[tokio::test]
async fn the_kit_remembers_keys_on_postgres() {
    let Some(server) = TestStore::new().await else {
        return;
    };
    let mut db = server.connection().await;
    let rows = Rows::<PostgresHolders>::new();
    let mut scenario = projected_by(&rows);
    for (log_id, events) in given() {
        scenario = scenario.given(log_id, events).apply_in(&mut db).await;
    }
    let schema = &server.options.schema;
    assert_eq!(on_postgres(&mut db, schema).await, expected());
}

/// Without a store, no page knows the keys of the pages before it. That is an error, not a row that lacks an event.
#[tokio::test]
async fn a_page_without_a_store_says_that_it_remembers_nothing() {
    use eventlogs::ids::EventId;
    use eventlogs::{Cursor, FeedEvent, RecordedEvent};
    let mut db = SqliteConnection::connect("sqlite::memory:").await.unwrap();
    let rows = Rows::<SqliteHolders>::new();
    let create = SqliteHolders::CREATE.unwrap();
    sqlx::raw_sql(create).execute(&mut db).await.unwrap();
    let now = "2026-01-31T12:00:00Z".parse().unwrap();
    let recorded = RecordedEvent::new(log(1), 1, EventId::new(), deposited(1), now);
    let event = FeedEvent::encode(&recorded, Cursor::from_parts(1, 1, 1, None)).unwrap();
    let error = rows.apply(&event, &mut db).await.expect_err("no key");
    let message = error.to_string();
    assert!(message.contains("its key is as before"), "{message}");
}
