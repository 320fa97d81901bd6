//! With a sealing key, only its owners can put a state into the cache.

use super::{connect, counters, five_events, key, options, raw, until_cached};
use crate::servers;
use eventlogs::ids::LogId;
use eventlogs::redis::cmd;
use eventlogs::stores::fake::FakeEventStore;
use eventlogs::testing::conformance::Counter;
use eventlogs::{Aggregation, AggregationCache, MacKey, RedisCacheOptions};
use std::sync::Arc;

fn with_keys(options: &RedisCacheOptions, keys: &[u8]) -> RedisCacheOptions {
    RedisCacheOptions {
        mac_keys: keys.iter().map(|byte| MacKey::new([*byte; 32])).collect(),
        ..options.clone()
    }
}

/// Creates an entry with a true event id and a false state.
fn forged(true_one: &Aggregation<Counter>) -> Aggregation<Counter> {
    let rich = Counter {
        total: 1_000_000,
        ..true_one.aggregate().clone()
    };
    Aggregation::from_parts(Arc::new(rich), *true_one.reach(), true_one.reduced_at())
}

#[tokio::test]
async fn a_state_that_was_put_without_the_key_is_a_miss() {
    let Some(url) = servers::redis_url() else {
        return;
    };
    let options = options();
    let sealed = connect(&url, with_keys(&options, &[1])).await;
    let counters = counters(FakeEventStore::new(), sealed.clone());
    let log_id = five_events(&counters).await;
    let truth = counters.reduce(&log_id).await.unwrap();
    for keys in [&[][..], &[2], &[2, 1]] {
        let stranger = connect(&url, with_keys(&options, keys)).await;
        sealed.forget(log_id).await.unwrap();
        stranger.put(forged(&truth), None).await.unwrap();
        let found = counters.reduce(&log_id).await.unwrap();
        assert_eq!((found.aggregate().total, found.applied_events()), (15, 5));
        until_cached(&counters, &log_id).await;
    }
}

#[tokio::test]
async fn a_sealed_entry_is_good_in_its_own_place_only() {
    let Some(url) = servers::redis_url() else {
        return;
    };
    let options = options();
    let sealed = connect(&url, with_keys(&options, &[1])).await;
    let counters = counters(FakeEventStore::new(), sealed.clone());
    let [one, other] = [five_events(&counters).await, five_events(&counters).await];
    until_cached(&counters, &one).await;
    until_cached(&counters, &other).await;
    let mut raw = raw(&url).await;
    let key_of = |log_id: LogId| key::<Counter>(&options, log_id);
    let entry: Vec<u8> = cmd("GET")
        .arg(key_of(one))
        .query_async(&mut raw)
        .await
        .unwrap();

    let set = cmd("SET").arg(key_of(other)).arg(&entry).to_owned();
    let () = set.query_async(&mut raw).await.unwrap();
    assert!(sealed.get(other).await.unwrap().is_none());
    for byte in 0..entry.len() {
        let mut changed = entry.clone();
        changed[byte] ^= 1;
        let set = cmd("SET").arg(key_of(one)).arg(changed).to_owned();
        let () = set.query_async(&mut raw).await.unwrap();
        assert!(sealed.get(one).await.unwrap().is_none(), "byte {byte}");
    }
    // The entry is also deleted, so that it does not come back with every reduction.
    let left: bool = cmd("EXISTS")
        .arg(key_of(one))
        .query_async(&mut raw)
        .await
        .unwrap();
    assert!(!left);
}

#[tokio::test]
async fn a_new_key_is_brought_in_without_a_miss() {
    let Some(url) = servers::redis_url() else {
        return;
    };
    let options = options();
    let store = FakeEventStore::new();
    let first = counters(
        store.clone(),
        connect(&url, with_keys(&options, &[1])).await,
    );
    let log_id = five_events(&first).await;
    until_cached(&first, &log_id).await;
    for keys in [&[1, 2][..], &[2, 1]] {
        let next = counters(
            store.clone(),
            connect(&url, with_keys(&options, keys)).await,
        );
        let found = next.reduce(&log_id).await.unwrap();
        assert_eq!(found.applied_events(), 0, "{keys:?}");
    }
}

#[tokio::test]
async fn keys_are_not_shown() {
    let Some(url) = servers::redis_url() else {
        return;
    };
    let cache = connect(&url, with_keys(&options(), &[201])).await;
    for debug in [format!("{cache:?}"), format!("{cache:#?}")] {
        assert!(
            debug.contains("MacKey(…)") && !debug.contains("201"),
            "{debug}"
        );
    }
}
