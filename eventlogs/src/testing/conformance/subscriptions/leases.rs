//! Leases and checkpoints, without the tasks that use them.

use crate::cursor::Cursor;
use crate::projection::checkpoint::{
    Checkpoint, PartitionKey, ProjectionTransaction, Registration, Step,
};
use crate::testing::conformance::subscriptions::helpers::{
    KEY, LEASE, NAME, PATIENCE, Subject, create,
};
use std::time::Duration;
use uuid::Uuid;

/// How long the tests wait for the end of a lease.
const AFTER: Duration = LEASE.saturating_add(Duration::from_millis(100));

/// Registers a subscription.
async fn register(store: &impl Subject, partitions: u16) {
    let registration = Registration {
        partitions,
        ..Registration::new(NAME, 17)
    };
    let registered = store.register(registration).await;
    registered.expect("it can be registered");
}

async fn take(store: &impl Subject, owner: Uuid, lease: Duration) -> Option<Checkpoint> {
    let taken = store.take(KEY, owner, lease).await;
    taken.expect("the store can be written")
}

/// Moves a checkpoint as a page without effects does.
async fn settle(store: &impl Subject, token: i64, from: Cursor, to: Cursor) -> bool {
    let step = Step {
        key: KEY,
        token,
        from,
        to,
        handled: 1,
        lease: PATIENCE,
        parked: None,
    };
    let transaction = store.begin(NAME, LEASE, PATIENCE).await;
    let transaction = transaction.expect("a transaction can be begun");
    transaction
        .settle(&step)
        .await
        .expect("the store can be written")
}

/// Returns the places of the first events of a log.
async fn places(store: &impl Subject) -> [Cursor; 3] {
    let state = create(store, &[1, 2, 3]).await;
    let mut places = [Cursor::START; 3];
    for (place, index) in places.iter_mut().zip(0..) {
        let found = store.find_place(state.log_id(), index).await;
        *place = found.expect("the store can be read").expect("it is there");
    }
    places
}

/// A lease belongs to one process until it ends, and each new owner has a greater token.
pub async fn a_lease_belongs_to_one_process(store: &impl Subject) {
    register(store, 1).await;
    let (one, other) = (Uuid::now_v7(), Uuid::now_v7());
    let longer = LEASE * 3;
    let first = take(store, one, longer).await.expect("it is free");
    assert_eq!(take(store, other, LEASE).await, None, "it is taken");
    let again = take(store, one, longer).await.expect("it is its own");
    assert_eq!(again.token, first.token, "a renewal keeps the token");
    // Renewed, it does not end.
    for _ in 0..3 {
        tokio::time::sleep(longer / 2).await;
        let renewed = store.renew(one, longer).await;
        renewed.expect("the store can be written");
        assert_eq!(take(store, other, LEASE).await, None, "it is renewed");
    }
    let renewed = store.renew(one, LEASE).await;
    renewed.expect("the store can be written");
    tokio::time::sleep(AFTER).await;
    let second = take(store, other, PATIENCE)
        .await
        .expect("the lease is over");
    assert!(second.token > first.token);
    let renewed = store.renew(one, PATIENCE).await;
    renewed.expect("the store can be written");
    assert_eq!(
        take(store, one, LEASE).await,
        None,
        "nothing is left to renew"
    );
    let released = store.release(other).await;
    released.expect("the store can be written");
    let third = take(store, one, LEASE).await.expect("it was released");
    assert!(third.token > second.token);
}

/// A process that lost its lease can neither move the checkpoint nor stop the subscription.
pub async fn a_process_that_lost_its_lease_changes_nothing(store: &impl Subject) {
    let [place, further, _] = places(store).await;
    register(store, 1).await;
    let (one, other) = (Uuid::now_v7(), Uuid::now_v7());
    let lost = take(store, one, LEASE).await.expect("it is free");
    tokio::time::sleep(AFTER).await;
    let held = take(store, other, PATIENCE).await.expect("it is over");
    assert_eq!(held.cursor, lost.cursor);
    assert!(!settle(store, lost.token, lost.cursor, place).await);
    let stopped = store.stop(KEY, lost.token, "too late").await;
    stopped.expect("the store can be written");
    assert!(settle(store, held.token, held.cursor, place).await);
    assert!(!settle(store, lost.token, place, further).await);
    let state = store.partitions(Some(NAME)).await;
    let state = state.expect("the store can be read").remove(0);
    assert_eq!((state.cursor, state.settled), (place, 1));
    assert_eq!((state.owner, state.stopped), (Some(other), None));
}

