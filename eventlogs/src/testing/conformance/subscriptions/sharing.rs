//! Several processes that run one subscription.

use crate::subscriptions::options::SubscriptionOptions;
use crate::subscriptions::start::Subscriptions;
use crate::testing::conformance::subscriptions::helpers::{
    A_WHILE, KEY, LEASE, NAME, PATIENCE, Subject, added, append, create, eventually, settled,
    start, until,
};
use crate::testing::conformance::subscriptions::projection::Recorder;
use std::collections::HashSet;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// While two processes live, no event is handled twice, whichever of them has the partition.
pub async fn of_two_processes_only_one_handles_an_event(store: &impl Subject) {
    let recorder = Recorder::<0>::default();
    let options = SubscriptionOptions {
        partitions: 4,
        ..SubscriptionOptions::default()
    };
    // A machine that is busy with other tests may stop a process for a while: the event would be handled twice then.
    let lease = LEASE * 7;
    let start = async || {
        let subscriptions = Subscriptions::new(store).lease(lease);
        let subscriptions = subscriptions.projection_with(recorder.clone(), options.clone());
        subscriptions.start().await.expect("it can be started")
    };
    let (one, other) = (start().await, start().await);
    let is_shared = |status: &crate::subscriptions::status::SubscriptionStatus| {
        status.partitions.iter().all(|part| part.owner.is_some())
    };
    let mut states = Vec::new();
    for _ in 0..12 {
        states.push(create(store, &[1]).await);
    }
    until(&one, "each partition has an owner", is_shared).await;
    let begun = Instant::now();
    while begun.elapsed() < lease * 3 / 2 {
        for state in &mut states {
            *state = append(store, *state, &[added(1)]).await;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // What one process leaves behind, the other goes on with.
    one.shutdown().await;
    for state in &mut states {
        *state = append(store, *state, &[added(1)]).await;
    }
    for state in states {
        settled(&other, state).await;
        let all: Vec<_> = (0..=state.index()).collect();
        assert_eq!(recorder.of(state.log_id()), all);
    }
    other.shutdown().await;
}

/// Two processes that start one after the other can share the partitions of one that ends.
pub async fn a_shutdown_releases_the_leases(store: &impl Subject) {
    let recorder = Recorder::<0>::default();
    let begin = async || {
        // This lease does not end during the test.
        let subscriptions = Subscriptions::new(store).lease(PATIENCE * 4);
        let subscriptions = subscriptions.projection(recorder.clone());
        subscriptions.start().await.expect("it can be started")
    };
    let (one, other) = (begin().await, begin().await);
    let state = create(store, &[1]).await;
    settled(&other, state).await;
    let has_owner = |status: &crate::subscriptions::status::SubscriptionStatus| {
        status.partitions.iter().all(|part| part.owner.is_some())
    };
    let owner = until(&one, "it has an owner", has_owner).await;
    // Two handles on the same subscriptions wait for the same end.
    let clone = one.clone();
    tokio::join!(one.shutdown(), clone.shutdown());
    one.shutdown().await;
    let state = append(store, state, &[added(1)]).await;
    settled(&other, state).await;
    let owners = [owner, until(&other, "it has an owner", has_owner).await];
    let owners: HashSet<_> = owners
        .iter()
        .map(|status| status.partitions[0].owner)
        .collect();
    assert!(!owners.contains(&None), "{owners:?}");
    other.shutdown().await;
    let left = until(&other, "the lease is released", |status| !has_owner(status)).await;
    assert_eq!(left.partitions[0].owner, None);
    assert_eq!(recorder.of(state.log_id()), [0, 1]);
}

/// The partitions of a process that has died are taken over when its lease has ended.
pub async fn a_process_that_has_died_is_replaced(store: &impl Subject) {
    let recorder = Recorder::<0>::default();
    let running = start(store, &recorder).await;
    running.shutdown().await;
    // A process that takes the lease, and nothing more.
    let taken = store.take(KEY, Uuid::now_v7(), LEASE).await;
    taken
        .expect("the store can be written")
        .expect("it is free");
    let begun = Instant::now();
    let state = create(store, &[1]).await;
    let running = start(store, &recorder).await;
    settled(&running, state).await;
    assert!(begun.elapsed() >= LEASE / 2, "{:?}", begun.elapsed());
    assert!(begun.elapsed() < PATIENCE);
    running.shutdown().await;
}

/// A process that gets no time for longer than its lease, while another one takes over.
pub async fn a_handle_that_is_dropped_ends_its_subscriptions(store: &impl Subject) {
    let recorder = Recorder::<0>::default();
    let subscriptions = Subscriptions::new(store).lease(PATIENCE * 4);
    let subscriptions = subscriptions.projection(recorder.clone());
    let running = subscriptions.start().await.expect("it can be started");
    let state = create(store, &[1]).await;
    settled(&running, state).await;
    drop(running);
    // The lease is released in the background.
    let other = start(store, &recorder).await;
    let state = append(store, state, &[added(1)]).await;
    settled(&other, state).await;
    assert_eq!(recorder.of(state.log_id()), [0, 1]);
    other.shutdown().await;
}

/// A shutdown waits for the handler that runs, but not for all the events that are left.
pub async fn a_shutdown_waits_for_the_handler_that_runs(store: &impl Subject) {
    let recorder = Recorder::<0>::default();
    recorder.take(Duration::from_millis(150));
    let state = create(store, &[1; 100]).await;
    let running = start(store, &recorder).await;
    eventually("the first event was handled", || recorder.events() > 0).await;
    let begun = Instant::now();
    running.shutdown().await;
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "{:?}",
        begun.elapsed()
    );
    let handled = recorder.of(state.log_id());
    assert!(handled.len() < 50, "{handled:?}");
    tokio::time::sleep(A_WHILE * 3).await;
    assert_eq!(
        recorder.of(state.log_id()),
        handled,
        "no handler runs any more"
    );
    // A pause of subscriptions that have ended does not wait for ever.
    let paused = tokio::time::timeout(PATIENCE, running.pause(NAME)).await;
    paused.expect("it returns").expect("it can be paused");
    running.resume(NAME).await.expect("it can be continued");
    recorder.take(Duration::ZERO);
    let running = start(store, &recorder).await;
    settled(&running, state).await;
    assert_eq!(recorder.events(), 100, "what was handled is settled");
    running.shutdown().await;
}
