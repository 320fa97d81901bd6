//! Rows of parked logs: what comes before the event stays, later events wait, and a retry applies them in their order.

use super::domain::{AccountEvent, Accounts, forget};
use crate::postgres::TestStore;
use crate::sqlite_file;
use crate::sqlite_file::TemporaryStore;
use crate::subscriptions::stopped;
use eventlogs::ids::LogId;
use eventlogs::projection::{CheckpointStore, ParkedLog, ProjectionStore, RowDatabase};
use eventlogs::subscriptions::{RunningSubscriptions, SubscriptionOptions, Subscriptions};
use eventlogs::{EventStore, ProjectedRow, Projection, Rows, event_handler};
use serde::{Deserialize, Serialize};
use sqlx::AssertSqlSafe;
use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The faults that are corrected now, by their amounts. Each test has amounts of its own.
static CORRECTED: Mutex<Option<HashSet<i64>>> = Mutex::new(None);

fn correct(amount: i64) {
    let mut corrected = CORRECTED.lock().unwrap_or_else(PoisonError::into_inner);
    corrected.get_or_insert_default().insert(amount);
}

/// What is wrong with an event. Its amount is negative, and ends with the number of the fault.
#[derive(Debug, Clone, Copy)]
enum Fault {
    /// The handler panics.
    Panic = 1,
    /// The row has a value that JSON has not.
    NotANumber = 2,
    /// The table refuses the row.
    Refused = 3,
    /// The statement that writes the row does not return.
    Hang = 4,
}

impl Fault {
    const ALL: [Self; 4] = [Self::Panic, Self::NotANumber, Self::Refused, Self::Hang];
    /// Those that every database has.
    const COMMON: [Self; 3] = [Self::Panic, Self::NotANumber, Self::Refused];

    /// Returns the fault of an amount that is not corrected.
    fn of(amount: i64) -> Option<Self> {
        let corrected = CORRECTED.lock().unwrap_or_else(PoisonError::into_inner);
        let is_corrected = corrected.as_ref().is_some_and(|all| all.contains(&amount));
        let fault = Self::ALL
            .into_iter()
            .find(|fault| -amount % 10 == *fault as i64);
        fault.filter(|_| amount < 0 && !is_corrected)
    }

    const fn amount(self, test: i64) -> i64 {
        -(test * 10 + self as i64)
    }

    /// A part of the error.
    const fn error(self) -> &'static str {
        match self {
            Self::Panic => "the handler has panicked: a panic on purpose",
            Self::NotANumber => "in the field `ratio`",
            // Both servers say so.
            Self::Refused => "constraint",
            Self::Hang => "has not returned",
        }
    }
}

/// The total after one more event: another order of the events gives another one.
const fn next(total: i64, amount: i64) -> i64 {
    total * 3 + if amount < 0 { 1 } else { amount }
}

/// Makes the rows of one database. They do not keep the index of their last event, so that nothing hides an event that is applied
/// twice.
macro_rules! ordered {
    ($row:ident, $name:literal, $database:ident, $create:literal) => {
        #[derive(Debug, Default, Clone, Serialize, Deserialize, Projection)]
        #[projection(
                    name = $name, events(AccountEvent), database = $database, table = "ordered",
                    create = $create
                )]
        struct $row {
            #[key]
            id: LogId,
            total: i64,
            events: i64,
            ratio: f64,
        }

        #[event_handler(AccountEvent, ignore(_))]
        impl $row {
            #[on(Deposited)]
            fn deposit(&mut self, amount: i64) {
                self.total = next(self.total, amount);
                self.events += 1;
                match Fault::of(amount) {
                    Some(Fault::Panic) => panic!("a panic on purpose"),
                    Some(Fault::NotANumber) => self.ratio = f64::NAN,
                    Some(Fault::Refused) => self.total = 2_000_000,
                    Some(Fault::Hang) => self.ratio = 7.0,
                    None => {}
                }
            }
        }
    };
}

ordered!(
    SqliteOrdered,
    "ordered",
    sqlite,
    "create table ordered (
        id text primary key, total integer not null check (total < 1000000), events integer not null, ratio real not null
    )"
);
ordered!(
    PostgresOrdered,
    "promises_ordered",
    postgres,
    "create table ordered (
        id uuid primary key, total bigint not null check (total < 1000000), events bigint not null,
        ratio double precision not null
    )"
);
// Its statements hang at a row with this ratio.
ordered!(
    PostgresHanging,
    "promises_ordered_hanging",
    postgres,
    "create table ordered (
        id uuid primary key, total bigint not null, events bigint not null, ratio double precision not null
    );
    create function hang() returns trigger as $$ begin perform pg_sleep(3600); return new; end $$ language plpgsql;
    create trigger hangs before insert or update on ordered for each row when (new.ratio = 7) execute function hang();"
);

/// The total and the number of the events of each log.
type Totals = BTreeMap<LogId, (i64, i64)>;

fn by_log(rows: Vec<(String, i64, i64)>) -> Totals {
    let row = |(id, total, events): (String, i64, i64)| (id.parse().unwrap(), (total, events));
    rows.into_iter().map(row).collect()
}

