//! An address that leads to another server, which does not accept writes yet.

use super::PrivatePostgres;
use crate::proxy::Proxy;
use eventlogs::ids::LogId;
use eventlogs::stores::{OpenError, StoreError};
use eventlogs::testing::conformance::{Counter, CounterEvent};
use eventlogs::{
    AppendOptions, CreateOptions, LogManager, LogManagerError, LogManagerOptions,
    MemoryAggregationCache, PostgresEventStore, PostgresOptions, TargetSession,
};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Executor};
use std::time::{Duration, Instant};
use tokio::time::sleep;

const ADDED: CounterEvent = CounterEvent::Added { amount: 1 };

fn manager(store: PostgresEventStore) -> LogManager<Counter> {
    LogManager::new(
        store,
        MemoryAggregationCache::default(),
        LogManagerOptions::default(),
    )
}

async fn execute(server: &PrivatePostgres, sql: &'static str) {
    let connect: PgConnectOptions = server.url().parse().unwrap();
    let mut connection = connect.connect().await.unwrap();
    connection.execute(sql).await.unwrap();
}

/// Starts another server with tables of the same name, which is read-only for now.
async fn one_that_reads() -> Option<PrivatePostgres> {
    let server = PrivatePostgres::start(&[]).await?;
    let store = PostgresEventStore::connect(&server.url()).await.unwrap();
    store.migrate().await.unwrap();
    store.close().await;
    execute(
        &server,
        "alter system set default_transaction_read_only = on",
    )
    .await;
    execute(&server, "select pg_reload_conf()").await;
    Some(server)
}

fn at(server: &PrivatePostgres) -> (String, u16) {
    ("127.0.0.1".to_owned(), server.port())
}

async fn behind(proxy: &Proxy, options: PostgresOptions) -> LogManager<Counter> {
    let url = format!("postgres://postgres@{}/postgres", proxy.address);
    let store = PostgresEventStore::connect_url_with(&url, options)
        .await
        .unwrap();
    store.migrate().await.unwrap();
    manager(store)
}

/// The response is lost, and for a while the address leads to read-only servers, or to none at all.
#[tokio::test]
async fn a_write_in_doubt_looks_for_a_primary_until_its_deadline() {
    let Some(primary) = PrivatePostgres::start(&[]).await else {
        return;
    };
    let Some(reading) = one_that_reads().await else {
        return;
    };
    for target_session in [None, Some(TargetSession::ReadWrite)] {
        let proxy = Proxy::in_front_of(at(&primary)).await;
        let options = PostgresOptions {
            timeout: Duration::from_secs(20),
            target_session,
            ..PostgresOptions::default()
        };
        let counters = behind(&proxy, options).await;
        let log_id = LogId::new();
        let mut state = counters
            .create(&log_id, &ADDED, &CreateOptions::default())
            .await
            .unwrap();
        for nowhere in [false, true] {
            proxy.lead_to(if nowhere {
                ("127.0.0.1".to_owned(), 1)
            } else {
                at(&reading)
            });
            proxy.lose_next_answer();
            let options = AppendOptions::default();
            let (appended, ()) = tokio::join!(counters.append(state, &ADDED, &options), async {
                sleep(Duration::from_secs(2)).await;
                proxy.lead_to(at(&primary));
            });
            state = appended.expect("the event was stored already");
        }
        assert_eq!(counters.load(&log_id, 0, 10).await.unwrap().len(), 3);
    }
}

