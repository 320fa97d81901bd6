//! Waiting until a subscription has come to an event.

use crate::cursor::Cursor;
use crate::feed::wanted::SLICES;
use crate::feed::wanted::slice;
use crate::ids::LogId;
use crate::log_state::LogPosition;
use crate::projection::checkpoint::{CheckpointStore, PartitionState};
use crate::subscriptions::error::WaitError;
use crate::subscriptions::progress::{Progress, Shared};
use crate::subscriptions::running::RunningSubscriptions;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// How often the checkpoint of another process is read.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// How often the checkpoint is read while this process runs the subscription: it may have lost the lease without knowing.
const LOOK_AROUND: Duration = Duration::from_millis(500);
/// How much longer than its limit a wait may take while the database does not answer.
const GRACE: Duration = Duration::from_secs(1);

impl<S: CheckpointStore> RunningSubscriptions<S> {
    /// Waits until a subscription has settled an event of a log: read your own writes.
    ///
    /// It takes the state that a write has returned, and one round trip to look up the place of the event. If this process runs
    /// the subscription, it is woken by it; otherwise it reads the checkpoint every 20 ms.
    ///
    /// ```no_run
    /// # async fn f<S: eventlogs::projection::CheckpointStore>(running: eventlogs::subscriptions::RunningSubscriptions<S>,
    /// #     state: eventlogs::LogPosition) -> Result<(), eventlogs::subscriptions::WaitError> {
    /// use std::time::Duration;
    ///
    /// // `state` comes from `append`, `create`, or `decided.aggregation().state()`.
    /// running.wait_for("ledger", state, Duration::from_secs(2)).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// - [`TimedOut`](WaitError::TimedOut) if the time is over. The subscription goes on. While the database does not answer, it
    ///   comes up to one second later.
    /// - [`Parked`](WaitError::Parked) if the log is parked at the event or at an earlier one.
    /// - [`Stopped`](WaitError::Stopped) if the subscription has stopped because of an error.
    /// - [`NotFound`](WaitError::NotFound) if there is no subscription of this name.
    /// - [`NoSuchEvent`](WaitError::NoSuchEvent) if the log does not have the event.
    /// - [`Store`](WaitError::Store) if the database failed.
    pub async fn wait_for(
        &self,
        name: &str,
        state: impl Into<LogPosition>,
        limit: Duration,
    ) -> Result<(), WaitError> {
        let position = state.into();
        let deadline = crate::time_box::end_after(limit);
        let late = |behind| WaitError::TimedOut {
            name: name.to_owned(),
            behind,
        };
        let place = timeout_at(deadline + GRACE, self.place(position)).await;
        let place = place.map_err(|_| late(None))??;
        loop {
            let may_be_parked =
                |shared: &Shared| shared.may_be_parked(position.log_id(), position.index());
            if let Some(shared) = self.local(name, position.log_id())
                && !may_be_parked(shared)
                && is_reached_here(shared, place, deadline.min(Instant::now() + LOOK_AROUND)).await
                && !may_be_parked(shared)
            {
                return Ok(());
            }
            // Another process may have taken over, or have stopped, or have parked the log.
            let looked = self.reached_anywhere(name, position, place);
            let looked = timeout_at(deadline + GRACE, looked).await;
            let (is_there, cursor) = looked.map_err(|_| late(None))??;
            if is_there {
                return Ok(());
            }
            if Instant::now() >= deadline {
                return Err(late(Some(distance(cursor, place))));
            }
            tokio::time::sleep_until(deadline.min(Instant::now() + LOOK_AGAIN)).await;
        }
    }

    /// Looks up the place of an event.
    async fn place(&self, position: LogPosition) -> Result<Cursor, WaitError> {
        let (log_id, index) = (position.log_id(), position.index());
        let found = self.store.find_place(log_id, index).await?;
        let is_same = |found: &Cursor| {
            let expected = position.event_id();
            expected.is_none() || found.event_id() == expected
        };
        let found = found.filter(is_same);
        found.ok_or(WaitError::NoSuchEvent { log_id, index })
    }

    /// Returns the partition of a log, if the subscription is one of this process.
    fn local(&self, name: &str, log_id: LogId) -> Option<&Shared> {
        let partitions = &self.known(name)?.partitions;
        partitions.get(partition(log_id, partitions.len()))
    }

    /// Reads how far the partition of a log has come, in whatever process.
    async fn reached_anywhere(
        &self,
        name: &str,
        position: LogPosition,
        place: Cursor,
    ) -> Result<(bool, Cursor), WaitError> {
        let log_id = position.log_id();
        let states = self.store.partitions(Some(name)).await?;
        let partitions = states.first().map_or(1, |state| state.partitions);
        let own = partition(log_id, partitions.into());
        let is_own = |state: &&PartitionState| usize::from(state.partition) == own;
        let Some(state) = states.iter().find(is_own) else {
            return Err(WaitError::NotFound {
                name: name.to_owned(),
            });
        };
        if state.parked > 0 {
            self.check_parked(name, position).await?;
        }
        let is_there = is_at(state.cursor, place);
        match &state.stopped {
            Some(reason) if !is_there => Err(WaitError::Stopped {
                name: name.to_owned(),
                reason: reason.clone(),
            }),
            _ => Ok((is_there, state.cursor)),
        }
    }
}

/// Waits until a partition of this process has come to a place. Returns `false` if it does not follow the feed here, or has not
/// come there in time.
async fn is_reached_here(shared: &Shared, place: Cursor, until: Instant) -> bool {
    let is_there = |progress: &Progress| progress.cursor.is_some_and(|cursor| is_at(cursor, place));
    let decides = |progress: &Progress| progress.cursor.is_none() || is_there(progress);
    let mut progress = shared.watch();
    let ended = timeout_at(until, progress.wait_for(decides)).await;
    ended.is_ok_and(|progress| progress.is_ok_and(|progress| is_there(&progress)))
}

/// Returns `true` if a cursor has come to a place.
fn is_at(cursor: Cursor, place: Cursor) -> bool {
    cursor.place() >= place.place()
}

/// Returns the number of the partition of a log.
fn partition(log_id: LogId, partitions: usize) -> usize {
    let slices = usize::from(SLICES);
    // The bounds of a partition are rounded down.
    let mut all = 0..partitions.max(1);
    let slice = usize::from(slice(log_id));
    all.rfind(|partition| partition * slices / partitions.max(1) <= slice)
        .unwrap_or(0)
}

/// Returns about how many events lie between two places.
fn distance(cursor: Cursor, place: Cursor) -> u64 {
    let (from, to) = (cursor.place(), place.place());
    if from.epoch == to.epoch {
        to.position.saturating_sub(from.position)
    } else {
        to.position
    }
}
