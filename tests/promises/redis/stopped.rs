//! A Redis server that is stopped under load makes no reduction fail, and none wait longer than its time box.

use super::{added, connect, options, until_cached};
use crate::postgres::TestStore;
use crate::servers::PrivateRedis;
use eventlogs::ids::LogId;
use eventlogs::stores::fake::FakeEventStore;
use eventlogs::testing::conformance::{Counter, CounterEvent};
use eventlogs::{
    CreateOptions, EventStore, LogManager, LogManagerOptions, MemoryAggregationCache,
    RedisCacheOptions, TieredAggregationCache,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How long Redis would be waited for without the time box of the manager.
const WITHOUT_TIME_BOX: Duration = Duration::from_secs(30);

async fn stopped_under_load(store: impl EventStore<CounterEvent>, has_near: bool) {
    let Some(server) = PrivateRedis::start(&[]).await else {
        return;
    };
    let patient = RedisCacheOptions {
        response_timeout: WITHOUT_TIME_BOX,
        connect_timeout: WITHOUT_TIME_BOX,
        ..options()
    };
    let far = connect(&server.url(), patient).await;
    let defaults = LogManagerOptions::default;
    let counters: LogManager<Counter> = if has_near {
        let near = MemoryAggregationCache::with_capacity(4);
        LogManager::new(store, TieredAggregationCache::new(near, far), defaults())
    } else {
        LogManager::new(store, far, defaults())
    };
    let mut logs = Vec::new();
    for amount in 1..=20 {
        let log_id = LogId::new();
        let first = added(amount);
        counters
            .create(&log_id, &first, CreateOptions::NONE)
            .await
            .unwrap();
        until_cached(&counters, &log_id).await;
        logs.push((log_id, amount));
    }
    let is_over = Arc::new(AtomicBool::new(false));
    let done = Arc::new(AtomicU64::new(0));
    let longest = defaults().cache_timeout + WITHOUT_TIME_BOX / 10;
    let tasks: Vec<_> = (0..20)
        .map(|task: usize| {
            let (counters, logs) = (counters.clone(), logs.clone());
            let (is_over, done) = (Arc::clone(&is_over), Arc::clone(&done));
            tokio::spawn(async move {
                for round in task.. {
                    if is_over.load(Ordering::SeqCst) {
                        return;
                    }
                    let (log_id, amount) = logs[round % logs.len()];
                    let begun = Instant::now();
                    let state = counters.reduce(log_id).await.unwrap();
                    let took = begun.elapsed();
                    assert_eq!(state.aggregate().total, amount);
                    assert!(took < longest, "{took:?}");
                    done.fetch_add(1, Ordering::SeqCst);
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    let progress = async || {
        let before = done.load(Ordering::SeqCst);
        let more = async {
            while done.load(Ordering::SeqCst) < before + 100 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let more = tokio::time::timeout(Duration::from_secs(20), more).await;
        more.expect("reductions go on");
    };
    progress().await;
    server.suspend();
    progress().await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    progress().await;
    server.resume();
    progress().await;
    is_over.store(true, Ordering::SeqCst);
    for task in tasks {
        task.await.unwrap();
    }
    for (log_id, _) in &logs {
        until_cached(&counters, log_id).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_cache_that_is_stopped_under_load_holds_up_no_reduction() {
    stopped_under_load(FakeEventStore::encoding(), false).await;
    stopped_under_load(FakeEventStore::encoding(), true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_cache_that_is_stopped_under_load_holds_up_no_reduction_on_postgres() {
    if let Some(store) = TestStore::new().await {
        stopped_under_load(store.store.clone(), false).await;
        stopped_under_load(store.store, true).await;
    }
}
