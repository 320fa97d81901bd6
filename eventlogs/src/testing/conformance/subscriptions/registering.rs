//! What can be started, and what cannot.

use crate::feed::event::FeedEvent;
use crate::feed::source::Source;
use crate::projection::contract::Projection;
use crate::projection::database::Elsewhere;
use crate::projection::handler::HandlerError;
use crate::subscriptions::error::SubscriptionError;
use crate::subscriptions::options::{SubscriptionOptions, WhenChanged};
use crate::subscriptions::start::Subscriptions;
use crate::testing::conformance::subscriptions::helpers::{
    KEY, LEASE, NAME, Subject, added, append, create, settled, start_with, status,
};
use crate::testing::conformance::subscriptions::projection::{NAMES, Recorder};

/// A projection of nothing, under some name.
struct Named<const N: usize>;

/// Names that would not be good names of schemas.
const BAD_NAMES: [&str; 6] = ["", "Upper", "1st", "pg_own", "has space", "quo\"ted"];

impl<const N: usize> Projection for Named<N> {
    type Database = Elsewhere;

    const NAME: &'static str = BAD_NAMES[N];

    const SOURCES: &'static [Source] = &[];

    fn fingerprint() -> u64 {
        0
    }

    async fn apply(&self, _: &FeedEvent, (): &mut ()) -> Result<(), HandlerError> {
        Ok(())
    }
}

/// The first projection of the suite, with other code.
struct Changed;

impl Projection for Changed {
    type Database = Elsewhere;

    const NAME: &'static str = NAME;

    const SOURCES: &'static [Source] = &[];

    fn fingerprint() -> u64 {
        Recorder::<0>::fingerprint() + 1
    }

    async fn apply(&self, _: &FeedEvent, (): &mut ()) -> Result<(), HandlerError> {
        Ok(())
    }
}

/// Of two subscriptions with one name none is started.
pub async fn two_subscriptions_need_two_names(store: &impl Subject) {
    let started = Subscriptions::new(store)
        .projection(Recorder::<0>::default())
        .projection(Recorder::<1>::default())
        .projection(Recorder::<0>::default())
        .start()
        .await;
    assert!(
        matches!(&started, Err(SubscriptionError::Duplicate { name }) if name == NAME),
        "{started:?}"
    );
    let registered = store.partitions(None).await;
    assert_eq!(registered.expect("the store can be read"), []);
}

/// A name is a plain identifier, and the number of partitions is within its bounds.
pub async fn what_cannot_run_is_refused(store: &impl Subject) {
    async fn refused(subscriptions: Subscriptions<impl Subject>, name: &str, part: &str) {
        let error = subscriptions.start().await.expect_err("it cannot run");
        let SubscriptionError::Refused { name: refused, .. } = &error else {
            panic!("{error:?}");
        };
        assert_eq!(refused, name);
        assert!(error.to_string().contains(part), "{error}");
    }
    let plain = "plain identifier";
    let new = || Subscriptions::new(store);
    refused(new().projection(Named::<0>), BAD_NAMES[0], plain).await;
    refused(new().projection(Named::<1>), BAD_NAMES[1], plain).await;
    refused(new().projection(Named::<2>), BAD_NAMES[2], plain).await;
    refused(new().projection(Named::<3>), BAD_NAMES[3], plain).await;
    refused(new().projection(Named::<4>), BAD_NAMES[4], plain).await;
    refused(new().projection(Named::<5>), BAD_NAMES[5], plain).await;
    for partitions in [0, 1025] {
        let options = SubscriptionOptions {
            partitions,
            ..SubscriptionOptions::default()
        };
        let subscriptions = new().projection_with(Recorder::<0>::default(), options);
        refused(subscriptions, NAME, "1 to 1024 partitions").await;
    }
    // The first one could run, but not without the other.
    let subscriptions = new().projection(Recorder::<1>::default());
    refused(subscriptions.projection(Named::<1>), BAD_NAMES[1], plain).await;
    let registered = store.partitions(None).await;
    assert_eq!(registered.expect("the store can be read"), []);
    assert_eq!(NAMES.len(), 2);
}