/// A lease that has ended, but that nobody has taken, still moves the checkpoint, and lasts longer by that.
pub async fn a_step_renews_the_lease(store: &impl Subject) {
    let [place, further, _] = places(store).await;
    register(store, 1).await;
    let (one, other) = (Uuid::now_v7(), Uuid::now_v7());
    let taken = take(store, one, LEASE).await.expect("it is free");
    tokio::time::sleep(AFTER).await;
    assert!(settle(store, taken.token, taken.cursor, place).await);
    assert_eq!(take(store, other, LEASE).await, None, "it is renewed");
    assert!(settle(store, taken.token, place, further).await);
}

/// A checkpoint moves only from the place that the process knows: an answer that was lost is not repeated.
pub async fn a_checkpoint_moves_only_from_its_place(store: &impl Subject) {
    let [place, further, last] = places(store).await;
    register(store, 1).await;
    let taken = take(store, Uuid::now_v7(), PATIENCE).await;
    let taken = taken.expect("it is free");
    assert_eq!(taken.cursor, Cursor::START);
    assert!(!settle(store, taken.token, place, further).await);
    assert!(settle(store, taken.token, taken.cursor, place).await);
    assert!(
        !settle(store, taken.token, taken.cursor, place).await,
        "it has moved"
    );
    assert!(settle(store, taken.token, place, last).await);
    assert!(
        !settle(store, taken.token, place, further).await,
        "not back"
    );
    let states = store.partitions(Some(NAME)).await;
    let state = states.expect("the store can be read").remove(0);
    assert_eq!((state.cursor, state.settled), (last, 2));
}

/// A transaction that was rolled back has not moved the checkpoint.
pub async fn a_step_that_is_rolled_back_has_not_happened(store: &impl Subject) {
    let [place, ..] = places(store).await;
    register(store, 1).await;
    let taken = take(store, Uuid::now_v7(), PATIENCE).await;
    let taken = taken.expect("it is free");
    let transaction = store.begin(NAME, LEASE, PATIENCE).await;
    transaction.expect("it begins").roll_back().await;
    drop(store.begin(NAME, LEASE, PATIENCE).await.expect("it begins"));
    assert!(settle(store, taken.token, taken.cursor, place).await);
}

/// A subscription that is paused or stopped has no lease to take, and one that does not exist neither.
pub async fn a_subscription_that_rests_has_no_lease(store: &impl Subject) {
    let owner = Uuid::now_v7();
    assert_eq!(take(store, owner, LEASE).await, None, "it does not exist");
    register(store, 1).await;
    let paused = store.set_paused(NAME, true).await;
    assert!(paused.expect("the store can be written"));
    assert_eq!(take(store, owner, LEASE).await, None, "it is paused");
    let resumed = store.set_paused(NAME, false).await;
    assert!(resumed.expect("the store can be written"));
    let taken = take(store, owner, LEASE).await.expect("it goes on");
    let stopped = store.stop(KEY, taken.token, "the reason").await;
    stopped.expect("the store can be written");
    assert_eq!(take(store, owner, LEASE).await, None, "it has stopped");
    let states = store.partitions(Some(NAME)).await;
    let state = states.expect("the store can be read").remove(0);
    assert_eq!(state.stopped.as_deref(), Some("the reason"));
    assert_eq!(state.owner, None);
    let resumed = store.set_paused(NAME, false).await;
    assert!(resumed.expect("the store can be written"));
    assert!(take(store, owner, LEASE).await.is_some());
    let unknown = store.set_paused("unknown", true).await;
    assert!(!unknown.expect("the store can be written"));
}

/// A process with the old number of partitions has no part in the new ones: it would handle events of others.
pub async fn a_process_with_another_number_of_partitions_gets_no_lease(store: &impl Subject) {
    let [place, further, _] = places(store).await;
    register(store, 1).await;
    let (old, new) = (Uuid::now_v7(), Uuid::now_v7());
    let lost = take(store, old, PATIENCE).await.expect("it is free");
    register(store, 2).await;
    assert_eq!(take(store, old, LEASE).await, None);
    let renewed = store.renew(old, PATIENCE).await;
    renewed.expect("the store can be written");
    assert!(!settle(store, lost.token, lost.cursor, place).await);
    let key = |partition| PartitionKey {
        partition,
        partitions: 2,
        ..KEY
    };
    for partition in 0..2 {
        let taken = store.take(key(partition), new, PATIENCE).await;
        let taken = taken
            .expect("the store can be written")
            .expect("it is free");
        assert!(taken.token > lost.token, "the old token is not valid again");
    }
    assert!(!settle(store, lost.token, lost.cursor, further).await);
}
