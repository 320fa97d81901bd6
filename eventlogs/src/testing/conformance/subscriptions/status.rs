//! The status of subscriptions.

use crate::subscriptions::status::{SubscriptionState, SubscriptionStatus};
use crate::testing::conformance::subscriptions::helpers::{
    LEASE, NAME, Subject, added, append, create, settled, start, status, until,
};
use crate::testing::conformance::subscriptions::projection::{NAMES, Recorder};
use std::time::Duration;

/// The status says how far a subscription has come, and which process has it.
pub async fn the_status_says_how_far_a_subscription_is(store: &impl Subject) {
    let recorder = Recorder::<0>::default();
    let running = start(store, &recorder).await;
    let elsewhere = start(store, &Recorder::<1>::default()).await;
    let state = create(store, &[1, 1, 1]).await;
    settled(&running, state).await;
    let caught_up = |status: &SubscriptionStatus| status.lag.is_none();
    let found = until(&running, "nothing is left", caught_up).await;
    assert_eq!(found.state, SubscriptionState::Running);
    assert_eq!(found.held_by, None);
    let [partition] = &found.partitions[..] else {
        panic!("{found:?}");
    };
    assert_eq!((partition.partition, partition.settled), (0, 3));
    assert!(partition.owner.is_some());
    assert!(partition.idle.is_some(), "it runs here");
    assert_eq!(partition.failure, None);
    let place = store.find_place(state.log_id(), state.index()).await;
    let place = place.expect("the store can be read").expect("it is there");
    assert_eq!(partition.cursor, place);
    // Another process sees the same, but not what only the first one knows.
    let seen = status(&elsewhere).await;
    assert_eq!(seen.partitions[0].owner, partition.owner);
    assert_eq!(seen.partitions[0].idle, None);
    let names: Vec<_> = elsewhere.status().await.expect("the store can be read");
    let names: Vec<_> = names.iter().map(|status| status.name.as_str()).collect();
    assert_eq!(names, [NAMES[1], NAMES[0]], "in the order of their names");

    running.pause(NAME).await.expect("it can be paused");
    append(store, state, &[added(1)]).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    let behind = status(&running).await;
    assert_eq!(behind.state, SubscriptionState::Paused);
    let lag = behind.lag.expect("an event is left");
    assert!(
        lag >= Duration::from_millis(40) && lag < Duration::from_secs(30),
        "{lag:?}"
    );
    running.resume(NAME).await.expect("it can be continued");
    let caught_up = until(&running, "nothing is left", caught_up).await;
    assert_eq!(caught_up.partitions[0].settled, 4);
    assert!(caught_up.partitions[0].moved_at > partition.moved_at);
    running.shutdown().await;
    let left = status(&elsewhere).await;
    assert_eq!(left.state, SubscriptionState::Waiting);
    assert_eq!(left.partitions[0].owner, None);
    elsewhere.shutdown().await;
}

/// A subscription without events is not idle in the sense of the status: its loop turns.
pub async fn a_loop_turns_without_events(store: &impl Subject) {
    let running = start(store, &Recorder::<0>::default()).await;
    let state = create(store, &[1]).await;
    settled(&running, state).await;
    tokio::time::sleep(LEASE * 3).await;
    let idle = status(&running).await.partitions[0].idle;
    let idle = idle.expect("it runs here");
    assert!(idle < LEASE * 2, "{idle:?}");
    running.shutdown().await;
}
