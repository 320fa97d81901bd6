//! Events that cannot be handled.

use crate::subscriptions::options::SubscriptionOptions;
use crate::subscriptions::status::{SubscriptionState, SubscriptionStatus};
use crate::testing::conformance::subscriptions::helpers::{
    A_WHILE, NAME, Subject, added, append, create, eventually, freed, parked, settled, start,
    start_with, status, stopped, stopping, until,
};
use crate::testing::conformance::subscriptions::projection::{Fault, Recorder};
use std::time::Duration;

/// The amount of the event that fails.
const BAD: i64 = 13;

/// An event that fails three times parks its log: what comes before it is settled, the other logs go on, and after a correction
/// the log continues in its order.
async fn parks_at(store: &impl Subject, fault: Fault, reason: &str) {
    let recorder = Recorder::<0>::default();
    recorder.fail_at(BAD, fault);
    let before = create(store, &[1, 1, 1]).await;
    let neighbour = create(store, &[1]).await;
    let bad = append(store, before, &[added(BAD)]).await;
    let after = append(store, bad, &[added(1)]).await;
    let neighbour = append(store, neighbour, &[added(1)]).await;
    let options = SubscriptionOptions {
        handler_timeout: Duration::from_millis(100),
        ..SubscriptionOptions::default()
    };
    let running = start_with(store, &recorder, options).await;
    let parked = parked(&running, bad.log_id()).await;
    assert_eq!(recorder.faults(), 3, "there are three attempts");
    assert_eq!((parked.event_index, parked.attempts), (3, 3));
    assert_eq!((parked.name.as_str(), parked.wish), (NAME, None));
    assert_eq!(parked.event_type, "counter.added");
    assert!(parked.error.contains(reason), "{}", parked.error);
    settled(&running, before).await;
    settled(&running, neighbour).await;
    let later = append(store, after, &[added(1)]).await;
    let neighbour = append(store, neighbour, &[added(1)]).await;
    settled(&running, neighbour).await;
    assert_eq!(distinct(recorder.of(neighbour.log_id())), [0, 1, 2]);
    assert_eq!(distinct(recorder.of(bad.log_id())), [0, 1, 2]);
    let healthy = status(&running).await;
    assert_eq!(healthy.state, SubscriptionState::Running);
    assert_eq!((healthy.parked, healthy.partitions[0].settled), (1, 6));
    assert_eq!(healthy.partitions[0].failure, None);
    // It tries again only when it is told to.
    recorder.correct();
    tokio::time::sleep(A_WHILE).await;
    assert_eq!(distinct(recorder.of(bad.log_id())), [0, 1, 2]);
    assert_eq!(recorder.faults(), 3);
    running
        .retry(NAME, bad.log_id())
        .await
        .expect("it is parked");
    freed(&running).await;
    settled(&running, later).await;
    assert_eq!(distinct(recorder.of(bad.log_id())), [0, 1, 2, 3, 4, 5]);
    let later = append(store, later, &[added(1)]).await;
    settled(&running, later).await;
    assert_eq!(recorder.of(bad.log_id()).last(), Some(&6));
    assert_eq!(status(&running).await.partitions[0].settled, 10);
    running.shutdown().await;
}

/// Leaves repetitions out. A handler that writes elsewhere gets the events before a failure again.
pub(super) fn distinct(indices: Vec<u64>) -> Vec<u64> {
    let mut distinct: Vec<u64> = Vec::new();
    for index in indices {
        if !distinct.contains(&index) {
            distinct.push(index);
        }
    }
    distinct
}

/// A handler that returns an error.
pub async fn an_event_whose_handler_fails_parks_its_log(store: &impl Subject) {
    parks_at(store, Fault::Error, "on purpose").await;
}

/// A handler that panics.
pub async fn an_event_whose_handler_panics_parks_its_log(store: &impl Subject) {
    parks_at(store, Fault::Panic, "a panic on purpose").await;
}

/// A handler that does not return.
pub async fn an_event_whose_handler_hangs_parks_its_log(store: &impl Subject) {
    parks_at(store, Fault::Hang, "has not returned").await;
}

/// An event that this code cannot read.
pub async fn an_event_that_cannot_be_decoded_parks_its_log(store: &impl Subject) {
    parks_at(store, Fault::Undecodable, "cannot be decoded").await;
}

/// An error that passes is waited for, however often it comes, and is shown meanwhile.
pub async fn an_error_that_passes_is_waited_for(store: &impl Subject) {
    let recorder = Recorder::<0>::default();
    recorder.fail_at(BAD, Fault::Passing(4));
    let running = start(store, &recorder).await;
    let state = create(store, &[1, BAD, 1]).await;
    let shows = |status: &SubscriptionStatus| {
        let failure = status.partitions[0].failure.as_deref();
        failure.is_some_and(|failure| failure.contains("the network, on purpose"))
    };
    let failing = until(&running, "the failure is shown", shows).await;
    assert_eq!(failing.state, SubscriptionState::Running);
    eventually("it tries again", || recorder.faults() == 4).await;
    settled(&running, state).await;
    assert_eq!(distinct(recorder.of(state.log_id())), [0, 1, 2]);
    assert_eq!(status(&running).await.partitions[0].failure, None);
    running.shutdown().await;
}

/// A subscription that has stopped rests in all processes, and any of them can let it go on.
pub async fn a_stop_holds_in_all_processes(store: &impl Subject) {
    let recorder = Recorder::<0>::default();
    recorder.fail_at(BAD, Fault::Error);
    let (one, other) = (
        start_with(store, &recorder, stopping()).await,
        start_with(store, &recorder, stopping()).await,
    );
    let state = create(store, &[BAD]).await;
    stopped(&one).await;
    tokio::time::sleep(A_WHILE * 2).await;
    assert_eq!(recorder.faults(), 3, "the other process does not try again");
    recorder.correct();
    other.resume(NAME).await.expect("it can be continued");
    settled(&one, state).await;
    // The process that had stopped is as good as the other one.
    other.shutdown().await;
    let state = append(store, state, &[added(1)]).await;
    settled(&one, state).await;
    assert_eq!(recorder.of(state.log_id()), [0, 1]);
    one.shutdown().await;
}

/// A process that starts lets a stopped subscription try again.
pub async fn a_start_lets_a_stopped_subscription_try_again(store: &impl Subject) {
    let recorder = Recorder::<0>::default();
    recorder.fail_at(BAD, Fault::Error);
    let running = start_with(store, &recorder, stopping()).await;
    let state = create(store, &[1, BAD]).await;
    stopped(&running).await;
    running.shutdown().await;
    recorder.correct();
    let running = start_with(store, &recorder, stopping()).await;
    settled(&running, state).await;
    running.shutdown().await;
}
