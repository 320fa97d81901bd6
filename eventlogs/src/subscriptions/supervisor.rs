//! The task of a process that keeps its leases, and ends the partitions in order.

use crate::cursor::Cursor;
use crate::projection::checkpoint::{CheckpointStore, PartitionState};
use crate::subscriptions::progress::{Control, Shared};
use crate::subscriptions::telemetry;
use crate::subscriptions::telemetry::Condition;
use std::pin::pin;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use uuid::Uuid;

/// A subscription of this process, as the supervisor and the handle know it.
pub(super) struct Known {
    /// Its name.
    pub(super) name: &'static str,
    /// Tells its partitions what to do.
    pub(super) control: watch::Sender<Control>,
    /// The progress of its partitions, by their number.
    pub(super) partitions: Vec<Shared>,
}

/// What this process knew of a subscription before it read the states.
struct Before {
    /// What the partitions were told.
    control: Control,
    /// The checkpoints of the partitions that follow the feed here.
    checkpoints: Vec<Option<Cursor>>,
}

impl Before {
    fn now(known: &Known) -> Self {
        Self {
            control: *known.control.borrow(),
            checkpoints: known.partitions.iter().map(Shared::checkpoint).collect(),
        }
    }
}

/// Keeps the leases of a process until it is told to stop, or its handle is dropped.
pub(super) async fn supervise<S: CheckpointStore>(
    store: S,
    owner: Uuid,
    lease: Duration,
    known: std::sync::Arc<Vec<Known>>,
    mut stop: watch::Receiver<bool>,
    mut partitions: JoinSet<()>,
) {
    let mut keeping = pin!(keep(&store, owner, lease, &known));
    tokio::select! {
        _ = stop.changed() => {}
        () = &mut keeping => {}
    }
    for known in known.iter() {
        known.control.send_modify(|control| control.is_over = true);
    }
    let last_pages = async { while partitions.join_next().await.is_some() {} };
    // The last pages keep their leases, however long they take.
    tokio::select! {
        () = last_pages => {}
        () = &mut keeping => {}
    }
    // After a lease nobody waits for its release any more.
    match tokio::time::timeout(lease, store.release(owner)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            tracing::warn!(%error, "the leases were not released; they end by themselves");
        }
        Err(_) => tracing::warn!("the leases were not released in time; they end by themselves"),
    }
}

/// Keeps the leases, for ever.
async fn keep<S: CheckpointStore>(store: &S, owner: Uuid, lease: Duration, known: &[Known]) {
    let mut ticks = tokio::time::interval(lease / 3);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        tick(store, owner, lease, known).await;
    }
}

/// Renews the leases, and takes over what other processes have decided.
async fn tick<S: CheckpointStore>(store: &S, owner: Uuid, lease: Duration, known: &[Known]) {
    let before: Vec<_> = known.iter().map(Before::now).collect();
    let renewed = store.renew(owner, lease).await;
    let states = match renewed {
        Ok(()) => store.partitions(None).await,
        Err(error) => Err(error),
    };
    match states {
        Ok(states) => {
            for (known, before) in known.iter().zip(before) {
                follow_others(known, &before, &states);
                notice_losses(known, &before, &states);
            }
        }
        Err(error) => tracing::warn!(%error, "the leases were not renewed; trying again"),
    }
}

/// Lets a subscription begin again at its checkpoints, if one of them is at an earlier place than before. A server that crashed
/// may have lost its last steps, with the effects of the handlers. Without a further event nobody else would notice.
fn notice_losses(known: &Known, before: &Before, states: &[PartitionState]) {
    let is_lost = |state: &PartitionState| {
        let before = before
            .checkpoints
            .get(usize::from(state.partition))
            .copied()
            .flatten();
        before.is_some_and(|before| state.cursor.place() < before.place())
    };
    let mut own = states.iter().filter(|state| state.name == known.name);
    if own.any(is_lost) {
        tracing::warn!(
            subscription = known.name,
            "the database has lost the last steps of a checkpoint; applying the events again"
        );
        known.control.send_modify(|control| control.lost += 1);
    }
}

/// Pauses or continues a subscription as another process has decided, and measures it.
fn follow_others(known: &Known, before: &Before, states: &[PartitionState]) {
    let own = states.iter().filter(|state| state.name == known.name);
    let Some(first) = own.clone().next() else {
        return;
    };
    let (is_paused, has_wishes) = (first.is_paused, first.wishes > 0);
    known.control.send_if_modified(|control| {
        // The states may be older than a call of this process.
        let changes = control.is_paused != is_paused && *control == before.control;
        if !changes {
            return false;
        }
        control.is_paused = is_paused;
        true
    });
    if has_wishes {
        known.control.send_modify(|control| control.wished += 1);
    }
    let lags = own.clone();
    let lags = lags.filter_map(|state| Some(state.now - state.oldest_unsettled?));
    let idle = known.partitions.iter().map(|shared| shared.facts().0);
    let stopped = own.filter(|state| state.stopped.is_some());
    let condition = Condition {
        parked: first.parked,
        lag: lags.max().unwrap_or_default().to_std().unwrap_or_default(),
        idle: idle.max().unwrap_or_default(),
        stopped: stopped.fold(0, |stopped, _| stopped + 1),
    };
    telemetry::looked_at(known.name, &condition);
}
