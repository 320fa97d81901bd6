//! The logs that are being decided on, and what is on its way to them.
//!
//! Decisions of one process on one log take turns: a turn is to decide and to hand the events over to the store, without
//! waiting in between, so whoever has it is running. The next one decides on the state that these events lead to, before they
//! are stored. A store that takes part in this writes them in that order, and together where it can; if the first cannot be
//! written, none that builds on it is.
//!
//! A state that is not stored yet never leaves this module's users: it is not cached, not returned, and what is decided on it
//! is reported only once it is stored.

use super::LogManagerError;
use super::fold::Fold;
use crate::ids::LogId;
use crate::stores::{AppendObserver, AppendSettled};
use crate::{Aggregate, Aggregation, RecordedEvent};
use chrono::{DateTime, Utc};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use tokio::sync::Notify;

/// The logs that somebody is deciding on.
pub(super) struct Turns<A: Aggregate> {
    /// Locked to look a log up, never while somebody decides.
    logs: Mutex<HashMap<LogId, Arc<Turn<A>>>>,
}

/// The turns on one log.
pub(super) struct Turn<A: Aggregate> {
    /// The write that was handed over last. Locked for as long as somebody's turn takes.
    newest: Mutex<Option<Arc<Link<A>>>>,
}

/// A place among those who decide on a log. The log is forgotten with the last of them.
pub(super) struct Seat<'a, A: Aggregate> {
    turns: &'a Turns<A>,
    log_id: LogId,
    turn: Arc<Turn<A>>,
}

/// The events of one decision, on their way to the store. Those that build on it hold it until they are settled themselves.
pub(super) struct Link<A: Aggregate> {
    /// The log.
    log_id: LogId,
    /// What the fold of these events needs.
    work: Mutex<Work<A>>,
    /// Whether the store has given the events a place in its order.
    queued: AtomicBool,
    /// When they were recorded, or that they were not; empty before that is known.
    settled: OnceLock<Option<DateTime<Utc>>>,
    /// Woken when it is.
    woken: Notify,
    /// Whether a write has failed of those that build on one another, which all share this. What builds on it fails, too.
    broken: Arc<AtomicBool>,
}

/// What the fold of a link's events needs, and its results.
struct Work<A: Aggregate> {
    /// The link that it builds on, if that was not stored then; gone once this one is known to be stored.
    below: Option<Arc<Link<A>>>,
    /// The state that was decided on; with `below`, one whose times of recording are guesses. `None` in front of the log.
    decided_on: Option<Aggregation<A>>,
    /// The events, until they are folded for good.
    events: Vec<RecordedEvent<A::Event>>,
    /// The state after them, whose times of recording are guesses; made when somebody decides on it.
    expected: Option<Aggregation<A>>,
    /// The state after them as the store has it.
    confirmed: Option<Aggregation<A>>,
}

impl<A: Aggregate> Default for Turns<A> {
    fn default() -> Self {
        Self {
            logs: Mutex::new(HashMap::new()),
        }
    }
}

/// A panic in between, of an aggregate's `apply` or of a decision, leaves what these mutexes hold as it was before.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<A: Aggregate> Turns<A> {
    /// A place among those who decide on a log.
    pub(super) fn seat(&self, log_id: LogId) -> Seat<'_, A> {
        let turn = Arc::clone(lock(&self.logs).entry(log_id).or_insert_with(|| {
            Arc::new(Turn {
                newest: Mutex::new(None),
            })
        }));
        Seat {
            turns: self,
            log_id,
            turn,
        }
    }

    /// Lets nobody who comes from now on decide on what those have in mind who are there. They end by themselves.
    pub(super) fn forget(&self, log_id: LogId) {
        lock(&self.logs).remove(&log_id);
    }
}

impl<A: Aggregate> Seat<'_, A> {
    /// The turn: nobody else decides on the log while the guard is held. It must not be held across an await.
    pub(super) fn turn(&self) -> MutexGuard<'_, Option<Arc<Link<A>>>> {
        lock(&self.turn.newest)
    }

    /// Lets nobody decide on this link any more, because the log has gone another way.
    pub(super) fn forget(&self, link: &Arc<Link<A>>) {
        let mut newest = self.turn();
        if newest
            .as_ref()
            .is_some_and(|newest| Arc::ptr_eq(newest, link))
        {
            *newest = None;
        }
    }
}

impl<A: Aggregate> Drop for Seat<'_, A> {
    fn drop(&mut self) {
        let mut logs = lock(&self.turns.logs);
        // The map's and this one. New ones are made under the lock that is held here. The log may have been forgotten, and
        // others have new turns.
        let own = logs.get(&self.log_id);
        if own.is_some_and(|own| Arc::ptr_eq(own, &self.turn)) && Arc::strong_count(&self.turn) <= 2
        {
            logs.remove(&self.log_id);
        }
    }
}

impl<A: Aggregate> Link<A> {
    /// The link of a decision on this state, which is that of `below` if that one is not stored yet.
    pub(super) fn new(
        log_id: LogId,
        decided_on: Option<Aggregation<A>>,
        below: Option<Arc<Self>>,
    ) -> Arc<Self> {
        let broken = below.as_ref().map_or_else(
            || Arc::new(AtomicBool::new(false)),
            |below| Arc::clone(&below.broken),
        );
        Arc::new(Self {
            log_id,
            work: Mutex::new(Work {
                below,
                decided_on,
                events: Vec::new(),
                expected: None,
                confirmed: None,
            }),
            queued: AtomicBool::new(false),
            settled: OnceLock::new(),
            woken: Notify::new(),
            broken,
        })
    }

