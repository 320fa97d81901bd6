//! Events that changed code wants, and that older code has passed over.

use crate::__example::CounterEvent;
use crate::event::interest::Interest;
use crate::event::{EventSchema, EventType, LogType};
use crate::feed::event::FeedEvent;
use crate::feed::source::Source;
use crate::projection::contract::Projection;
use crate::projection::database::Elsewhere;
use crate::projection::handler::HandlerError;
use crate::stores::error::store::StoreError;
use crate::subscriptions::error::SubscriptionError;
use crate::subscriptions::options::{SubscriptionOptions, WhenChanged};
use crate::subscriptions::running::RunningSubscriptions;
use crate::subscriptions::start::Subscriptions;
use crate::testing::conformance::subscriptions::helpers::{
    NAME, Subject, append, create, settled, status,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The versions of the code: without notes, with them, and with events of another enum.
const SOURCES: [&[Source]; 3] = [
    &[Source::new::<CounterEvent>(Interest::Except(&["Noted"]))],
    &[Source::new::<CounterEvent>(Interest::All)],
    &[
        Source::new::<CounterEvent>(Interest::All),
        Source {
            log_type: LogType::new("door"),
            schema: &[
                EventSchema::new(EventType::new("door.opened", 1), "Opened")
                    .with_aliases(&["gate.opened"]),
                EventSchema::new(EventType::new("door.painted", 1), "Painted"),
            ],
            interest: Interest::Except(&["Painted"]),
        },
    ],
];

/// Version `V` of a projection, which counts its events. A clone shares the number.
#[derive(Debug, Clone, Default)]
struct Version<const V: usize>(Arc<AtomicU64>);

impl<const V: usize> Projection for Version<V> {
    type Database = Elsewhere;

    const NAME: &'static str = NAME;

    const SOURCES: &'static [Source] = SOURCES[V];

    fn fingerprint() -> u64 {
        V as u64
    }

    async fn apply(&self, _: &FeedEvent, (): &mut ()) -> Result<(), HandlerError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

async fn start<S: Subject, const V: usize>(
    store: &S,
    version: Version<V>,
    when_changed: WhenChanged,
) -> Result<RunningSubscriptions<S>, SubscriptionError> {
    let options = SubscriptionOptions {
        when_changed,
        ..SubscriptionOptions::default()
    };
    let subscriptions = Subscriptions::new(store).projection_with(version, options);
    subscriptions.start().await
}

/// Starts and ends a version, and returns what it misses.
async fn missed<const V: usize>(store: &impl Subject) -> Vec<String> {
    let running = start(store, Version::<V>::default(), WhenChanged::Keep).await;
    let running = running.expect("it can be started");
    let status = status(&running).await;
    assert!(status.is_stale || status.missed.is_empty(), "{status:?}");
    running.shutdown().await;
    status.missed
}

fn noted() -> CounterEvent {
    CounterEvent::Noted {
        text: "a note".to_owned(),
    }
}

/// The status names the events that older code ignored or did not follow, for as long as the code wants them.
pub async fn events_that_older_code_passed_over_are_missed(store: &impl Subject) {
    const NOTED: &str = "counter.noted";
    const DOORS: [&str; 2] = ["door.opened", "gate.opened"];
    // Before its first event a subscription has passed over nothing.
    assert_eq!(missed::<0>(store).await, [""; 0]);
    assert_eq!(missed::<1>(store).await, [""; 0]);
    assert_eq!(missed::<0>(store).await, [""; 0]);

    let state = create(store, &[1, 2]).await;
    let state = append(store, state, &[noted()]).await;
    let running = start(store, Version::<0>::default(), WhenChanged::Keep).await;
    let running = running.expect("it can be started");
    settled(&running, state).await;
    running.shutdown().await;
    assert_eq!(missed::<0>(store).await, [""; 0]);

    // Later events of the name are applied, and the earlier ones are still missed.
    let version = Version::<1>::default();
    let running = start(store, version.clone(), WhenChanged::Keep).await;
    let running = running.expect("it can be started");
    assert_eq!(status(&running).await.missed, [NOTED]);
    let state = append(store, state, &[noted()]).await;
    settled(&running, state).await;
    assert_eq!(version.0.load(Ordering::SeqCst), 1);
    running.shutdown().await;
    assert_eq!(missed::<1>(store).await, [NOTED]);

    assert_eq!(missed::<2>(store).await, [NOTED, DOORS[0], DOORS[1]]);
    assert_eq!(missed::<2>(store).await, [NOTED, DOORS[0], DOORS[1]]);
    assert_eq!(missed::<1>(store).await, [NOTED]);
    assert_eq!(missed::<0>(store).await, [""; 0], "it does not want them");
    assert_eq!(missed::<1>(store).await, [NOTED]);
    assert_eq!(missed::<0>(store).await, [""; 0]);

    // Code that is refused changes nothing.
    let refused = start(store, Version::<1>::default(), WhenChanged::Refuse).await;
    refused.expect_err("the code has changed");
    let states: Result<_, StoreError> = store.partitions(Some(NAME)).await;
    let states = states.expect("the store can be read");
    assert!(states.iter().all(|state| state.missed.is_empty()));
    assert_eq!(missed::<2>(store).await, [NOTED, DOORS[0], DOORS[1]]);
}
