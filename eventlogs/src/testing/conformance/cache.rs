//! Promises of a cache.

use crate::__example::Counter;
use crate::aggregation::{Aggregation, ReducedThrough};
use crate::caches::AggregationCache;
use crate::ids::{EventId, LogId};
use crate::log_state::LogPosition;
use chrono::{DateTime, SubsecRound, Utc};
use futures_util::future::join_all;
use std::sync::Arc;
use std::time::Duration;

/// A cache of the suite's aggregate.
pub trait Cache: AggregationCache<Counter> {}
impl<C: AggregationCache<Counter>> Cache for C {}

/// Creates an aggregation that was reduced through an event of its own.
fn through(log_id: LogId, index: u64) -> Aggregation<Counter> {
    let now: DateTime<Utc> = Utc::now().trunc_subsecs(6);
    let total = i64::try_from(index).expect("a small index");
    let counter = Counter {
        total,
        events: index + 1,
        notes: vec!["ü".to_owned()],
    };
    let reach = ReducedThrough {
        log_id,
        index,
        event_id: EventId::new(),
        created_at: now,
        updated_at: now,
    };
    Aggregation::from_parts(Arc::new(counter), reach, now)
}

async fn put(cache: &impl Cache, aggregation: &Aggregation<Counter>) {
    cache
        .put(aggregation.clone(), None)
        .await
        .expect("the cache can be written");
}

async fn get(cache: &impl Cache, log_id: LogId) -> Option<Aggregation<Counter>> {
    cache.get(log_id).await.expect("the cache can be read")
}

/// Returns the position of the entry, which is unique to each entry of this suite.
async fn state(cache: &impl Cache, log_id: LogId) -> Option<LogPosition> {
    get(cache, log_id).await.map(|entry| entry.position())
}

/// A miss is not an error.
pub async fn an_empty_cache_has_nothing(cache: &impl Cache) {
    assert_eq!(state(cache, LogId::new()).await, None);
}

/// An entry comes back with everything that a reduction continues from.
pub async fn what_was_put_comes_back(cache: &impl Cache) {
    let put_in = through(LogId::new(), 4);
    put(cache, &put_in).await;
    let entry = get(cache, put_in.log_id()).await.expect("it was just put");
    assert_eq!(entry.aggregate(), put_in.aggregate());
    assert_eq!(entry.reach(), put_in.reach());
    assert_eq!(entry.reduced_at(), put_in.reduced_at());
}

/// A reduction through more events replaces an entry.
pub async fn a_further_reduction_replaces_an_entry(cache: &impl Cache) {
    let log_id = LogId::new();
    put(cache, &through(log_id, 4)).await;
    let further = through(log_id, 5);
    put(cache, &further).await;
    assert_eq!(state(cache, log_id).await, Some(further.position()));
}

/// A reduction through fewer events does not replace an entry, so a slow reader cannot undo the write of a fast one.
pub async fn an_older_reduction_does_not_replace_an_entry(cache: &impl Cache) {
    let log_id = LogId::new();
    let further = through(log_id, 5);
    put(cache, &further).await;
    put(cache, &through(log_id, 4)).await;
    assert_eq!(state(cache, log_id).await, Some(further.position()));
}

/// A reduction with another history through the same index replaces an entry: the newer reduction read the store later.
pub async fn another_history_at_the_same_index_replaces_an_entry(cache: &impl Cache) {
    let log_id = LogId::new();
    put(cache, &through(log_id, 5)).await;
    let other = through(log_id, 5);
    put(cache, &other).await;
    assert_eq!(state(cache, log_id).await, Some(other.position()));
}

/// Removing an entry removes it only if it has the given position: another process may have written the true history in
/// between.
pub async fn only_the_entry_of_the_named_event_is_removed(cache: &impl Cache) {
    let kept = through(LogId::new(), 5);
    put(cache, &kept).await;
    for other in [
        through(kept.log_id(), 5).position(),
        through(kept.log_id(), 4).position(),
        through(LogId::new(), 5).position(),
    ] {
        cache.remove(other).await.expect("the cache can be written");
        assert_eq!(state(cache, kept.log_id()).await, Some(kept.position()));
    }
    cache
        .remove(kept.position())
        .await
        .expect("the cache can be written");
    assert_eq!(state(cache, kept.log_id()).await, None);
}

/// A forgotten log has no entry until the next write. The caller who forgets does not know the entry, and any later reduction
/// is welcome, even one through fewer events.
pub async fn a_forgotten_log_is_gone_until_it_is_put_again(cache: &impl Cache) {
    let (kept, forgotten) = (through(LogId::new(), 5), through(LogId::new(), 5));
    put(cache, &kept).await;
    for index in [5, 3] {
        let forgotten = through(forgotten.log_id(), index);
        put(cache, &forgotten).await;
        assert_eq!(
            state(cache, forgotten.log_id()).await,
            Some(forgotten.position())
        );
        for _ in 0..2 {
            cache
                .forget(forgotten.log_id())
                .await
                .expect("the cache can be written");
            assert_eq!(state(cache, forgotten.log_id()).await, None);
        }
    }
    assert_eq!(state(cache, kept.log_id()).await, Some(kept.position()));
}

async fn put_and_expire(cache: &impl Cache, aggregation: &Aggregation<Counter>) {
    cache
        .put(aggregation.clone(), Some(Duration::from_millis(5)))
        .await
        .expect("the cache can be written");
    while state(cache, aggregation.log_id()).await.is_some() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// An entry expires some time after its time to live; an entry without one stays.
pub async fn an_entry_ends_with_its_ttl(cache: &impl Cache) {
    let lasting = through(LogId::new(), 1);
    put(cache, &lasting).await;
    let long = through(LogId::new(), 1);
    cache
        .put(long.clone(), Some(Duration::MAX))
        .await
        .expect("the cache can be written");
    put_and_expire(cache, &through(LogId::new(), 1)).await;
    assert_eq!(
        state(cache, lasting.log_id()).await,
        Some(lasting.position())
    );
    assert_eq!(state(cache, long.log_id()).await, Some(long.position()));
}

/// A reduction through fewer events replaces an expired entry: no reader can use that entry any more.
pub async fn an_expired_entry_gives_way_to_an_older_reduction(cache: &impl Cache) {
    let log_id = LogId::new();
    put_and_expire(cache, &through(log_id, 9)).await;
    let older = through(log_id, 3);
    put(cache, &older).await;
    assert_eq!(state(cache, log_id).await, Some(older.position()));
}

/// Each log has its own entry.
pub async fn logs_do_not_touch_each_other(cache: &impl Cache) {
    let entries: Vec<_> = (0..100).map(|index| through(LogId::new(), index)).collect();
    for entry in &entries {
        put(cache, entry).await;
    }
    for entry in &entries {
        assert_eq!(state(cache, entry.log_id()).await, Some(entry.position()));
    }
}

/// Of concurrent writes, the reduction through the most events stays: comparing and replacing are one atomic step.
pub async fn of_many_puts_the_furthest_stays(cache: &impl Cache) {
    let log_id = LogId::new();
    let mut entries: Vec<_> = (0..64).map(|index| through(log_id, index)).collect();
    fastrand::shuffle(&mut entries);
    join_all(entries.iter().map(|entry| put(cache, entry))).await;
    assert_eq!(
        get(cache, log_id).await.map(|entry| entry.through_index()),
        Some(63)
    );
}
