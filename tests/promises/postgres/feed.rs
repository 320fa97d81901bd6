//! The feed on a real server: what holds it back, servers that stop, follow and take over, and tables that others change.

mod foreign;
mod holds;
mod repaired;
mod restored;
mod standby;
mod stress;

use crate::servers::PrivatePostgres;
use eventlogs::feed::Feed;
use eventlogs::ids::LogId;
use eventlogs::testing::conformance::{Counter, CounterEvent};
use eventlogs::{
    AppendOptions, CreateOptions, EventFeed, FeedEvent, LogManager, LogManagerOptions, LogState,
    MemoryAggregationCache, PostgresEventStore,
};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Executor, PgConnection};
use std::time::{Duration, Instant};

const ADDED: CounterEvent = CounterEvent::Added { amount: 1 };
/// Settings of a server with prepared transactions.
const SETTINGS: [&str; 2] = ["max_prepared_transactions=30", "max_connections=100"];

/// A server of its own with a store.
struct Site {
    server: PrivatePostgres,
    store: PostgresEventStore,
    counters: LogManager<Counter>,
}

impl Site {
    async fn open() -> Option<Self> {
        let server = PrivatePostgres::start(&SETTINGS).await?;
        let store = PostgresEventStore::connect(&server.url()).await.unwrap();
        store.migrate().await.unwrap();
        Some(Self {
            counters: counters(&store),
            server,
            store,
        })
    }

    async fn connection(&self) -> PgConnection {
        connect(&self.server.url()).await
    }

    /// Opens a connection to another database of the server.
    async fn elsewhere(&self) -> PgConnection {
        // Another connection may have made it.
        let _ = self
            .connection()
            .await
            .execute("create database other")
            .await;
        let url = self.server.url();
        let server = url.strip_suffix("postgres").unwrap();
        connect(&format!("{server}other")).await
    }

    /// Creates logs of one event each.
    async fn create(&self, logs: usize) -> Vec<LogState<CounterEvent>> {
        let mut states = Vec::new();
        for _ in 0..logs {
            states.push(create(&self.counters).await);
        }
        states
    }

    async fn append(&self, state: LogState<CounterEvent>) -> LogState<CounterEvent> {
        append(&self.counters, state).await
    }
}

fn counters(store: &PostgresEventStore) -> LogManager<Counter> {
    LogManager::new(
        store.clone(),
        MemoryAggregationCache::default(),
        LogManagerOptions::default(),
    )
}

async fn connect(url: &str) -> PgConnection {
    let connect: PgConnectOptions = url.parse().unwrap();
    connect.connect().await.unwrap()
}

async fn create(counters: &LogManager<Counter>) -> LogState<CounterEvent> {
    let options = CreateOptions::default();
    counters
        .create(&LogId::new(), &ADDED, &options)
        .await
        .unwrap()
}

async fn append(
    counters: &LogManager<Counter>,
    state: LogState<CounterEvent>,
) -> LogState<CounterEvent> {
    let options = AppendOptions::default();
    counters.append(state, &ADDED, &options).await.unwrap()
}

/// Reads all that the feed has now.
async fn now<S: EventFeed>(feed: &mut Feed<S>) -> Vec<FeedEvent> {
    let mut events = Vec::new();
    while let Some(page) = feed.next_page().await.unwrap() {
        events.extend(page.events);
    }
    events
}

/// Reads until so many events have come.
async fn until<S: EventFeed>(feed: &mut Feed<S>, events: usize) -> Vec<FeedEvent> {
    let begun = Instant::now();
    let mut found = now(feed).await;
    while found.len() < events {
        let left = Duration::from_secs(20).saturating_sub(begun.elapsed());
        let waited = tokio::time::timeout(left, feed.wait()).await;
        waited
            .unwrap_or_else(|_| panic!("only {} of {events} events came", found.len()))
            .unwrap();
        found.extend(now(feed).await);
    }
    assert_eq!(found.len(), events);
    found
}

/// Returns log and index of each event.
fn names(events: &[FeedEvent]) -> Vec<(LogId, u64)> {
    let name = |event: &FeedEvent| (event.log_id, event.index);
    events.iter().map(name).collect()
}

/// Returns log and index of the event that each state ends with.
fn ends(states: &[LogState<CounterEvent>]) -> Vec<(LogId, u64)> {
    let end = |state: &LogState<_>| (state.log_id(), state.index());
    states.iter().map(end).collect()
}
