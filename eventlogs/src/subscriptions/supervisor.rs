//! The task of a process that keeps its leases, and ends the partitions in order.

use crate::projection::checkpoint::{CheckpointStore, PartitionState};
use crate::subscriptions::progress::{Control, Shared};
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

/// Keeps the leases of a process until it is told to stop, or its handle is dropped.
pub(super) async fn supervise<S: CheckpointStore>(
    store: S,
    owner: Uuid,
    lease: Duration,
    known: std::sync::Arc<Vec<Known>>,
    mut stop: watch::Receiver<bool>,
    mut partitions: JoinSet<()>,
) {
    let mut ticks = tokio::time::interval(lease / 3);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = stop.changed() => break,
            _ = ticks.tick() => tick(&store, owner, lease, &known).await,
        }
    }
    for known in known.iter() {
        known.control.send_modify(|control| control.is_over = true);
    }
    while partitions.join_next().await.is_some() {}
    if let Err(error) = store.release(owner).await {
        tracing::warn!(%error, "the leases were not released; they end by themselves");
    }
}

/// Renews the leases, and takes over what other processes have decided.
async fn tick<S: CheckpointStore>(store: &S, owner: Uuid, lease: Duration, known: &[Known]) {
    let renewed = store.renew(owner, lease).await;
    let states = match renewed {
        Ok(()) => store.partitions(None).await,
        Err(error) => Err(error),
    };
    match states {
        Ok(states) => known.iter().for_each(|known| follow_others(known, &states)),
        Err(error) => tracing::warn!(%error, "the leases were not renewed; trying again"),
    }
}

/// Pauses or continues a subscription as another process has decided, and measures it.
fn follow_others(known: &Known, states: &[PartitionState]) {
    let mut own = states
        .iter()
        .filter(|state| state.name == known.name)
        .peekable();
    let Some(first) = own.peek() else {
        return;
    };
    let is_paused = first.is_paused;
    known.control.send_if_modified(|control| {
        let changes = control.is_paused != is_paused;
        control.is_paused = is_paused;
        changes
    });
    #[cfg(feature = "metrics")]
    {
        let lag = own.filter_map(|state| Some(state.now - state.oldest_unsettled?));
        let lag = lag.max().unwrap_or_default();
        let lag = lag.to_std().unwrap_or_default().as_secs_f64();
        metrics::gauge!("eventlogs_subscription_lag_seconds", "subscription" => known.name)
            .set(lag);
        let idle = known.partitions.iter().map(|shared| shared.facts().0).max();
        metrics::gauge!("eventlogs_subscription_idle_seconds", "subscription" => known.name)
            .set(idle.unwrap_or_default().as_secs_f64());
    }
}
