//! Parked logs.

use crate::cursor::Cursor;
use crate::ids::LogId;
use crate::projection::checkpoint::{PartitionKey, ProjectionTransaction, Registration, Step};
use crate::projection::parked::{ParkedChange, ParkedEvent, ParkedWish};
use crate::subscriptions::error::{SubscriptionError, WaitError};
use crate::subscriptions::options::SubscriptionOptions;
use crate::subscriptions::running::RunningSubscriptions;
use crate::testing::conformance::subscriptions::failing::distinct;
use crate::testing::conformance::subscriptions::helpers::{
    KEY, LEASE, NAME, PATIENCE, Subject, added, append, create, freed, parked, parked_if, settled,
    start, start_with, status, stopped,
};
use crate::testing::conformance::subscriptions::projection::{Fault, NAMES, Recorder};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// The amount of the event that fails.
const BAD: i64 = 13;

fn failing() -> Recorder<0> {
    let recorder = Recorder::default();
    recorder.fail_at(BAD, Fault::Error);
    recorder
}

/// Waits until the checkpoint has passed all events that exist. Later events than the checkpoint come with the feed.
async fn pass_all<S: Subject>(store: &S, running: &RunningSubscriptions<S>) {
    let neighbour = create(store, &[1]).await;
    settled(running, neighbour).await;
}

/// A skip leaves out one event. The next one that fails parks the log again.
pub async fn a_skipped_event_is_never_applied(store: &impl Subject) {
    let recorder = failing();
    let running = start(store, &recorder).await;
    let state = create(store, &[1, BAD, 2, BAD, 3]).await;
    let log_id = state.log_id();
    assert_eq!(parked(&running, log_id).await.event_index, 1);
    pass_all(store, &running).await;
    let skip = async || {
        let skipped = running.skip(NAME, log_id, "ann").await;
        skipped.expect("it is parked");
    };
    skip().await;
    let again = parked_if(&running, log_id, |log| {
        log.event_index == 3 && log.wish.is_none()
    })
    .await;
    assert_eq!(again.attempts, 4);
    assert_eq!(distinct(recorder.of(log_id)), [0, 2]);
    skip().await;
    freed(&running).await;
    settled(&running, state).await;
    let state = append(store, state, &[added(4)]).await;
    settled(&running, state).await;
    assert_eq!(distinct(recorder.of(log_id)), [0, 2, 4, 5]);
    running.shutdown().await;
}

/// A retry that fails counts one more attempt, and is not repeated.
pub async fn a_retry_that_fails_again_leaves_the_log_parked(store: &impl Subject) {
    let recorder = failing();
    let running = start(store, &recorder).await;
    let state = create(store, &[1, BAD, 1]).await;
    let log_id = state.log_id();
    parked(&running, log_id).await;
    running.retry(NAME, log_id).await.expect("it is parked");
    let failed = parked_if(&running, log_id, |log| log.attempts == 4).await;
    assert_eq!((failed.event_index, failed.wish), (1, None));
    assert_eq!(recorder.faults(), 4);
    // Corrected, it fails at a later event.
    recorder.fail_at(2, Fault::Panic);
    let state = append(store, state, &[added(2), added(1)]).await;
    pass_all(store, &running).await;
    running.retry(NAME, log_id).await.expect("it is parked");
    let failed = parked_if(&running, log_id, |log| log.attempts == 5).await;
    assert_eq!((failed.event_index, &failed.wish), (3, &None));
    assert!(failed.error.contains("a panic on purpose"), "{failed:?}");
    settled(&running, state_at(&failed.log_id, 2)).await;
    recorder.correct();
    running.retry(NAME, log_id).await.expect("it is parked");
    freed(&running).await;
    settled(&running, state).await;
    assert_eq!(distinct(recorder.of(log_id)), [0, 1, 2, 3, 4]);
    running.shutdown().await;
}

fn state_at(log_id: &LogId, index: u64) -> crate::log_state::LogPosition {
    crate::log_state::LogPosition::at(*log_id, index)
}

/// Parked logs stay parked when all processes end, and new events of them are passed over.
pub async fn a_parked_log_stays_parked_over_a_restart(store: &impl Subject) {
    let recorder = failing();
    let running = start(store, &recorder).await;
    let state = create(store, &[1, BAD]).await;
    let log_id = state.log_id();
    parked(&running, log_id).await;
    running.shutdown().await;
    recorder.correct();
    let state = append(store, state, &[added(1)]).await;
    let running = start(store, &recorder).await;
    let neighbour = create(store, &[1]).await;
    settled(&running, neighbour).await;
    assert_eq!(distinct(recorder.of(log_id)), [0]);
    assert_eq!(status(&running).await.parked, 1);
    // A wish that nobody could fulfil is fulfilled at the next start.
    running.shutdown().await;
    running.retry(NAME, log_id).await.expect("it is parked");
    assert_eq!(parked(&running, log_id).await.wish, Some(ParkedWish::Retry));
    let running = start(store, &recorder).await;
    freed(&running).await;
    settled(&running, state).await;
    assert_eq!(distinct(recorder.of(log_id)), [0, 1, 2]);
    running.shutdown().await;
}

