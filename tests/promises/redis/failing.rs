//! A Redis server that hangs, dies, forgets or is full costs time and nothing else.

use super::{added, connect, counters, five_events, options, raw, until_cached};
use crate::servers::PrivateRedis;
use eventlogs::ids::LogId;
use eventlogs::redis::{Client, cmd};
use eventlogs::stores::fake::FakeEventStore;
use eventlogs::testing::conformance::{Counter, CounterEvent};
use eventlogs::{
    AggregationCache, AppendOptions, CreateOptions, DecideOptions, LogManager, LogManagerOptions,
    MemoryAggregationCache, RedisAggregationCache, RedisCacheOptions, TieredAggregationCache,
};
use std::time::{Duration, Instant};

/// Options with time limits short enough for a test.
fn impatient() -> RedisCacheOptions {
    RedisCacheOptions {
        response_timeout: Duration::from_millis(100),
        connect_timeout: Duration::from_millis(500),
        ..options()
    }
}

/// Runs every operation on a log of its own. The managers of these tests have the default time boxes.
async fn everything_works(counters: &LogManager<Counter>) {
    let log_id = LogId::new();
    let state = counters
        .create(&log_id, &added(1), &CreateOptions::default())
        .await
        .unwrap();
    counters
        .append(state, &added(2), &AppendOptions::default())
        .await
        .unwrap();
    for _ in 0..3 {
        assert_eq!(counters.reduce(&log_id).await.unwrap().aggregate().total, 3);
    }
    let decided = counters
        .decide(&log_id, &DecideOptions::default(), |counter| {
            Ok::<_, ()>([added(counter.total)])
        })
        .await
        .unwrap();
    assert_eq!(decided.aggregation().aggregate().total, 6);
    assert_eq!(counters.reduce(&log_id).await.unwrap().aggregate().total, 6);
}

fn manager(cache: impl AggregationCache<Counter>) -> LogManager<Counter> {
    LogManager::new(FakeEventStore::new(), cache, LogManagerOptions::default())
}

#[tokio::test]
async fn a_hanging_server_is_given_up_and_found_again() {
    let Some(server) = PrivateRedis::start(&[]).await else {
        return;
    };
    let counters = manager(connect(&server.url(), impatient()).await);
    let log_id = five_events(&counters).await;
    until_cached(&counters, &log_id).await;

    server.suspend();
    for _ in 0..20 {
        everything_works(&counters).await;
    }
    // By now the cache knows that the connection is broken, so reductions do not even wait for their time box.
    let started = Instant::now();
    for _ in 0..200 {
        assert_eq!(
            counters.reduce(&log_id).await.unwrap().aggregate().total,
            15
        );
    }
    let waited = started.elapsed();
    assert!(
        waited < 200 * LogManagerOptions::<Counter>::default().cache_timeout,
        "{waited:?}"
    );

    server.resume();
    until_cached(&counters, &log_id).await;
}

#[tokio::test]
async fn a_server_that_hangs_is_noticed_by_readers_alone() {
    let Some(server) = PrivateRedis::start(&[]).await else {
        return;
    };
    let cache = connect(&server.url(), impatient()).await;
    server.suspend();
    // Callers that leave before any time limit of the connection.
    let impatient_get = async || {
        let get = cache.get(LogId::new());
        tokio::time::timeout(Duration::from_millis(10), get).await
    };
    let notice = async { while impatient_get().await.is_err() {} };
    tokio::time::timeout(Duration::from_secs(10), notice)
        .await
        .expect("calls fail at once in the end");
    server.resume();
    let come_back = async {
        while !matches!(impatient_get().await, Ok(Ok(None))) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), come_back)
        .await
        .expect("the cache comes back");
}

#[tokio::test]
async fn a_server_that_dies_and_starts_again_is_found_again() {
    let Some(mut server) = PrivateRedis::start(&[]).await else {
        return;
    };
    let counters = manager(connect(&server.url(), impatient()).await);
    let log_id = five_events(&counters).await;
    for _ in 0..2 {
        until_cached(&counters, &log_id).await;
        server.kill();
        for _ in 0..10 {
            everything_works(&counters).await;
        }
        server.restart().await;
    }
    until_cached(&counters, &log_id).await;
}

#[tokio::test]
async fn a_server_that_forgets_is_filled_again() {
    let Some(server) = PrivateRedis::start(&[]).await else {
        return;
    };
    let counters = manager(connect(&server.url(), impatient()).await);
    let log_id = five_events(&counters).await;
    let mut raw = raw(&server.url()).await;
    // Deletes entries, scripts and connections.
    let forget: [&[&str]; 3] = [
        &["FLUSHALL"],
        &["SCRIPT", "FLUSH"],
        &["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"],
    ];
    for command in forget {
        until_cached(&counters, &log_id).await;
        let mut forget = cmd(command[0]);
        let () = forget
            .arg(&command[1..])
            .query_async(&mut raw)
            .await
            .unwrap();
        everything_works(&counters).await;
        let () = cmd("FLUSHALL").query_async(&mut raw).await.unwrap();
        until_cached(&counters, &log_id).await;
    }
}

