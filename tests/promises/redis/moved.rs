//! A Redis server that has moved, or is not available yet.

use super::{connect, counters, five_events, options, raw, until_cached};
use crate::proxy::Proxy;
use crate::servers::PrivateRedis;
use eventlogs::redis::{Cmd, aio::MultiplexedConnection, cmd};
use eventlogs::stores::fake::FakeEventStore;
use eventlogs::testing::conformance::Counter;
use eventlogs::{RedisAggregationCache, RedisConnectError};
use std::time::Duration;

async fn tell(connection: &mut MultiplexedConnection, command: &[&str]) {
    let mut told = Cmd::new();
    told.arg(command);
    let () = told.query_async(connection).await.unwrap();
}

#[tokio::test]
async fn after_a_fail_over_the_cache_follows_the_address() {
    let (Some(old), Some(new)) = (
        PrivateRedis::start(&[]).await,
        PrivateRedis::start(&[]).await,
    ) else {
        return;
    };
    let proxy = Proxy::in_front_of(old.address()).await;
    let url = format!("redis://{}", proxy.address);
    let counters = counters(FakeEventStore::new(), connect(&url, options()).await);
    let log_id = five_events(&counters).await;
    until_cached(&counters, &log_id).await;

    let mut to_old = raw(&old.url()).await;
    let port = new.address().1.to_string();
    tell(&mut to_old, &["REPLICAOF", "127.0.0.1", &port]).await;
    // For a while, the address still leads to the old server.
    for _ in 0..5 {
        let log_id = five_events(&counters).await;
        counters.reduce(&log_id).await.unwrap();
        counters.flush_cache().await;
    }
    proxy.lead_to(new.address());
    for _ in 0..3 {
        let log_id = five_events(&counters).await;
        until_cached(&counters, &log_id).await;
    }
    let mut to_new = raw(&new.url()).await;
    let keys: u64 = cmd("DBSIZE").query_async(&mut to_new).await.unwrap();
    assert!(keys >= 3, "{keys}");
}

#[tokio::test]
async fn a_replica_that_stays_one_is_not_asked_over_and_over() {
    let (Some(master), Some(replica)) = (
        PrivateRedis::start(&[]).await,
        PrivateRedis::start(&[]).await,
    ) else {
        return;
    };
    let mut to_replica = raw(&replica.url()).await;
    let port = master.address().1.to_string();
    tell(&mut to_replica, &["REPLICAOF", "127.0.0.1", &port]).await;
    let counters = counters(
        FakeEventStore::new(),
        connect(&replica.url(), options()).await,
    );
    for _ in 0..500 {
        let log_id = five_events(&counters).await;
        counters.reduce(&log_id).await.unwrap();
        counters.flush_cache().await;
    }
    let info: String = cmd("INFO")
        .arg("stats")
        .query_async(&mut to_replica)
        .await
        .unwrap();
    let received = info
        .lines()
        .find_map(|line| line.strip_prefix("total_connections_received:"))
        .and_then(|count| count.trim().parse::<u64>().ok())
        .expect("a count of connections");
    assert!(received < 50, "{received} connections");
}

#[tokio::test]
async fn a_node_of_a_cluster_is_called_so() {
    let Some(node) = PrivateRedis::start(&["--cluster-enabled", "yes"]).await else {
        return;
    };
    // A node without any slot, and then a node with all slots, which works as a server.
    let error = RedisAggregationCache::<Counter>::connect(&node.url())
        .await
        .expect_err("the node has no slot");
    assert!(
        matches!(error, RedisConnectError::Cluster { .. }),
        "{error:?}"
    );
    assert!(
        error.to_string().contains("RedisAggregationCache::new"),
        "{error}"
    );

    let mut to_node = raw(&node.url()).await;
    let slots: Vec<String> = (0..16_384).map(|slot: u32| slot.to_string()).collect();
    let slots: Vec<&str> = ["CLUSTER", "ADDSLOTS"]
        .into_iter()
        .chain(slots.iter().map(String::as_str))
        .collect();
    tell(&mut to_node, &slots).await;
    let counters = counters(FakeEventStore::new(), connected(&node.url()).await);
    let log_id = five_events(&counters).await;
    until_cached(&counters, &log_id).await;
}

#[tokio::test]
async fn a_node_of_a_cluster_that_has_a_half_is_called_so() {
    let cluster = ["--cluster-enabled", "yes"];
    let (Some(one), Some(other)) = (
        PrivateRedis::start(&cluster).await,
        PrivateRedis::start(&cluster).await,
    ) else {
        return;
    };
    let all: Vec<String> = (0..16_384).map(|slot: u32| slot.to_string()).collect();
    for (node, half) in [(&one, &all[..8_192]), (&other, &all[8_192..])] {
        let add: Vec<&str> = ["CLUSTER", "ADDSLOTS"]
            .into_iter()
            .chain(half.iter().map(String::as_str))
            .collect();
        tell(&mut raw(&node.url()).await, &add).await;
    }
    let port = other.address().1.to_string();
    tell(
        &mut raw(&one.url()).await,
        &["CLUSTER", "MEET", "127.0.0.1", &port],
    )
    .await;
    let together = async {
        let mut to_one = raw(&one.url()).await;
        loop {
            let info: String = cmd("CLUSTER")
                .arg("INFO")
                .query_async(&mut to_one)
                .await
                .unwrap();
            if info.contains("cluster_state:ok") {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), together)
        .await
        .expect("the nodes find each other");
    let error = RedisAggregationCache::<Counter>::connect(&one.url())
        .await
        .expect_err("the node has half of the slots");
    assert!(
        matches!(error, RedisConnectError::Cluster { .. }),
        "{error:?}"
    );
}

/// Connects once the cluster has noticed that it is complete.
async fn connected(url: &str) -> RedisAggregationCache<Counter> {
    let connect = async {
        loop {
            match RedisAggregationCache::connect_with(url, options()).await {
                Ok(cache) => return cache,
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    };
    tokio::time::timeout(Duration::from_mins(1), connect)
        .await
        .expect("the cluster serves")
}

#[tokio::test]
async fn a_lazy_cache_needs_no_server_to_start_with() {
    let Some(mut server) = PrivateRedis::start(&[]).await else {
        return;
    };
    server.kill();
    let cache = RedisAggregationCache::<Counter>::lazy_with(&server.url(), options()).unwrap();
    let counters = counters(FakeEventStore::new(), cache);
    let log_id = five_events(&counters).await;
    for _ in 0..5 {
        assert_eq!(
            counters.reduce(&log_id).await.unwrap().aggregate().total,
            15
        );
        counters.flush_cache().await;
    }
    server.restart().await;
    until_cached(&counters, &log_id).await;
}

#[test]
fn a_lazy_cache_is_made_outside_of_a_runtime_and_looks_at_the_url() {
    let lazy = RedisAggregationCache::<Counter>::lazy;
    assert!(lazy("redis://127.0.0.1:1").is_ok());
    let malformed = lazy("redis://app:hunter2@host:port").unwrap_err();
    assert!(matches!(malformed, RedisConnectError::MalformedUrl { .. }));
    assert!(!format!("{malformed:?} {malformed}").contains("hunter2"));
}
