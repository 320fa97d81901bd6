//! Helpers for the tests of the promises.

use crate::__example::CounterEvent;
use crate::ids::LogId;
use crate::log_state::LogPosition;
use crate::projection::checkpoint::{CheckpointStore, PartitionKey, ProjectionStore};
use crate::projection::database::Elsewhere;
use crate::projection::parked::ParkedLog;
use crate::stores::EventStore;
use crate::stores::request::AppendRequest;
use crate::subscriptions::options::SubscriptionOptions;
use crate::subscriptions::running::RunningSubscriptions;
use crate::subscriptions::start::Subscriptions;
use crate::subscriptions::status::{SubscriptionState, SubscriptionStatus};
use crate::testing::conformance::subscriptions::projection::{NAMES, Recorder};
use std::time::{Duration, Instant};

/// A store of the suite's events, with a feed and checkpoints.
pub trait Subject: EventStore<CounterEvent> + ProjectionStore<Elsewhere> {}
impl<S: EventStore<CounterEvent> + ProjectionStore<Elsewhere>> Subject for S {}

/// How long a test waits for something that must happen.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
/// A lease that ends during a test.
pub(super) const LEASE: Duration = Duration::from_millis(300);
/// How long a test waits for something that must not happen.
pub(super) const A_WHILE: Duration = Duration::from_millis(100);

/// The name of the first projection.
pub(super) const NAME: &str = NAMES[0];

/// The only partition of the first projection.
pub(super) const KEY: PartitionKey<'static> = PartitionKey {
    name: NAME,
    partition: 0,
    partitions: 1,
};

pub(super) fn added(amount: i64) -> CounterEvent {
    CounterEvent::Added { amount }
}

/// Creates a log of these amounts.
pub(super) async fn create(store: &impl Subject, amounts: &[i64]) -> LogPosition {
    let events: Vec<_> = amounts.iter().copied().map(added).collect();
    let created = store.append(AppendRequest::create(LogId::new(), &events));
    created.await.expect("a new log can be created").state
}

/// Appends these events.
pub(super) async fn append(
    store: &impl Subject,
    state: LogPosition,
    events: &[CounterEvent],
) -> LogPosition {
    let appended = store.append(AppendRequest::after(state, events));
    appended.await.expect("the state is current").state
}

/// Starts a recorder with default options.
pub(super) async fn start<S: Subject, const N: usize>(
    store: &S,
    recorder: &Recorder<N>,
) -> RunningSubscriptions<S> {
    start_with(store, recorder, SubscriptionOptions::default()).await
}

/// Starts a recorder with options, and with the lease of the suite.
pub(super) async fn start_with<S: Subject, const N: usize>(
    store: &S,
    recorder: &Recorder<N>,
    options: SubscriptionOptions,
) -> RunningSubscriptions<S> {
    let subscriptions = Subscriptions::new(store).lease(LEASE);
    let subscriptions = subscriptions.projection_with(recorder.clone(), options);
    let started = subscriptions.start();
    started.await.expect("the subscription can be started")
}

/// Waits until the first projection has settled an event.
pub(super) async fn settled<S: CheckpointStore>(
    running: &RunningSubscriptions<S>,
    state: LogPosition,
) {
    let reached = running.wait_for(NAME, state, PATIENCE).await;
    reached.expect("the subscription comes to the event");
}

/// Returns the status of the first projection.
pub(super) async fn status<S: CheckpointStore>(
    running: &RunningSubscriptions<S>,
) -> SubscriptionStatus {
    let all = running.status().await.expect("the store can be read");
    let mut all = all.into_iter();
    all.find(|status| status.name == NAME)
        .expect("it is registered")
}

/// Waits until the first projection has a status like this.
pub(super) async fn until<S: CheckpointStore>(
    running: &RunningSubscriptions<S>,
    what: &str,
    is_so: impl Fn(&SubscriptionStatus) -> bool,
) -> SubscriptionStatus {
    let begun = Instant::now();
    loop {
        let status = status(running).await;
        if is_so(&status) {
            return status;
        }
        assert!(begun.elapsed() < PATIENCE, "{what}: {status:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Waits until the first projection has stopped, and returns the reason.
pub(super) async fn stopped<S: CheckpointStore>(running: &RunningSubscriptions<S>) -> String {
    let is_stopped =
        |status: &SubscriptionStatus| matches!(status.state, SubscriptionState::Stopped { .. });
    match until(running, "it stops", is_stopped).await.state {
        SubscriptionState::Stopped { reason } => reason,
        state => panic!("{state:?}"),
    }
}

/// Waits until something in memory is so.
pub(super) async fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "{what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Options with which a subscription stops at the first event that cannot be applied.
pub(super) fn stopping() -> SubscriptionOptions {
    SubscriptionOptions {
        parked_limit: 0,
        ..SubscriptionOptions::default()
    }
}

/// Waits until the first projection has parked a log.
pub(super) async fn parked<S: CheckpointStore>(
    running: &RunningSubscriptions<S>,
    log_id: LogId,
) -> ParkedLog {
    parked_if(running, log_id, |_| true).await
}

/// Waits until a parked log of the first projection is like this.
pub(super) async fn parked_if<S: CheckpointStore>(
    running: &RunningSubscriptions<S>,
    log_id: LogId,
    is_so: impl Fn(&ParkedLog) -> bool,
) -> ParkedLog {
    let begun = Instant::now();
    loop {
        let parked = running.parked(NAME).await.expect("the store can be read");
        let found = parked.iter().find(|log| log.log_id == log_id && is_so(log));
        if let Some(found) = found {
            return found.clone();
        }
        assert!(
            begun.elapsed() < PATIENCE,
            "it is not parked so: {parked:?}"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Waits until the first projection has no parked log.
pub(super) async fn freed<S: CheckpointStore>(running: &RunningSubscriptions<S>) {
    until(running, "nothing is parked", |status| status.parked == 0).await;
}