/// A process that does not run the subscription can let a parked log go on.
pub async fn another_process_frees_a_parked_log(store: &impl Subject) {
    let recorder = failing();
    let running = start(store, &recorder).await;
    let elsewhere = start(store, &Recorder::<1>::default()).await;
    let state = create(store, &[BAD, 1]).await;
    parked(&elsewhere, state.log_id()).await;
    recorder.correct();
    let wished = elsewhere.retry(NAME, state.log_id()).await;
    wished.expect("it is parked");
    freed(&elsewhere).await;
    settled(&elsewhere, state).await;
    assert_eq!(recorder.of(state.log_id()), [0, 1]);
    running.shutdown().await;
    elsewhere.shutdown().await;
}

/// A wait for an event of a parked log ends immediately; events before it are settled, and other logs are not concerned.
pub async fn a_wait_for_a_parked_log_ends(store: &impl Subject) {
    let recorder = failing();
    let running = start(store, &recorder).await;
    let elsewhere = start(store, &Recorder::<1>::default()).await;
    let before = create(store, &[1]).await;
    let bad = append(store, before, &[added(BAD)]).await;
    let after = append(store, bad, &[added(1)]).await;
    // The log is parked while they wait.
    let begun = Instant::now();
    let (here, there) = tokio::join!(
        running.wait_for(NAME, after, PATIENCE),
        elsewhere.wait_for(NAME, bad, PATIENCE)
    );
    let later = append(store, after, &[added(1)]).await;
    let mut waits = vec![here, there];
    for handle in [&running, &elsewhere] {
        for state in [bad, after, later] {
            waits.push(handle.wait_for(NAME, state, PATIENCE).await);
        }
        settled(handle, before).await;
    }
    for waited in waits {
        let Err(WaitError::Parked {
            name,
            index,
            reason,
        }) = waited
        else {
            panic!("{waited:?}");
        };
        assert_eq!((name.as_str(), index), (NAME, 1));
        assert!(reason.contains("on purpose"), "{reason}");
    }
    assert!(begun.elapsed() < PATIENCE / 2, "{:?}", begun.elapsed());
    recorder.correct();
    let freed = running.retry(NAME, bad.log_id()).await;
    freed.expect("it is parked");
    let begun = Instant::now();
    while let Err(error) = running.wait_for(NAME, later, PATIENCE).await {
        assert!(matches!(error, WaitError::Parked { .. }), "{error:?}");
        assert!(begun.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(distinct(recorder.of(bad.log_id())), [0, 1, 2, 3]);
    running.shutdown().await;
    elsewhere.shutdown().await;
}

/// More events than one transaction applies, while others arrive.
pub async fn many_events_of_a_parked_log_are_applied_in_order(store: &impl Subject) {
    let recorder = failing();
    let running = start(store, &recorder).await;
    let mut state = create(store, &[BAD]).await;
    let log_id = state.log_id();
    parked(&running, log_id).await;
    for _ in 0..7 {
        state = append(store, state, &vec![added(1); 50]).await;
    }
    let neighbour = create(store, &[1]).await;
    settled(&running, neighbour).await;
    recorder.correct();
    recorder.take(Duration::from_millis(1));
    running.retry(NAME, log_id).await.expect("it is parked");
    for _ in 0..50 {
        state = append(store, state, &[added(1)]).await;
    }
    freed(&running).await;
    settled(&running, state).await;
    let all: Vec<_> = (0..=state.index()).collect();
    assert_eq!(recorder.of(log_id), all);
    assert_eq!(status(&running).await.partitions[0].settled, 402);
    running.shutdown().await;
}

/// At the next event that cannot be applied it stops, and says that too many logs are parked.
pub async fn a_subscription_stops_at_its_limit_of_parked_logs(store: &impl Subject) {
    let recorder = failing();
    let options = SubscriptionOptions {
        parked_limit: 2,
        ..SubscriptionOptions::default()
    };
    let running = start_with(store, &recorder, options).await;
    let mut bad = Vec::new();
    for _ in 0..3 {
        bad.push(create(store, &[1, BAD]).await);
    }
    let reason = stopped(&running).await;
    assert!(reason.contains("2 logs are parked"), "{reason}");
    assert!(reason.contains("on purpose"), "{reason}");
    assert_eq!(status(&running).await.parked, 2);
    // What is wished while it is stopped is done when it goes on.
    recorder.correct();
    for state in bad.iter().take(2) {
        let wished = running.retry(NAME, state.log_id()).await;
        wished.expect("it is parked");
    }
    running.resume(NAME).await.expect("it can be continued");
    freed(&running).await;
    for state in bad {
        settled(&running, state).await;
        assert_eq!(distinct(recorder.of(state.log_id())), [0, 1]);
    }
    running.shutdown().await;
}

/// Parked logs belong to no partition.
pub async fn a_parked_log_survives_another_number_of_partitions(store: &impl Subject) {
    let recorder = failing();
    let running = start(store, &recorder).await;
    let mut states = Vec::new();
    for _ in 0..4 {
        states.push(create(store, &[BAD, 1]).await);
    }
    for state in &states {
        parked(&running, state.log_id()).await;
    }
    let neighbour = create(store, &[1]).await;
    settled(&running, neighbour).await;
    running.shutdown().await;
    let options = SubscriptionOptions {
        partitions: 3,
        ..SubscriptionOptions::default()
    };
    recorder.correct();
    let running = start_with(store, &recorder, options).await;
    for state in &mut states {
        *state = append(store, *state, &[added(1)]).await;
    }
    assert_eq!(status(&running).await.parked, 4);
    for state in &states {
        let wished = running.retry(NAME, state.log_id()).await;
        wished.expect("it is parked");
    }
    freed(&running).await;
    for state in states {
        settled(&running, state).await;
        assert_eq!(recorder.of(state.log_id()), [0, 1, 2]);
    }
    running.shutdown().await;
}

/// A wish needs a subscription and a parked log.
pub async fn what_is_not_parked_cannot_be_freed(store: &impl Subject) {
    let running = start(store, &Recorder::<0>::default()).await;
    let log_id = create(store, &[1]).await.log_id();
    for wished in [
        running.retry(NAME, log_id).await,
        running.skip(NAME, log_id, "ann").await,
    ] {
        let is_so = matches!(&wished, Err(SubscriptionError::NotParked { name, log_id: log })
            if name == NAME && *log == log_id);
        assert!(is_so, "{wished:?}");
    }
    assert_eq!(running.parked(NAME).await.expect("it is there"), []);
    for missing in [
        running.retry(NAMES[1], log_id).await,
        running.parked(NAMES[1]).await.map(|_| ()),
    ] {
        assert!(
            matches!(missing, Err(SubscriptionError::NotFound { .. })),
            "{missing:?}"
        );
    }
    running.shutdown().await;
}

/// Neither the checkpoint nor the parked logs change without the lease, and a change needs the log where it says.
pub async fn a_process_that_lost_its_lease_parks_nothing(store: &impl Subject) {
    let registered = store.register(Registration::new(NAME, 17)).await;
    registered.expect("it can be registered");
    let log_id = create(store, &[1]).await.log_id();
    let taken = store.take(KEY, Uuid::now_v7(), LEASE).await;
    let zombie = taken
        .expect("the store can be written")
        .expect("it is free");
    tokio::time::sleep(LEASE + Duration::from_millis(100)).await;
    let taken = store.take(KEY, Uuid::now_v7(), PATIENCE).await;
    let owner = taken
        .expect("the store can be written")
        .expect("it is free");
    let park = ParkedChange::Park {
        log_id,
        event: ParkedEvent {
            index: 0,
            event_type: "counter.added",
            error: "why",
        },
        attempts: 3,
    };
    let change = async |token, change| {
        let key: PartitionKey<'static> = KEY;
        let step = Step {
            key,
            token,
            from: Cursor::START,
            to: Cursor::START,
            handled: 0,
            lease: PATIENCE,
            parked: Some(&change),
        };
        let transaction = store.begin(NAME, LEASE, PATIENCE).await;
        let transaction = transaction.expect("a transaction can be begun");
        let changed = transaction.settle(&step).await;
        changed.expect("the store can be written")
    };
    let list = async || store.parked(NAME).await.expect("the store can be read");
    assert!(!change(zombie.token, park).await);
    assert_eq!(list().await, []);
    assert!(change(owner.token, park).await);
    let elsewhere = ParkedChange::Free { log_id, at: 1 };
    assert!(!change(owner.token, elsewhere).await);
    let free = ParkedChange::Free { log_id, at: 0 };
    assert!(!change(zombie.token, free).await);
    assert_eq!(list().await.len(), 1);
    assert!(change(owner.token, free).await);
    assert_eq!(list().await, []);
}