#[tokio::test]
async fn a_full_server_takes_nothing_and_harms_nobody() {
    let arguments = ["--maxmemory", "1mb", "--maxmemory-policy", "noeviction"];
    let Some(server) = PrivateRedis::start(&arguments).await else {
        return;
    };
    let cache = connect(&server.url(), impatient()).await;
    let counters = counters(FakeEventStore::new(), cache.clone());
    let log_id = five_events(&counters).await;
    let entry = counters.reduce(&log_id).await.unwrap();
    let refused = cache.put(entry, None).await.expect_err("Redis is full");
    assert!(refused.to_string().contains("OOM"), "{refused}");
    everything_works(&counters).await;

    let mut raw = raw(&server.url()).await;
    let () = cmd("CONFIG")
        .arg(&["SET", "maxmemory", "0"])
        .query_async(&mut raw)
        .await
        .unwrap();
    until_cached(&counters, &log_id).await;
}

#[tokio::test]
async fn a_server_that_demands_a_password_later_is_a_miss() {
    let Some(server) = PrivateRedis::start(&[]).await else {
        return;
    };
    let counters = manager(connect(&server.url(), impatient()).await);
    let log_id = five_events(&counters).await;
    until_cached(&counters, &log_id).await;
    let mut raw = raw(&server.url()).await;
    let set_password = async |raw: &mut _, password: &str| {
        let () = cmd("CONFIG")
            .arg(&["SET", "requirepass", password])
            .query_async(raw)
            .await
            .unwrap();
    };
    set_password(&mut raw, "new").await;
    let () = cmd("CLIENT")
        .arg(&["KILL", "TYPE", "normal", "SKIPME", "yes"])
        .query_async(&mut raw)
        .await
        .unwrap();
    everything_works(&counters).await;
    // Long enough for refused attempts; there must be further ones after them.
    tokio::time::sleep(Duration::from_millis(300)).await;
    everything_works(&counters).await;
    set_password(&mut raw, "").await;
    until_cached(&counters, &log_id).await;
}

#[tokio::test]
async fn the_near_cache_works_on_without_the_far_one() {
    let Some(mut server) = PrivateRedis::start(&[]).await else {
        return;
    };
    let far = connect(&server.url(), impatient()).await;
    let near = MemoryAggregationCache::<Counter>::default();
    let counters = manager(TieredAggregationCache::new(near, far));
    let log_id = five_events(&counters).await;
    until_cached(&counters, &log_id).await;
    server.suspend();
    everything_works(&counters).await;
    assert_eq!(counters.reduce(&log_id).await.unwrap().applied_events(), 0);
    let new_log = five_events(&counters).await;
    until_cached(&counters, &new_log).await;
    server.kill();
    everything_works(&counters).await;
    let new_log = five_events(&counters).await;
    until_cached(&counters, &new_log).await;
}

#[tokio::test]
async fn a_connection_of_the_users_serves_as_well() {
    let Some(mut server) = PrivateRedis::start(&[]).await else {
        return;
    };
    let client = Client::open(server.url()).unwrap();
    let multiplexed = client.get_multiplexed_async_connection().await.unwrap();
    let managed = client.get_connection_manager().await.unwrap();
    let multiplexed = manager(RedisAggregationCache::<Counter>::new(
        multiplexed,
        impatient(),
    ));
    let managed = manager(RedisAggregationCache::<Counter>::new(managed, impatient()));
    for counters in [&multiplexed, &managed] {
        let log_id = five_events(counters).await;
        until_cached(counters, &log_id).await;
    }
    server.suspend();
    everything_works(&multiplexed).await;
    everything_works(&managed).await;
    server.kill();
    everything_works(&multiplexed).await;
    everything_works(&managed).await;
    server.restart().await;
    let log_id = five_events(&managed).await;
    until_cached(&managed, &log_id).await;
}

#[test]
fn the_connection_outlives_the_runtime_that_made_it() {
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
    };
    let first = runtime();
    let Some(server) = first.block_on(PrivateRedis::start(&[])) else {
        return;
    };
    let counters = manager(first.block_on(connect(&server.url(), impatient())));
    drop(first);
    runtime().block_on(async {
        everything_works(&counters).await;
        let log_id = five_events(&counters).await;
        until_cached(&counters, &log_id).await;
    });
    // A runtime that ends while the connection is being established again.
    let broken = runtime();
    broken.block_on(everything_works(&counters));
    drop(broken);
    runtime().block_on(async {
        let log_id = five_events(&counters).await;
        until_cached(&counters, &log_id).await;
        let noted = CounterEvent::Noted {
            text: String::new(),
        };
        let state = counters.reduce(&log_id).await.unwrap();
        counters
            .append(state, &noted, &AppendOptions::default())
            .await
            .unwrap();
    });
}
