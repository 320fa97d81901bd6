//! Processes that are killed, and processes that stand still while another one takes over.

use super::stage::{LEASE, Logs, PATIENCE, Stage};
use super::totals::{
    PostgresTotals, SqliteTotals, TABLES, TOTALS, Totals, read_in_postgres, read_in_sqlite,
};
use crate::payments::payments;
use crate::sqlite_file;
use crate::sqlite_file::TemporaryStore;
use eventlogs::projection::{CheckpointStore, ProjectionStore};
use eventlogs::subscriptions::{SubscriptionOptions, Subscriptions};
use eventlogs::{PostgresEventStore, PostgresOptions, Projection, SqliteEventStore};
use sqlx::{ConnectOptions, Connection};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Tells a child process which store to use.
pub(crate) const PLACE: &str = "EVENTLOGS_TEST_PROJECTION";

/// The store that the processes share.
pub(crate) enum Place {
    Sqlite(TemporaryStore),
    Postgres(Box<Stage>),
}

impl Place {
    pub(crate) async fn sqlite() -> Self {
        let file = TemporaryStore::open().await;
        sqlite_file::execute(&file.path(), TABLES).await;
        Self::Sqlite(file)
    }

    pub(crate) async fn postgres() -> Option<Self> {
        Some(Self::Postgres(Box::new(Stage::set(0).await?)))
    }

    fn to_text(&self) -> String {
        match self {
            Self::Sqlite(file) => format!("sqlite {}", file.path().display()),
            Self::Postgres(stage) => {
                let url = crate::servers::postgres_url().unwrap();
                format!("postgres {} {url}", stage.server.options.schema)
            }
        }
    }

    pub(super) async fn read(&self) -> Totals {
        match self {
            Self::Sqlite(file) => {
                let mut connection = sqlite_file::connect(&file.path()).await;
                let totals = read_in_sqlite("", &mut connection).await.unwrap();
                connection.close().await.unwrap();
                totals
            }
            Self::Postgres(stage) => {
                let mut connection = stage.server.connect.connect().await.unwrap();
                read_in_postgres(&stage.prefix(), &mut connection)
                    .await
                    .unwrap()
            }
        }
    }
}

/// The work of a child process, which the tests below start. When run as a test, it does nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    let Ok(place) = std::env::var(PLACE) else {
        return;
    };
    let (prefix, delay) = (String::new(), Duration::from_micros(200));
    match place.split_once(' ').unwrap() {
        ("sqlite", path) => {
            let store = SqliteEventStore::open(path).await.unwrap();
            run(&store, SqliteTotals { prefix, delay }).await;
        }
        (_, rest) => {
            let (schema, url) = rest.split_once(' ').unwrap();
            let prefix = format!("{schema}.");
            let options = PostgresOptions {
                schema: schema.to_owned(),
                max_connections: 4,
                ..PostgresOptions::default()
            };
            let store = PostgresEventStore::connect_url_with(url, options).await;
            run(&store.unwrap(), PostgresTotals { prefix, delay }).await;
        }
    }
}

/// Runs a projection until the process is killed.
async fn run<S, P>(store: &S, projection: P)
where
    S: ProjectionStore<P::Database>,
    P: Projection,
{
    let options = SubscriptionOptions {
        page_size: 50,
        ..SubscriptionOptions::default()
    };
    let subscriptions = Subscriptions::new(store).lease(LEASE);
    let subscriptions = subscriptions.projection_with(projection, options);
    let _running = subscriptions.start().await.unwrap();
    std::future::pending::<()>().await;
}

/// A child process, which is killed when it is dropped.
pub(crate) struct Runner(Child);

impl Runner {
    fn start(place: &Place) -> Self {
        Self::of(place, "subscriptions::processes::child")
    }

    /// Starts a process that runs one test.
    pub(crate) fn of(place: &Place, test: &str) -> Self {
        let child = Command::new(std::env::current_exe().unwrap())
            .args([test, "--exact", "--nocapture"])
            .env(PLACE, place.to_text())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Self(child.unwrap())
    }