/// The number of partitions changes where all checkpoints are at one place, and nowhere else.
pub async fn the_number_of_partitions_changes_at_a_common_place(store: &impl Subject) {
    let recorder = Recorder::<0>::default();
    let with = |partitions| SubscriptionOptions {
        partitions,
        ..SubscriptionOptions::default()
    };
    let state = create(store, &[1, 1]).await;
    let running = start_with(store, &recorder, with(1)).await;
    settled(&running, state).await;
    running.shutdown().await;
    let state = append(store, state, &[added(1)]).await;
    let running = start_with(store, &recorder, with(3)).await;
    settled(&running, state).await;
    assert_eq!(status(&running).await.partitions.len(), 3);
    running.shutdown().await;
    assert_eq!(recorder.of(state.log_id()), [0, 1, 2]);
    // One partition is ahead of the others.
    let key = crate::projection::checkpoint::PartitionKey {
        partitions: 3,
        ..KEY
    };
    move_ahead(store, key).await;
    let subscriptions = Subscriptions::new(store).lease(LEASE);
    let subscriptions = subscriptions.projection_with(recorder.clone(), with(2));
    let error = subscriptions.start().await.expect_err("the places differ");
    assert!(
        matches!(error, SubscriptionError::Refused { .. }),
        "{error:?}"
    );
    assert!(error.to_string().contains("3 partitions"), "{error}");
    let running = start_with(store, &recorder, with(3)).await;
    running.shutdown().await;
}

/// Moves the checkpoint of a partition to the place of a new event.
async fn move_ahead(store: &impl Subject, key: crate::projection::checkpoint::PartitionKey<'_>) {
    use crate::projection::checkpoint::{ProjectionTransaction, Step};
    let new = create(store, &[1]).await;
    let place = store.find_place(new.log_id(), 0).await;
    let to = place.expect("the store can be read").expect("it is there");
    let owner = uuid::Uuid::now_v7();
    let taken = store.take(key, owner, LEASE).await;
    let taken = taken
        .expect("the store can be written")
        .expect("it is free");
    let step = Step {
        key,
        token: taken.token,
        from: taken.cursor,
        to,
        handled: 0,
        lease: LEASE,
        parked: None,
    };
    let transaction = store.begin(key.name, LEASE, LEASE).await;
    let settled = transaction.expect("it begins").settle(&step).await;
    assert!(settled.expect("the store can be written"));
    let released = store.release(owner).await;
    released.expect("the store can be written");
}

/// Code that has changed is noticed for as long as older code may have written rows, and is not started if it is not to be.
pub async fn changed_code_is_noticed(store: &impl Subject) {
    async fn is_stale<P: Projection<Database = Elsewhere>>(
        store: &impl Subject,
        projection: P,
        when_changed: WhenChanged,
    ) -> Result<bool, SubscriptionError> {
        let options = SubscriptionOptions {
            when_changed,
            ..SubscriptionOptions::default()
        };
        let subscriptions = Subscriptions::new(store).projection_with(projection, options);
        let running = subscriptions.start().await?;
        let status = status(&running).await;
        running.shutdown().await;
        Ok(status.is_stale)
    }
    let recorder = Recorder::<0>::default();
    for when_changed in [WhenChanged::Refuse, WhenChanged::Keep, WhenChanged::Refuse] {
        let unchanged = is_stale(store, recorder.clone(), when_changed).await;
        assert!(!unchanged.expect("the code is the same"));
    }
    let refused = is_stale(store, Changed, WhenChanged::Refuse).await;
    let refused = refused.expect_err("the code has changed");
    assert!(
        matches!(&refused, SubscriptionError::Refused { name, .. } if name == NAME),
        "{refused:?}"
    );
    let message = refused.to_string();
    assert!(message.contains("Changing a projection"), "{message}");
    // What was refused has written nothing.
    let unchanged = is_stale(store, recorder.clone(), WhenChanged::Refuse).await;
    assert!(!unchanged.expect("the code is the same"));

    let changed = is_stale(store, Changed, WhenChanged::Keep).await;
    assert!(changed.expect("it is to go on"));
    let again = is_stale(store, Changed, WhenChanged::Keep).await;
    assert!(again.expect("it is to go on"), "older rows are still there");
    let back = is_stale(store, recorder.clone(), WhenChanged::Keep).await;
    assert!(back.expect("it is to go on"), "some rows are of other code");
    let refused = is_stale(store, recorder, WhenChanged::Refuse).await;
    refused.expect_err("some rows are of other code");
}