/// No primary is reachable before the deadline; only then the outcome is unknown.
#[tokio::test]
async fn a_write_in_doubt_is_unknown_when_its_time_is_over() {
    let Some(primary) = PrivatePostgres::start(&[]).await else {
        return;
    };
    let Some(reading) = one_that_reads().await else {
        return;
    };
    let proxy = Proxy::in_front_of(at(&primary)).await;
    let options = PostgresOptions {
        timeout: Duration::from_secs(3),
        ..PostgresOptions::default()
    };
    let counters = behind(&proxy, options).await;
    let log_id = LogId::new();
    let state = counters
        .create(&log_id, &ADDED, &CreateOptions::default())
        .await
        .unwrap();
    // Once more, so that the lost response is that of the append.
    let none = AppendOptions::default();
    let state = counters.append(state, &ADDED, &none).await.unwrap();
    proxy.lead_to(at(&reading));
    proxy.lose_next_answer();
    let begun = Instant::now();
    let unknown = counters
        .append(state, &ADDED, &AppendOptions::default())
        .await;
    assert!(
        matches!(
            unknown,
            Err(LogManagerError::Store(StoreError::OutcomeUnknown {
                source: Some(_)
            }))
        ),
        "{unknown:?}"
    );
    assert!(
        begun.elapsed() > Duration::from_secs(2),
        "the store looked for a primary"
    );
    // The next write is not in doubt.
    let begun = Instant::now();
    let refused = counters
        .append(state, &ADDED, &AppendOptions::default())
        .await;
    assert!(
        matches!(
            refused,
            Err(LogManagerError::Store(StoreError::ReadOnly { .. }))
        ),
        "{refused:?}"
    );
    assert!(
        begun.elapsed() < Duration::from_secs(2),
        "the write fails immediately"
    );
    proxy.lead_to(at(&primary));
    let replayed = counters
        .append(state, &ADDED, &AppendOptions::default())
        .await;
    assert!(
        matches!(replayed, Err(LogManagerError::ConcurrentAppend { .. })),
        "the first append was stored: {replayed:?}"
    );
}

/// A real standby, which is promoted to primary in the middle of operations.
#[tokio::test]
async fn a_standby_is_passed_over_until_it_is_promoted() {
    let Some(mut server) = PrivatePostgres::start(&[]).await else {
        return;
    };
    let store = PostgresEventStore::connect(&server.url()).await.unwrap();
    store.migrate().await.unwrap();
    let log_id = LogId::new();
    let counters = manager(store);
    let state = counters
        .create(&log_id, &ADDED, &CreateOptions::default())
        .await
        .unwrap();
    server.restart_as_standby().await;

    for wanted in ["read-write", "primary"] {
        let url = format!("{}?target_session_attrs={wanted}", server.url());
        let error = PostgresEventStore::connect(&url).await.unwrap_err();
        assert!(
            matches!(error, OpenError::Store(StoreError::NoPrimary { .. })),
            "{error:?}"
        );
        assert!(error.to_string().contains("primary"), "{error}");
    }
    for url in [
        server.url(),
        format!("{}?target_session_attrs=any", server.url()),
    ] {
        let reading = manager(PostgresEventStore::connect(&url).await.unwrap());
        assert_eq!(reading.load(&log_id, 0, 10).await.unwrap().len(), 1);
    }
    // A read detects the broken connections; a write that did so would be in doubt.
    counters.load(&log_id, 0, 10).await.unwrap();
    let refused = counters
        .append(state, &ADDED, &AppendOptions::default())
        .await;
    assert!(
        matches!(
            refused,
            Err(LogManagerError::Store(StoreError::ReadOnly { .. }))
        ),
        "{refused:?}"
    );
    execute(&server, "select pg_promote()").await;
    counters
        .append(state, &ADDED, &AppendOptions::default())
        .await
        .unwrap();

    // A store with `target_session_attrs=read-write` waits for a server that accepts writes.
    let url = format!("{}?target_session_attrs=read-write", server.url());
    let waiting = manager(PostgresEventStore::connect(&url).await.unwrap());
    waiting.load(&log_id, 0, 10).await.unwrap();
    server.restart_as_standby().await;
    let (new, options) = (LogId::new(), CreateOptions::default());
    let (created, ()) = tokio::join!(waiting.create(&new, &ADDED, &options), async {
        sleep(Duration::from_secs(1)).await;
        execute(&server, "select pg_promote()").await;
    });
    created.unwrap();
}