    /// Whether the store writes it before whatever it is given next.
    pub(super) fn is_queued(&self) -> bool {
        self.queued.load(Ordering::Acquire)
    }

    /// Whether it can still be built on.
    pub(super) fn is_sound(&self) -> bool {
        self.is_queued()
            && !self.broken.load(Ordering::Acquire)
            && self.settled.get() != Some(&None)
    }

    /// Whether it is stored.
    pub(super) fn is_stored(&self) -> bool {
        matches!(self.settled.get(), Some(Some(_)))
    }

    /// Waits until the store has written it or not, and says which.
    pub(super) async fn wait(&self) -> bool {
        loop {
            let mut woken = std::pin::pin!(self.woken.notified());
            // Registered before the look, or the wake-up in between would be lost.
            woken.as_mut().enable();
            if let Some(settled) = self.settled.get() {
                return settled.is_some();
            }
            woken.await;
        }
    }

    /// The state to decide on: after this link's events, stored or not. `None` if that is not known.
    pub(super) fn latest(self: &Arc<Self>) -> Result<Option<Aggregation<A>>, LogManagerError> {
        if self.is_stored() {
            return self.confirmed();
        }
        let mut work = lock(&self.work);
        if let Some(known) = work.confirmed.as_ref().or(work.expected.as_ref()) {
            return Ok(Some(known.clone()));
        }
        let expected = self.fold(work.decided_on.as_ref(), &work.events)?;
        work.expected = Some(expected.clone());
        Ok(Some(expected))
    }

    /// The state after this link's events as the store has it. To be asked for once it is stored.
    ///
    /// With it, all that it builds on is stored; but of some of that the answer may have been lost, and with it the time at
    /// which it was recorded. Then there is nothing to return: the store has to be asked.
    pub(super) fn confirmed(self: &Arc<Self>) -> Result<Option<Aggregation<A>>, LogManagerError> {
        // Downwards to one whose state is known, then up again: a loop, since a hot log has many.
        let mut links = vec![Arc::clone(self)];
        let mut state = None;
        while let Some(link) = links.last() {
            let work = lock(&link.work);
            if let Some(confirmed) = &work.confirmed {
                state = Some(confirmed.clone());
                drop(work);
                links.pop();
                break;
            }
            if !link.is_stored() {
                return Ok(None);
            }
            let Some(below) = work.below.clone() else {
                state.clone_from(&work.decided_on);
                break;
            };
            drop(work);
            links.push(below);
        }
        for link in links.iter().rev() {
            state = Some(link.confirm(state.as_ref())?);
        }
        Ok(state)
    }

    /// Folds the events, with their true times, onto the true state in front of them.
    fn confirm(&self, state: Option<&Aggregation<A>>) -> Result<Aggregation<A>, LogManagerError> {
        let mut work = lock(&self.work);
        if let Some(confirmed) = &work.confirmed {
            return Ok(confirmed.clone());
        }
        let recorded_at = self.settled.get().copied().flatten();
        let events = std::mem::take(&mut work.events).into_iter();
        // Looked at before, so the time is there.
        let events: Vec<_> = match recorded_at {
            Some(time) => events.map(|event| event.with_recorded_at(time)).collect(),
            None => events.collect(),
        };
        let confirmed = self.fold(state, &events)?;
        work.confirmed = Some(confirmed.clone());
        work.below = None;
        work.decided_on = None;
        work.expected = None;
        Ok(confirmed)
    }

    fn fold(
        &self,
        state: Option<&Aggregation<A>>,
        events: &[RecordedEvent<A::Event>],
    ) -> Result<Aggregation<A>, LogManagerError> {
        let mut fold =
            state.map_or_else(|| Fold::from_the_start(self.log_id), Fold::from_aggregation);
        fold.apply(events)?;
        fold.finish().ok_or(LogManagerError::LogNotFound {
            log_id: self.log_id,
        })
    }
}

impl<A: Aggregate> Drop for Link<A> {
    /// A loop, since a hot log whose callers have all gone away leaves a long row of links: dropped one inside the other
    /// they would overflow the stack.
    fn drop(&mut self) {
        let mut below = self.take_below();
        while let Some(mut link) = below {
            below = Arc::get_mut(&mut link).and_then(Self::take_below);
        }
    }
}

impl<A: Aggregate> Link<A> {
    fn take_below(&mut self) -> Option<Arc<Self>> {
        let work = self.work.get_mut().unwrap_or_else(PoisonError::into_inner);
        work.below.take()
    }
}

impl<A: Aggregate> AppendObserver<A::Event> for Link<A> {
    fn queued(&self, events: Vec<RecordedEvent<A::Event>>) {
        lock(&self.work).events = events;
        self.queued.store(true, Ordering::Release);
    }
}

impl<A: Aggregate> AppendSettled for Link<A> {
    fn settled(&self, recorded_at: Option<DateTime<Utc>>) {
        if recorded_at.is_none() {
            self.broken.store(true, Ordering::Release);
        }
        let _ = self.settled.set(recorded_at);
        self.woken.notify_waiters();
    }
}