    fn signal(&self, signal: &str) {
        let command = format!("kill -{signal} {}", self.0.id());
        let status = Command::new("sh").args(["-c", &command]).status();
        assert!(status.is_ok_and(|status| status.success()), "{command}");
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// Waits until a process holds the lease, and returns it.
async fn owner(store: &impl CheckpointStore, before: Option<Uuid>) -> Uuid {
    let begun = Instant::now();
    loop {
        let states = store.partitions(Some(TOTALS)).await.unwrap();
        let owner = states.first().and_then(|state| state.owner);
        if let Some(owner) = owner
            && Some(owner) != before
        {
            return owner;
        }
        assert!(begun.elapsed() < PATIENCE, "{states:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Kills the processes in the middle of their work, one after the other.
async fn sums_survive_kills<S: CheckpointStore>(place: &Place, store: &S, mut logs: Logs) {
    let mut runners = vec![Runner::start(place), Runner::start(place)];
    owner(store, None).await;
    for round in 0..6 {
        logs.append_for(Duration::from_millis(300 + round * 37))
            .await;
        // One of both has the lease; dropped, it is killed.
        runners.remove(0);
        runners.push(Runner::start(place));
    }
    logs.caught_up(store, TOTALS).await;
    assert_eq!(place.read().await, logs.fold().await);
    drop(runners);
}

#[tokio::test]
async fn sums_survive_kills_on_postgres() {
    let Some(place) = Place::postgres().await else {
        return;
    };
    let Place::Postgres(stage) = &place else {
        panic!("it is a server");
    };
    let store = stage.server.store.clone();
    let logs = Logs::new(payments(store.clone()), 5).await;
    sums_survive_kills(&place, &store, logs).await;
}

#[tokio::test]
async fn sums_survive_kills_on_one_sqlite_file() {
    let place = Place::sqlite().await;
    let Place::Sqlite(file) = &place else {
        panic!("it is a file");
    };
    let store = file.store.clone();
    let logs = Logs::new(payments(store.clone()), 5).await;
    sums_survive_kills(&place, &store, logs).await;
}

/// The process that has the lease stands still for longer than that, in the middle of its work, and goes on later.
#[tokio::test]
async fn sums_survive_a_process_that_stands_still_on_postgres() {
    let Some(place) = Place::postgres().await else {
        return;
    };
    let Place::Postgres(stage) = &place else {
        panic!("it is a server");
    };
    let store = stage.server.store.clone();
    let mut logs = Logs::new(payments(store.clone()), 5).await;
    let mut leader = Runner::start(&place);
    let mut first = owner(&store, None).await;
    let mut other = Runner::start(&place);
    for _ in 0..2 {
        logs.append_for(Duration::from_millis(300)).await;
        leader.signal("STOP");
        logs.append_for(LEASE / 2).await;
        let second = owner(&store, Some(first)).await;
        logs.append_for(Duration::from_millis(300)).await;
        leader.signal("CONT");
        logs.append_for(Duration::from_millis(300)).await;
        logs.caught_up(&store, TOTALS).await;
        assert_eq!(place.read().await, logs.fold().await);
        std::mem::swap(&mut leader, &mut other);
        first = second;
    }
}

/// A process on a file that stands still in the middle of a transaction would stop all writers. This one stands still between
/// two, and gets the events of the other process when it goes on.
#[tokio::test]
async fn sums_survive_a_process_that_stands_still_on_one_sqlite_file() {
    let place = Place::sqlite().await;
    let Place::Sqlite(file) = &place else {
        panic!("it is a file");
    };
    let store = file.store.clone();
    let mut logs = Logs::new(payments(store.clone()), 5).await;
    let mut leader = Runner::start(&place);
    let mut first = owner(&store, None).await;
    let mut other = Runner::start(&place);
    for _ in 0..2 {
        logs.append_for(Duration::from_millis(200)).await;
        logs.caught_up(&store, TOTALS).await;
        // The checkpoint of events that are not wanted has moved, too.
        tokio::time::sleep(Duration::from_millis(300)).await;
        leader.signal("STOP");
        logs.append_for(Duration::from_millis(200)).await;
        first = owner(&store, Some(first)).await;
        logs.append_for(Duration::from_millis(200)).await;
        leader.signal("CONT");
        logs.append_for(Duration::from_millis(300)).await;
        logs.caught_up(&store, TOTALS).await;
        assert_eq!(place.read().await, logs.fold().await);
        std::mem::swap(&mut leader, &mut other);
    }
}
