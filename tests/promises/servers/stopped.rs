//! Server processes that do not run: the host swaps, a debugger holds one, or a disk hangs.

use super::PrivatePostgres;
use eventlogs::ids::LogId;
use eventlogs::testing::conformance::{Counter, CounterEvent};
use eventlogs::{
    AppendOptions, CreateOptions, LogManager, LogManagerOptions, LogState, MemoryAggregationCache,
    PostgresEventStore, PostgresOptions,
};
use futures_util::future::join_all;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Executor, PgConnection, Row};
use std::time::{Duration, Instant};

const ADDED: CounterEvent = CounterEvent::Added { amount: 1 };

/// A server, a store on it, and a connection of another program.
struct Stage {
    server: PrivatePostgres,
    counters: LogManager<Counter>,
    other: PgConnection,
}

impl Stage {
    async fn set(settings: &[&str], options: PostgresOptions) -> Option<Self> {
        let server = PrivatePostgres::start(settings).await?;
        let url = server.url();
        let store = PostgresEventStore::connect_url_with(&url, options);
        let store = store.await.unwrap();
        store.migrate().await.unwrap();
        let connect: PgConnectOptions = server.url().parse().unwrap();
        Some(Self {
            counters: LogManager::new(
                store,
                MemoryAggregationCache::default(),
                LogManagerOptions::default(),
            ),
            other: connect.connect().await.unwrap(),
            server,
        })
    }

    /// Creates a log with one event.
    async fn created(&self, log_id: &LogId) -> LogState<CounterEvent> {
        let options = CreateOptions::default();
        let created = self.counters.create(log_id, &ADDED, &options);
        created.await.unwrap()
    }

    /// Returns the process ids of all other sessions.
    async fn sessions(&mut self) -> Vec<u32> {
        let sessions = "select pid from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()";
        let rows = self.other.fetch_all(sessions).await.unwrap();
        let process = |row: &sqlx::postgres::PgRow| row.get::<i32, _>(0).unsigned_abs();
        rows.iter().map(process).collect()
    }
}

#[tokio::test]
async fn sessions_that_stand_still_are_replaced() {
    let options = PostgresOptions {
        timeout: Duration::from_secs(8),
        ..PostgresOptions::default()
    };
    let Some(mut stage) = Stage::set(&["max_connections=60"], options).await else {
        return;
    };
    let log_id = LogId::new();
    let created = stage.created(&log_id).await;
    for read in join_all((0..8).map(|_| stage.counters.load(&log_id, 0, 1))).await {
        read.unwrap();
    }
    let stopped = stage.sessions().await;
    assert!(stopped.len() > 1, "{stopped:?}");
    for session in &stopped {
        PrivatePostgres::suspend_session(*session);
    }
    let begun = Instant::now();
    let appended = stage
        .counters
        .append(created, &ADDED, &AppendOptions::default())
        .await;
    let read = stage.counters.load(&log_id, 0, 10).await;
    let took = begun.elapsed();
    for session in &stopped {
        PrivatePostgres::resume_session(*session);
    }
    appended.expect("the event was written over another session");
    assert_eq!(
        read.expect("the log was read over another session").len(),
        2
    );
    assert!(took < Duration::from_secs(6), "{took:?}");
    // The stopped processes continue, and change nothing.
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(stage.counters.load(&log_id, 0, 10).await.unwrap().len(), 2);
}

/// A stopped session holds the locks of its unfinished write, and the second attempt waits for them.
#[tokio::test]
async fn a_write_that_stands_still_with_its_locks_is_answered_once_it_goes_on() {
    let options = PostgresOptions {
        timeout: Duration::from_secs(30),
        silence: Some(Duration::from_millis(500)),
        ..PostgresOptions::default()
    };
    let Some(mut stage) = Stage::set(&["max_connections=60"], options).await else {
        return;
    };
    // Each insert takes long after it has written.
    let linger = "create function linger() returns trigger language plpgsql as
        'begin perform pg_sleep(0.4); return null; end';
        create trigger linger after insert on eventlogs.events execute function linger()";
    stage.other.execute(linger).await.unwrap();
    let log_id = LogId::new();
    let counters = stage.counters.clone();
    let created = tokio::spawn(async move {
        counters
            .create(&log_id, &ADDED, &CreateOptions::default())
            .await
    });
    let writing = loop {
        let writing = "select pid from pg_stat_activity where wait_event = 'PgSleep'";
        if let Some(row) = stage.other.fetch_optional(writing).await.unwrap() {
            break row.get::<i32, _>(0).unsigned_abs();
        }
    };
    PrivatePostgres::suspend_session(writing);
    tokio::time::sleep(Duration::from_secs(3)).await;
    PrivatePostgres::resume_session(writing);
    created
        .await
        .unwrap()
        .expect("the library finds out the outcome");
    assert_eq!(stage.counters.load(&log_id, 0, 10).await.unwrap().len(), 1);
}

/// The server does not answer new connections, and the idle ones have ended.
#[tokio::test]
async fn a_server_that_does_not_let_us_in_for_a_while_is_waited_for() {
    let options = PostgresOptions {
        timeout: Duration::from_secs(20),
        silence: Some(Duration::from_secs(1)),
        ..PostgresOptions::default()
    };
    let Some(mut stage) = Stage::set(&["max_connections=60"], options.clone()).await else {
        return;
    };
    let log_id = LogId::new();
    let created = stage.created(&log_id).await;
    stage.counters.load(&log_id, 0, 1).await.unwrap();
    let end = "select pg_terminate_backend(pid) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()";
    stage.other.execute(end).await.unwrap();
    stage.server.suspend();
    let impatient = PostgresOptions {
        timeout: Duration::from_secs(1),
        ..options
    };
    let (url, none) = (stage.server.url(), AppendOptions::default());
    let (appended, read, opened, ()) = tokio::join!(
        stage.counters.append(created, &ADDED, &none),
        stage.counters.load(&log_id, 0, 1),
        PostgresEventStore::connect_url_with(&url, impatient),
        async {
            tokio::time::sleep(Duration::from_millis(2_500)).await;
            stage.server.resume();
        }
    );
    appended.expect("the event is written in the end");
    read.expect("the log is read in the end");
    opened.expect_err("opening does not wait that long");
    assert_eq!(stage.counters.load(&log_id, 0, 10).await.unwrap().len(), 2);
}

/// Other clients have taken all connections, and release them after a while.
#[tokio::test]
async fn a_server_without_connections_left_is_waited_for() {
    let options = PostgresOptions::default();
    let settings = ["max_connections=6", "superuser_reserved_connections=0"];
    let Some(mut stage) = Stage::set(&settings, options).await else {
        return;
    };
    let log_id = LogId::new();
    let created = stage.created(&log_id).await;
    let end = "select pg_terminate_backend(pid) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()";
    stage.other.execute(end).await.unwrap();
    let connect: PgConnectOptions = stage.server.url().parse().unwrap();
    let mut all = Vec::new();
    while let Ok(taken) = connect.connect().await {
        all.push(taken);
    }
    let none = AppendOptions::default();
    let (appended, read, ()) = tokio::join!(
        stage.counters.append(created, &ADDED, &none),
        stage.counters.load(&log_id, 0, 1),
        async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            all.clear();
        }
    );
    appended.expect("the event is written in the end");
    read.expect("the log is read in the end");
}
