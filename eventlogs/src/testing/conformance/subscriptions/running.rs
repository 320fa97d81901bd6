//! Which events reach the handlers, and in which order.

use crate::__example::CounterEvent;
use crate::subscriptions::options::{StartAt, SubscriptionOptions};
use crate::subscriptions::start::Subscriptions;
use crate::testing::conformance::subscriptions::helpers::{
    NAME, PATIENCE, Subject, added, append, create, settled, start, start_with,
};
use crate::testing::conformance::subscriptions::projection::{NAMES, Recorder};

/// Events from before and after the start are handled once, and in the order of their logs.
pub async fn each_event_is_handled_once_and_in_the_order_of_its_log(store: &impl Subject) {
    let mut states = Vec::new();
    for _ in 0..5 {
        states.push(create(store, &[1, 1, 1]).await);
    }
    let recorder = Recorder::<0>::default();
    let running = start(store, &recorder).await;
    for _ in 0..4 {
        for state in &mut states {
            *state = append(store, *state, &[added(1), added(1)]).await;
        }
    }
    for state in states {
        settled(&running, state).await;
        let all: Vec<_> = (0..=state.index()).collect();
        assert_eq!(recorder.of(state.log_id()), all);
    }
    running.shutdown().await;
    assert_eq!(recorder.total(), 5 * 11);
}

/// A new subscription that begins with the end of the feed does not get what is already there.
pub async fn a_new_subscription_begins_where_it_is_told(store: &impl Subject) {
    let old = create(store, &[1, 2]).await;
    let (from_now, from_start) = (Recorder::<0>::default(), Recorder::<1>::default());
    let options = SubscriptionOptions {
        start_at: StartAt::Now,
        ..SubscriptionOptions::default()
    };
    // A transaction of others holds the end of a shared server back; `old` would come then, too.
    let begun = std::time::Instant::now();
    while store.head().await.expect("the end can be read").is_held() {
        assert!(begun.elapsed() < PATIENCE, "the feed is held");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let subscriptions = Subscriptions::new(store)
        .projection_with(from_now.clone(), options)
        .projection(from_start.clone());
    let running = subscriptions.start().await.expect("they can be started");
    let new = append(store, old, &[added(4)]).await;
    for name in NAMES {
        let reached = running.wait_for(name, new, PATIENCE).await;
        reached.expect("both come to the event");
    }
    assert_eq!(from_now.of(new.log_id()), [2]);
    assert_eq!(from_start.of(new.log_id()), [0, 1, 2]);
    running.shutdown().await;
}

/// After a restart a subscription goes on at its checkpoint, wherever it would begin if it were new.
pub async fn a_subscription_goes_on_at_its_checkpoint(store: &impl Subject) {
    let recorder = Recorder::<0>::default();
    let mut state = create(store, &[1]).await;
    for round in 1..4 {
        let options = SubscriptionOptions {
            start_at: if round == 1 {
                StartAt::Beginning
            } else {
                StartAt::Now
            },
            ..SubscriptionOptions::default()
        };
        let running = start_with(store, &recorder, options).await;
        settled(&running, state).await;
        running.shutdown().await;
        assert_eq!(recorder.events() as u64, state.index() + 1, "round {round}");
        // Nobody handles them yet.
        state = append(store, state, &[added(1), added(1)]).await;
        assert_eq!(recorder.events() as u64, state.index() - 1);
    }
    let running = start(store, &recorder).await;
    settled(&running, state).await;
    running.shutdown().await;
    assert_eq!(recorder.of(state.log_id()), [0, 1, 2, 3, 4, 5, 6]);
}

/// With several partitions each event is handled once, too, and each log is in order.
pub async fn partitions_handle_each_event_once(store: &impl Subject) {
    let recorder = Recorder::<0>::default();
    let options = SubscriptionOptions {
        partitions: 4,
        page_size: 7,
        ..SubscriptionOptions::default()
    };
    let mut states = Vec::new();
    for _ in 0..20 {
        states.push(create(store, &[1, 1]).await);
    }
    let running = start_with(store, &recorder, options).await;
    for state in &mut states {
        *state = append(store, *state, &[added(1)]).await;
    }
    for state in states {
        settled(&running, state).await;
        assert_eq!(recorder.of(state.log_id()), [0, 1, 2]);
    }
    running.shutdown().await;
    assert_eq!(recorder.total(), 60);
}

/// Small pages, events that are not wanted, and a page of nothing else.
pub async fn events_without_a_handler_are_passed_over(store: &impl Subject) {
    let recorder = Recorder::<0>::default();
    let options = SubscriptionOptions {
        page_size: 2,
        ..SubscriptionOptions::default()
    };
    let running = start_with(store, &recorder, options).await;
    let noted = || CounterEvent::Noted {
        text: String::new(),
    };
    let mut state = create(store, &[1]).await;
    for _ in 0..3 {
        let events = [noted(), noted(), noted(), added(2), noted(), added(3)];
        state = append(store, state, &events).await;
    }
    settled(&running, state).await;
    assert_eq!(recorder.of(state.log_id()), [0, 4, 6, 10, 12, 16, 18]);
    // The last events have no handler, and the checkpoint moves all the same.
    let state = append(store, state, &[noted(), noted(), noted()]).await;
    let begun = std::time::Instant::now();
    let place = store.find_place(state.log_id(), state.index()).await;
    let place = place.expect("the store can be read").expect("it is there");
    loop {
        let states = store.partitions(Some(NAME)).await;
        let states = states.expect("the store can be read");
        if states
            .iter()
            .all(|state| state.cursor.place() >= place.place())
        {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "{states:?}");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    running.shutdown().await;
    assert_eq!(recorder.total(), 16);
}
