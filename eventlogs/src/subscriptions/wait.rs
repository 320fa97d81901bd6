//! Waiting until a subscription has come to an event, or all have come to the last one.

use crate::cursor::Cursor;
use crate::feed::wanted::SLICES;
use crate::feed::wanted::slice;
use crate::ids::LogId;
use crate::log_state::LogPosition;
use crate::projection::checkpoint::{CheckpointStore, PartitionState};
use crate::subscriptions::error::WaitError;
use crate::subscriptions::progress::{Progress, Shared};
use crate::subscriptions::running::RunningSubscriptions;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
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
        let place = timeout_at(deadline + GRACE, self.place(position)).await;
        let place = place.map_err(|_| late(name, None))??;
        let goal = Goal {
            name,
            position: Some(position),
            place,
        };
        self.reach(goal, deadline).await
    }

    /// Waits until every subscription of this process has settled every event that was committed when the call began: for
    /// programs that read a table once, and for tests.
    ///
    /// Events that a running transaction still holds back count, and so do the partitions that other processes run. Without a
    /// subscription, or without an event, it returns immediately.
    ///
    /// ```
    /// # #[cfg(all(feature = "macros", feature = "sqlite", feature = "json"))]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use eventlogs::{Event, Projection, SqliteEventStore, event_handler};
    /// # #[derive(Debug, Event)] enum DoorEvent { Opened }
    /// # #[derive(Projection)] #[projection(name = "doors", events(DoorEvent), database = elsewhere)] struct Doors;
    /// # #[event_handler(DoorEvent)] impl Doors { #[on(Opened)] async fn open(&self) {} }
    /// # let store = SqliteEventStore::in_memory().await?;
    /// use eventlogs::subscriptions::Subscriptions;
    /// use std::time::Duration;
    ///
    /// let running = Subscriptions::new(&store).projection(Doors).start().await?;
    /// running.wait_until_caught_up(Duration::from_mins(1)).await?;
    /// // … read the tables …
    /// running.shutdown().await;
    /// # Ok(()) }
    /// # #[cfg(not(all(feature = "macros", feature = "sqlite", feature = "json")))]
    /// # fn main() {}
    /// ```
    ///
    /// # Errors
    /// - [`TimedOut`](WaitError::TimedOut) if the time is over, with the subscription that is furthest behind. All go on. While
    ///   the database does not answer, it comes up to one second later.
    /// - [`Stopped`](WaitError::Stopped) if one of them has stopped because of an error.
    /// - [`NotFound`](WaitError::NotFound) if one of them was deleted in the database.
    /// - [`Store`](WaitError::Store) if the database failed.
    pub async fn wait_until_caught_up(&self, limit: Duration) -> Result<(), WaitError> {
        let Some(first) = self.known.first() else {
            return Ok(());
        };
        let deadline = crate::time_box::end_after(limit);
        let head = timeout_at(deadline + GRACE, self.store.head()).await;
        let Some(place) = head.map_err(|_| late(first.name, None))??.last else {
            return Ok(());
        };
        let goals = self.known.iter().map(|known| Goal {
            name: known.name,
            position: None,
            place,
        });
        let mut waits: FuturesUnordered<_> = goals.map(|goal| self.reach(goal, deadline)).collect();
        let mut furthest = None;
        while let Some(waited) = waits.next().await {
            match waited {
                Ok(()) => {}
                // The others run out of time now, too.
                Err(WaitError::TimedOut { name, behind }) => {
                    furthest = furthest.max(Some((behind, name)));
                }
                Err(error) => return Err(error),
            }
        }
        furthest.map_or(Ok(()), |(behind, name)| Err(late(&name, behind)))
    }

    /// Waits until a subscription has come to a place.
    async fn reach(&self, goal: Goal<'_>, deadline: Instant) -> Result<(), WaitError> {
        loop {
            if self
                .is_reached_here(goal, deadline.min(Instant::now() + LOOK_AROUND))
                .await
            {
                return Ok(());
            }
            // Another process may have taken over, or have stopped, or have parked the log.
            let looked = timeout_at(deadline + GRACE, self.behind_anywhere(goal)).await;
            let Some(behind) = looked.map_err(|_| late(goal.name, None))?? else {
                return Ok(());
            };
            if Instant::now() >= deadline {
                return Err(late(goal.name, Some(behind)));
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

    /// Waits until the partitions of a goal, run by this process, have come to its place. Returns `false` if one of them does
    /// not run here, or has not come there in time.
    async fn is_reached_here(&self, goal: Goal<'_>, until: Instant) -> bool {
        let Some(known) = self.known(goal.name) else {
            return false;
        };
        for (number, shared) in known.partitions.iter().enumerate() {
            if !goal.includes(number, known.partitions.len()) {
                continue;
            }
            if goal.may_be_parked(shared)
                || !is_reached_by(shared, goal.place, until).await
                || goal.may_be_parked(shared)
            {
                return false;
            }
        }
        true
    }

    /// Returns about how many events the partitions of a goal are behind its place, in whatever processes; `None` if they have
    /// come there.
    async fn behind_anywhere(&self, goal: Goal<'_>) -> Result<Option<u64>, WaitError> {
        let states = self.store.partitions(Some(goal.name)).await?;
        let is_own = |state: &&PartitionState| {
            goal.includes(state.partition.into(), state.partitions.into())
        };
        let mut own = states.iter().filter(is_own).peekable();
        if own.peek().is_none() {
            return Err(WaitError::NotFound {
                name: goal.name.to_owned(),
            });
        }
        let mut behind = None;
        for state in own {
            if let Some(position) = goal.position.filter(|_| state.parked > 0) {
                self.check_parked(goal.name, position).await?;
            }
            if is_at(state.cursor, goal.place) || self.is_there_here(goal, state.partition) {
                continue;
            }
            if let Some(reason) = &state.stopped {
                return Err(WaitError::Stopped {
                    name: goal.name.to_owned(),
                    reason: reason.clone(),
                });
            }
            behind = behind.max(Some(distance(state.cursor, goal.place)));
        }
        Ok(behind)
    }

    /// Returns `true` if this process runs a partition and has come to the place of a goal. The checkpoint may be behind by
    /// events that are not wanted.
    fn is_there_here(&self, goal: Goal<'_>, partition: u16) -> bool {
        let known = self.known(goal.name);
        let shared = known.and_then(|known| known.partitions.get(usize::from(partition)));
        let cursor = shared.and_then(|shared| shared.now().cursor);
        cursor.is_some_and(|cursor| is_at(cursor, goal.place))
    }
}

/// What is waited for.
#[derive(Debug, Clone, Copy)]
struct Goal<'a> {
    /// The name of the subscription.
    name: &'a str,
    /// The event that is waited for, whose partition counts; `None` if all partitions count.
    position: Option<LogPosition>,
    /// The place that they must come to.
    place: Cursor,
}

impl Goal<'_> {
    /// Returns `true` if a partition counts.
    fn includes(&self, number: usize, partitions: usize) -> bool {
        self.position
            .is_none_or(|position| partition(position.log_id(), partitions) == number)
    }

    /// Returns `true` if the event that is waited for may be one of a parked log.
    fn may_be_parked(&self, shared: &Shared) -> bool {
        self.position
            .is_some_and(|position| shared.may_be_parked(position.log_id(), position.index()))
    }
}

/// Makes the error that the time is over.
fn late(name: &str, behind: Option<u64>) -> WaitError {
    WaitError::TimedOut {
        name: name.to_owned(),
        behind,
    }
}

/// Waits until a partition of this process has come to a place. Returns `false` if it does not follow the feed here, or has not
/// come there in time.
async fn is_reached_by(shared: &Shared, place: Cursor, until: Instant) -> bool {
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
