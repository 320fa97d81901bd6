//! Waiting until a subscription has come to an event.

use crate::__example::CounterEvent;
use crate::ids::{EventId, LogId};
use crate::log_state::LogPosition;
use crate::subscriptions::error::WaitError;
use crate::subscriptions::options::SubscriptionOptions;
use crate::subscriptions::start::Subscriptions;
use crate::testing::conformance::subscriptions::helpers::{
    NAME, PATIENCE, Subject, added, append, create, settled, start, start_with, stopped, stopping,
};
use crate::testing::conformance::subscriptions::projection::{Fault, NAMES, Recorder};
use std::time::{Duration, Instant};

/// A limit that passes during a test.
const SHORT: Duration = Duration::from_millis(100);

/// When the wait has ended, the event was handled: read your own writes.
pub async fn a_wait_ends_when_the_event_is_settled(store: &impl Subject) {
    let recorder = Recorder::<0>::default();
    recorder.take(Duration::from_millis(3));
    let running = start(store, &recorder).await;
    let mut state = create(store, &[1]).await;
    for _ in 0..20 {
        settled(&running, state).await;
        assert_eq!(recorder.of(state.log_id()).last(), Some(&state.index()));
        state = append(store, state, &[added(1)]).await;
    }
    running.shutdown().await;
}

/// An event without handler is settled with the events around it.
pub async fn a_wait_for_an_event_without_handler_ends(store: &impl Subject) {
    let recorder = Recorder::<0>::default();
    let running = start(store, &recorder).await;
    let state = create(store, &[1]).await;
    let noted = CounterEvent::Noted {
        text: String::new(),
    };
    let state = append(store, state, &[noted]).await;
    settled(&running, state).await;
    assert_eq!(recorder.of(state.log_id()), [0]);
    running.shutdown().await;
}

/// A process that does not run a subscription can wait for it, and notices that it has ended elsewhere.
pub async fn a_wait_for_a_subscription_of_another_process_ends(store: &impl Subject) {
    let (recorder, other) = (Recorder::<0>::default(), Recorder::<1>::default());
    let running = start(store, &recorder).await;
    let elsewhere = start(store, &other).await;
    let mut state = create(store, &[1]).await;
    for _ in 0..3 {
        settled(&elsewhere, state).await;
        assert_eq!(recorder.of(state.log_id()).last(), Some(&state.index()));
        state = append(store, state, &[added(1)]).await;
    }
    settled(&elsewhere, state).await;
    // The handle of a process whose subscriptions have ended sees what others do.
    running.shutdown().await;
    let again = start(store, &recorder).await;
    let state = append(store, state, &[added(1)]).await;
    settled(&running, state).await;
    assert_eq!(recorder.of(state.log_id()), [0, 1, 2, 3, 4]);
    again.shutdown().await;
    elsewhere.shutdown().await;
}

/// A wait ends in time, and says how many events are missing.
pub async fn a_wait_ends_in_time(store: &impl Subject) {
    let recorder = Recorder::<0>::default();
    let running = start(store, &recorder).await;
    let state = create(store, &[1]).await;
    settled(&running, state).await;
    running.pause(NAME).await.expect("it can be paused");
    let state = append(store, state, &[added(1), added(1)]).await;
    for limit in [Duration::ZERO, SHORT] {
        let begun = Instant::now();
        let waited = running.wait_for(NAME, state, limit).await;
        let Err(WaitError::TimedOut { name, behind }) = waited else {
            panic!("{waited:?}");
        };
        assert_eq!(name, NAME);
        assert!(behind >= Some(2), "{behind:?}");
        assert!(begun.elapsed() >= limit);
        assert!(begun.elapsed() < PATIENCE);
    }
    running.resume(NAME).await.expect("it can be continued");
    settled(&running, state).await;
    running.shutdown().await;
}

/// A wait for an event that a stopped subscription has not come to ends immediately; earlier events are settled.
pub async fn a_wait_for_a_stopped_subscription_ends(store: &impl Subject) {
    let (recorder, other) = (Recorder::<0>::default(), Recorder::<1>::default());
    recorder.fail_at(13, Fault::Error);
    let running = start_with(store, &recorder, stopping()).await;
    let elsewhere = start(store, &other).await;
    let before = create(store, &[1]).await;
    let bad = append(store, before, &[added(13)]).await;
    let after = append(store, bad, &[added(1)]).await;
    let waited = running.wait_for(NAME, bad, PATIENCE).await;
    assert!(
        matches!(&waited, Err(WaitError::Stopped { reason, .. }) if reason.contains("on purpose")),
        "{waited:?}"
    );
    stopped(&running).await;
    for handle in [&running, &elsewhere] {
        settled(handle, before).await;
        let begun = Instant::now();
        let waited = handle.wait_for(NAME, after, PATIENCE).await;
        assert!(
            matches!(waited, Err(WaitError::Stopped { .. })),
            "{waited:?}"
        );
        assert!(
            begun.elapsed() < PATIENCE / 2,
            "it does not use up its time"
        );
    }
    running.shutdown().await;
    elsewhere.shutdown().await;
}

