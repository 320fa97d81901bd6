//! Pausing a subscription, and letting it go on.

use crate::subscriptions::error::SubscriptionError;
use crate::subscriptions::status::{SubscriptionState, SubscriptionStatus};
use crate::testing::conformance::subscriptions::helpers::{
    A_WHILE, LEASE, NAME, PATIENCE, Subject, added, append, create, eventually, settled, start,
    status, until,
};
use crate::testing::conformance::subscriptions::projection::{NAMES, Recorder};
use std::time::Duration;

/// A subscription that is paused handles nothing, also after a restart, until it is told to go on.
pub async fn a_paused_subscription_handles_nothing(store: &impl Subject) {
    let recorder = Recorder::<0>::default();
    recorder.take(Duration::from_millis(50));
    let running = start(store, &recorder).await;
    let state = create(store, &[1; 60]).await;
    eventually("it has begun", || recorder.events() > 0).await;
    running.pause(NAME).await.expect("it can be paused");
    let handled = recorder.events();
    assert!(handled < 60, "the rest waits: {handled}");
    recorder.take(Duration::ZERO);
    tokio::time::sleep(A_WHILE).await;
    assert_eq!(recorder.events(), handled);
    assert_eq!(status(&running).await.state, SubscriptionState::Paused);
    running.shutdown().await;
    let running = start(store, &recorder).await;
    tokio::time::sleep(A_WHILE).await;
    assert_eq!(recorder.events(), handled, "it stays paused");
    running.resume(NAME).await.expect("it can be continued");
    settled(&running, state).await;
    assert_eq!(recorder.total(), 60, "each event was handled once");
    running.shutdown().await;
}

/// Other processes notice a pause, and its end.
pub async fn a_pause_holds_in_all_processes(store: &impl Subject) {
    let (recorder, other) = (Recorder::<0>::default(), Recorder::<1>::default());
    let running = start(store, &recorder).await;
    let elsewhere = start(store, &other).await;
    let state = create(store, &[1]).await;
    settled(&running, state).await;
    elsewhere.pause(NAME).await.expect("it can be paused");
    tokio::time::sleep(LEASE).await;
    let state = append(store, state, &[added(1)]).await;
    let ended = other_is_there(&elsewhere, state).await;
    assert!(ended, "the other subscription goes on");
    tokio::time::sleep(A_WHILE).await;
    assert_eq!(recorder.events(), 1);
    elsewhere.resume(NAME).await.expect("it can be continued");
    settled(&running, state).await;
    assert_eq!(recorder.of(state.log_id()), [0, 1]);
    let runs = |status: &SubscriptionStatus| status.state == SubscriptionState::Running;
    until(&running, "it runs again", runs).await;
    running.shutdown().await;
    elsewhere.shutdown().await;
}

async fn other_is_there<S: Subject>(
    running: &crate::subscriptions::running::RunningSubscriptions<S>,
    state: crate::log_state::LogPosition,
) -> bool {
    running.wait_for(NAMES[1], state, PATIENCE).await.is_ok()
}

/// What is not there cannot be paused.
pub async fn a_pause_of_an_unknown_subscription_is_an_error(store: &impl Subject) {
    let running = start(store, &Recorder::<0>::default()).await;
    for outcome in [
        running.pause("nobody").await,
        running.resume("nobody").await,
    ] {
        assert!(
            matches!(&outcome, Err(SubscriptionError::NotFound { name }) if name == "nobody"),
            "{outcome:?}"
        );
    }
    running.shutdown().await;
}