const SELECT: &str = "select cast(id as text), total, events from";

async fn on_sqlite(file: &TemporaryStore) -> Totals {
    let mut connection = sqlite_file::connect(&file.path()).await;
    let rows = sqlx::query_as(AssertSqlSafe(format!("{SELECT} ordered")));
    by_log(rows.fetch_all(&mut connection).await.unwrap())
}

async fn on_postgres(server: &TestStore, schema: &str) -> Totals {
    let mut connection = server.connection().await;
    let rows = sqlx::query_as(AssertSqlSafe(format!("{SELECT} {schema}.ordered")));
    by_log(rows.fetch_all(&mut connection).await.unwrap())
}

/// Returns the row after these amounts.
fn row(amounts: &[i64]) -> (i64, i64) {
    amounts.iter().fold((0, 0), |(total, events), amount| {
        (next(total, *amount), events + 1)
    })
}

async fn deposit<S: EventStore<AccountEvent> + CheckpointStore>(
    accounts: &mut Accounts<S>,
    log: usize,
    amounts: &[i64],
) {
    let deposited = |amount: &i64| AccountEvent::Deposited { amount: *amount };
    let events: Vec<_> = amounts.iter().map(deposited).collect();
    accounts.append(log, &events).await;
}

/// Waits until the parked logs are so.
async fn until(
    store: &impl CheckpointStore,
    name: &str,
    is_so: impl Fn(&[ParkedLog]) -> bool,
) -> Vec<ParkedLog> {
    let begun = Instant::now();
    loop {
        let parked = store.parked(name).await.unwrap();
        if is_so(&parked) {
            return parked;
        }
        assert!(begun.elapsed() < Duration::from_mins(1), "{parked:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn start<R, S>(
    accounts: &Accounts<S>,
    options: SubscriptionOptions,
) -> RunningSubscriptions<S>
where
    R: ProjectedRow<Database: RowDatabase>,
    S: ProjectionStore<R::Database>,
{
    let subscriptions = Subscriptions::new(&accounts.store);
    let subscriptions = subscriptions.projection_with(Rows::<R>::new(), options);
    subscriptions.start().await.unwrap()
}

/// One log has an event that cannot be applied, once retried after a correction, and once skipped.
async fn parks<R, S>(
    mut accounts: Accounts<S>,
    fault: Fault,
    test: i64,
    page_size: usize,
    read: impl AsyncFn() -> Totals,
) where
    R: ProjectedRow<Database: RowDatabase>,
    S: ProjectionStore<R::Database> + EventStore<AccountEvent>,
{
    let logs: Vec<_> = accounts
        .states
        .iter()
        .map(eventlogs::LogState::log_id)
        .collect();
    let bad = [fault.amount(test), fault.amount(test + 1)];
    deposit(&mut accounts, 0, &[1, bad[0], 2, 3]).await;
    deposit(&mut accounts, 1, &[5, bad[1], 6]).await;
    deposit(&mut accounts, 2, &[1, 2]).await;
    let options = SubscriptionOptions {
        page_size,
        ..SubscriptionOptions::default()
    };
    let running = start::<R, S>(&accounts, options).await;
    let parked = until(&accounts.store, R::NAME, |parked| parked.len() == 2).await;
    for log in &parked {
        assert_eq!((log.event_index, log.attempts), (2, 3), "{log:?}");
        assert!(log.error.contains(fault.error()), "{log:?}");
    }
    // Later events wait, and the other log goes on.
    for log in 0..3 {
        deposit(&mut accounts, log, &[4]).await;
    }
    accounts.caught_up(R::NAME).await;
    let expected = [row(&[1]), row(&[5]), row(&[1, 2, 4])];
    let by_log = |rows: [(i64, i64); 3]| logs.iter().copied().zip(rows).collect::<Totals>();
    assert_eq!(read().await, by_log(expected), "{fault:?}");
    // A retry without a correction changes nothing.
    running.retry(R::NAME, logs[0]).await.unwrap();
    let again = |parked: &[ParkedLog]| {
        let mut parked = parked.iter();
        parked.any(|log| log.log_id == logs[0] && log.attempts == 4 && log.wish.is_none())
    };
    until(&accounts.store, R::NAME, again).await;
    assert_eq!(read().await, by_log(expected), "{fault:?}");

    correct(bad[0]);
    running.retry(R::NAME, logs[0]).await.unwrap();
    running.skip(R::NAME, logs[1], "ann").await.unwrap();
    until(&accounts.store, R::NAME, <[_]>::is_empty).await;
    for log in 0..3 {
        deposit(&mut accounts, log, &[7]).await;
    }
    accounts.caught_up(R::NAME).await;
    running.shutdown().await;
    let expected = [
        row(&[1, bad[0], 2, 3, 4, 7]),
        row(&[5, 6, 4, 7]),
        row(&[1, 2, 4, 7]),
    ];
    assert_eq!(read().await, by_log(expected), "{fault:?}");
}

#[tokio::test]
async fn rows_of_parked_logs_wait_and_go_on_on_sqlite() {
    for (test, fault) in (0..).step_by(4).zip(Fault::COMMON) {
        for (more, page_size) in [(0, 1), (2, 500)] {
            let file = TemporaryStore::open().await;
            let accounts = Accounts::new(file.store.clone(), 3).await;
            let read = async || on_sqlite(&file).await;
            parks::<SqliteOrdered, _>(accounts, fault, 100 + test + more, page_size, read).await;
        }
    }
}

#[tokio::test]
async fn rows_of_parked_logs_wait_and_go_on_on_postgres() {
    for (test, fault) in (0..).step_by(4).zip(Fault::COMMON) {
        for (more, page_size) in [(0, 1), (2, 500)] {
            let Some(server) = TestStore::new().await else {
                return;
            };
            let name = PostgresOrdered::NAME;
            forget(&server, name).await;
            let accounts = Accounts::new(server.store.clone(), 3).await;
            let read = async || on_postgres(&server, name).await;
            parks::<PostgresOrdered, _>(accounts, fault, 200 + test + more, page_size, read).await;
            forget(&server, name).await;
        }
    }
}

/// A statement on rows that takes longer than the limit. The other log goes on.
#[tokio::test]
async fn a_row_whose_statement_hangs_parks_its_log() {
    let Some(server) = TestStore::new().await else {
        return;
    };
    let name = PostgresHanging::NAME;
    forget(&server, name).await;
    let mut accounts = Accounts::new(server.store.clone(), 2).await;
    let logs: Vec<_> = accounts
        .states
        .iter()
        .map(eventlogs::LogState::log_id)
        .collect();
    let bad = Fault::Hang.amount(400);
    deposit(&mut accounts, 0, &[1, bad, 2]).await;
    deposit(&mut accounts, 1, &[1]).await;
    let options = SubscriptionOptions {
        handler_timeout: Duration::from_millis(300),
        ..SubscriptionOptions::default()
    };
    let running = start::<PostgresHanging, _>(&accounts, options).await;
    let parked = until(&accounts.store, name, |parked| parked.len() == 1).await;
    assert_eq!((parked[0].log_id, parked[0].event_index), (logs[0], 2));
    let expected = Fault::Hang.error();
    assert!(parked[0].error.contains(expected), "{parked:?}");
    deposit(&mut accounts, 1, &[2]).await;
    accounts.caught_up(name).await;
    let expected = [(logs[0], row(&[1])), (logs[1], row(&[1, 2]))];
    assert_eq!(on_postgres(&server, name).await, Totals::from(expected));
    correct(bad);
    running.retry(name, logs[0]).await.unwrap();
    until(&accounts.store, name, <[_]>::is_empty).await;
    running.shutdown().await;
    let expected = [(logs[0], row(&[1, bad, 2])), (logs[1], row(&[1, 2]))];
    assert_eq!(on_postgres(&server, name).await, Totals::from(expected));
    forget(&server, name).await;
}

/// With the default options 100 logs may be parked. They are written by hand here: to park each takes three attempts.
#[tokio::test]
async fn the_101st_log_that_would_be_parked_stops_the_rows() {
    let file = TemporaryStore::open().await;
    let mut accounts = Accounts::new(file.store.clone(), 3).await;
    let running = start::<SqliteOrdered, _>(&accounts, SubscriptionOptions::default()).await;
    let park = "with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < 99)
        insert into parked_logs (name, build, log_id, event_index, event_type, error, attempts, parked_at)
        select 'ordered', 1, randomblob(16), 0, 'account.opened', 'by hand', 3, n from numbers";
    sqlite_file::execute(&file.path(), park).await;
    let bad = [Fault::Panic.amount(301), Fault::Panic.amount(302)];
    deposit(&mut accounts, 0, &[1, bad[0]]).await;
    until(&file.store, "ordered", |parked| parked.len() == 100).await;
    deposit(&mut accounts, 1, &[1, bad[1]]).await;
    let (status, reason) = stopped(&running, "ordered").await;
    assert_eq!(status.parked, 100);
    for part in [
        "100 logs are parked",
        "`retry` or `skip`",
        "a panic on purpose",
    ] {
        assert!(reason.contains(part), "{reason}");
    }
    // With one fewer it goes on, and parks the log.
    correct(bad[0]);
    let log_id = accounts.states[0].log_id();
    running.retry("ordered", log_id).await.unwrap();
    running.resume("ordered").await.unwrap();
    let log_id = accounts.states[1].log_id();
    let is_parked = |parked: &[ParkedLog]| parked.iter().any(|log| log.log_id == log_id);
    until(&file.store, "ordered", is_parked).await;
    deposit(&mut accounts, 2, &[1]).await;
    accounts.caught_up("ordered").await;
    running.shutdown().await;
    let logs: Vec<_> = accounts
        .states
        .iter()
        .map(eventlogs::LogState::log_id)
        .collect();
    let rows = [row(&[1, bad[0]]), row(&[1]), row(&[1])];
    assert_eq!(on_sqlite(&file).await, logs.into_iter().zip(rows).collect());
}