/// A wait for what does not exist is an error.
pub async fn a_wait_for_what_does_not_exist_is_an_error(store: &impl Subject) {
    let running = Subscriptions::new(store);
    let running = running.projection(Recorder::<0>::default());
    let running = running.start().await.expect("it can be started");
    let state = create(store, &[1]).await;
    let waited = running.wait_for(NAMES[1], state, PATIENCE).await;
    assert!(
        matches!(&waited, Err(WaitError::NotFound { name }) if name == NAMES[1]),
        "{waited:?}"
    );
    let missing = [
        LogPosition::at(LogId::new(), 0),
        LogPosition::at(state.log_id(), 1),
        // Another history has an event at this index.
        LogPosition::new(state.log_id(), 0, EventId::new()),
    ];
    for missing in missing {
        let waited = running.wait_for(NAME, missing, PATIENCE).await;
        let Err(WaitError::NoSuchEvent { log_id, index }) = waited else {
            panic!("{waited:?}");
        };
        assert_eq!((log_id, index), (missing.log_id(), missing.index()));
    }
    running.shutdown().await;
}

/// When all have caught up, every subscription has handled all events that were committed before.
pub async fn all_catch_up_with_what_was_committed(store: &impl Subject) {
    let (slow, other) = (Recorder::<0>::default(), Recorder::<1>::default());
    slow.take(Duration::from_millis(2));
    let options = SubscriptionOptions {
        partitions: 3,
        ..SubscriptionOptions::default()
    };
    let running = Subscriptions::new(store)
        .projection_with(slow.clone(), options)
        .projection(other.clone());
    let running = running.start().await.expect("they can be started");
    // Without an event there is nothing to wait for.
    let waited = running.wait_until_caught_up(PATIENCE).await;
    waited.expect("there are no events");
    for round in 1..=3 {
        for _ in 0..8 {
            create(store, &[1, 1]).await;
        }
        let state = create(store, &[1]).await;
        let noted = CounterEvent::Noted {
            text: String::new(),
        };
        append(store, state, &[noted]).await;
        let waited = running.wait_until_caught_up(PATIENCE).await;
        waited.expect("they come to the last event");
        assert_eq!((slow.events(), other.events()), (17 * round, 17 * round));
    }
    running.shutdown().await;
}

/// Partitions that other processes run count, too; other subscriptions do not.
pub async fn all_catch_up_in_whatever_process(store: &impl Subject) {
    let (theirs, own, stopped_there) = (
        Recorder::<0>::default(),
        Recorder::<0>::default(),
        Recorder::<1>::default(),
    );
    theirs.take(Duration::from_millis(2));
    stopped_there.fail_at(1, Fault::Error);
    let options = SubscriptionOptions {
        partitions: 2,
        ..SubscriptionOptions::default()
    };
    let elsewhere = start_with(store, &theirs, options.clone()).await;
    let another = start(store, &stopped_there).await;
    create(store, &[1]).await;
    let waited = elsewhere.wait_until_caught_up(PATIENCE).await;
    waited.expect("it comes to the event");
    // All leases are taken.
    let running = start_with(store, &own, options).await;
    for _ in 0..10 {
        create(store, &[1, 1]).await;
    }
    let waited = running.wait_until_caught_up(PATIENCE).await;
    waited.expect("the other process comes to the last event");
    assert_eq!((theirs.events(), own.events()), (21, 0));
    for running in [running, elsewhere, another] {
        running.shutdown().await;
    }
}

/// If not all catch up in time, the error names the one that is furthest behind; if one has stopped, it comes immediately.
pub async fn who_does_not_catch_up_is_named(store: &impl Subject) {
    let (recorder, other) = (Recorder::<0>::default(), Recorder::<1>::default());
    let running = Subscriptions::new(store)
        .projection_with(recorder.clone(), stopping())
        .projection(other.clone());
    let running = running.start().await.expect("they can be started");
    let mut state = create(store, &[1]).await;
    let waited = running.wait_until_caught_up(PATIENCE).await;
    waited.expect("they come to the event");
    // The one that pauses first is furthest behind.
    for name in [NAMES[1], NAME] {
        running.pause(name).await.expect("it can be paused");
        state = append(store, state, &[added(1), added(1)]).await;
        if name == NAMES[1] {
            settled(&running, state).await;
        }
    }
    let begun = Instant::now();
    let waited = running.wait_until_caught_up(SHORT).await;
    let Err(WaitError::TimedOut { name, behind }) = waited else {
        panic!("{waited:?}");
    };
    assert_eq!(name, NAMES[1]);
    assert!(behind >= Some(4), "{behind:?}");
    assert!(begun.elapsed() >= SHORT);
    assert!(begun.elapsed() < PATIENCE);

    running.resume(NAME).await.expect("it can be continued");
    recorder.fail_at(13, Fault::Error);
    append(store, state, &[added(13)]).await;
    stopped(&running).await;
    let begun = Instant::now();
    let waited = running.wait_until_caught_up(PATIENCE).await;
    assert!(
        matches!(&waited, Err(WaitError::Stopped { name, .. }) if name == NAME),
        "{waited:?}"
    );
    assert!(begun.elapsed() < PATIENCE / 2, "nobody waits for the other");
    running.shutdown().await;
}
