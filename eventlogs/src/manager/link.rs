//! The events of one decision on their way to the store, and the states in front of them and behind them.
//!
//! A state that is not stored yet never leaves this module's users: it is not cached, not returned, and what is decided on it
//! is reported only once it is stored.
//!
//! Folding may take long and may panic, both being up to the aggregate. So one at a time folds a link's events, nobody waits
//! for it with a lock, and the events are given up only once they are folded for good.

use crate::aggregate::Aggregate;
use crate::aggregation::Aggregation;
use crate::ids::LogId;
use crate::manager::fold::Fold;
use crate::record::RecordedEvent;
use crate::stores::request::{AppendObserver, AppendSettled};
use crate::sync::{get_mut, lock};
use chrono::{DateTime, Utc};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use tokio::sync::Notify;

/// The events of one decision, on their way to the store. Those that build on it hold it until they are settled themselves.
pub(super) struct Link<A: Aggregate> {
    /// The log.
    log_id: LogId,
    /// Its place among all that were handed over for the log.
    number: u64,
    /// The states around its events. Locked for the time of a few copies.
    states: Mutex<States<A>>,
    /// The events, until they are folded for good. Locked by whoever has set `folding`.
    events: Mutex<Vec<RecordedEvent<A::Event>>>,
    /// Whether somebody is folding the events.
    folding: AtomicBool,
    /// Whether the store has given the events a place in its order.
    queued: AtomicBool,
    /// When they were recorded, or that they were not; empty before that is known.
    settled: OnceLock<Option<DateTime<Utc>>>,
    /// Woken when it is, and when somebody has ceased to fold.
    woken: Notify,
    /// Whether a write has failed of those that build on one another, which all share this. What builds on it fails, too.
    broken: Arc<AtomicBool>,
}

/// The states around a link's events.
struct States<A: Aggregate> {
    /// The link that it builds on, if that was not stored then; gone once this one is folded for good.
    below: Option<Arc<Link<A>>>,
    /// The state that was decided on; with `below`, one whose times of recording are guesses. `None` in front of the log.
    decided_on: Option<Aggregation<A>>,
    /// The state after the events, whose times of recording are guesses; made when somebody decides on it.
    expected: Option<Aggregation<A>>,
    /// The state after them as the store has it.
    confirmed: Option<Aggregation<A>>,
}

/// Why there is no state after a link's events.
pub(super) enum Unfolded<A: Aggregate> {
    /// Somebody is folding the events of this link now. To be asked for again once it [is free](Link::free).
    Busy(Arc<Link<A>>),
    /// Of some of what it builds on, the answer was lost, and with it the time of recording: the store has to be asked.
    Unknown,
    /// The aggregate does not take the events.
    Failed(FoldError),
}

/// What went wrong while events were folded that are stored, or on their way.
#[derive(Debug, thiserror::Error)]
pub(super) enum FoldError {
    /// The aggregate panicked.
    #[error("the aggregate panicked while it applied events: {0}")]
    Panicked(String),
    /// The events do not follow the state.
    #[error(transparent)]
    Log(#[from] crate::manager::error::LogManagerError),
}

/// What a panic said.
pub(super) fn text_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("it did not say why").to_owned()
}

impl<A: Aggregate> Link<A> {
    /// The link of a decision on this state, which is that of `below` if that one is not stored yet.
    pub(super) fn new(
        log_id: LogId,
        number: u64,
        decided_on: Option<Aggregation<A>>,
        below: Option<Arc<Self>>,
    ) -> Arc<Self> {
        let broken = below.as_ref().map_or_else(
            || Arc::new(AtomicBool::new(false)),
            |below| Arc::clone(&below.broken),
        );
        Arc::new(Self {
            log_id,
            number,
            states: Mutex::new(States {
                below,
                decided_on,
                expected: None,
                confirmed: None,
            }),
            events: Mutex::new(Vec::new()),
            folding: AtomicBool::new(false),
            queued: AtomicBool::new(false),
            settled: OnceLock::new(),
            woken: Notify::new(),
            broken,
        })
    }

    /// Its place among all that were handed over for the log.
    pub(super) const fn number(&self) -> u64 {
        self.number
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

    /// Whether it is known what became of it.
    pub(super) fn is_settled(&self) -> bool {
        self.settled.get().is_some()
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

    /// Waits until nobody folds its events.
    pub(super) async fn free(&self) {
        loop {
            let mut woken = std::pin::pin!(self.woken.notified());
            woken.as_mut().enable();
            if !self.folding.load(Ordering::SeqCst) {
                return;
            }
            woken.await;
        }
    }

    /// The state to decide on: after this link's events, stored or not.
    pub(super) fn latest(self: &Arc<Self>) -> Result<Aggregation<A>, Unfolded<A>> {
        if self.is_stored() {
            return self.confirmed_now();
        }
        let decided_on = {
            let states = lock(&self.states);
            if let Some(known) = states.confirmed.as_ref().or(states.expected.as_ref()) {
                return Ok(known.clone());
            }
            states.decided_on.clone()
        };
        self.alone(|events| {
            let expected = self.fold(decided_on.as_ref(), events)?;
            lock(&self.states).expected = Some(expected.clone());
            Ok(expected)
        })
    }

    /// The state after this link's events as the store has it. To be asked for once it is stored.
    pub(super) async fn confirmed(self: &Arc<Self>) -> Result<Aggregation<A>, Unfolded<A>> {
        loop {
            match self.confirmed_now() {
                Err(Unfolded::Busy(link)) => link.free().await,
                known => return known,
            }
        }
    }

    /// The same without waiting.
    ///
    /// With it, all that it builds on is stored; but of some of that the answer may have been lost.
    fn confirmed_now(self: &Arc<Self>) -> Result<Aggregation<A>, Unfolded<A>> {
        // Downwards to one whose state is known, then up again: a loop, since a hot log has many.
        let mut links = vec![Arc::clone(self)];
        let mut state = None;
        while let Some(link) = links.last() {
            let states = lock(&link.states);
            if let Some(confirmed) = &states.confirmed {
                state = Some(confirmed.clone());
                drop(states);
                links.pop();
                break;
            }
            if !link.is_stored() {
                return Err(Unfolded::Unknown);
            }
            let Some(below) = states.below.clone() else {
                state.clone_from(&states.decided_on);
                break;
            };
            drop(states);
            links.push(below);
        }
        for link in links.iter().rev() {
            state = Some(link.confirm(state.as_ref())?);
        }
        state.ok_or(Unfolded::Unknown)
    }

    /// Folds the events, with their true times, onto the true state in front of them.
    fn confirm(
        self: &Arc<Self>,
        state: Option<&Aggregation<A>>,
    ) -> Result<Aggregation<A>, Unfolded<A>> {
        self.alone(|events| {
            // Somebody may have been faster.
            if let Some(confirmed) = &lock(&self.states).confirmed {
                return Ok(confirmed.clone());
            }
            // Looked at before, so the time is there.
            if let Some(time) = self.settled.get().copied().flatten() {
                let guessed = std::mem::take(events).into_iter();
                *events = guessed.map(|event| event.with_recorded_at(time)).collect();
            }
            let confirmed = self.fold(state, events)?;
            let folded = std::mem::take(events);
            let former = std::mem::replace(
                &mut *lock(&self.states),
                States {
                    below: None,
                    decided_on: None,
                    expected: None,
                    confirmed: Some(confirmed.clone()),
                },
            );
            // Outside the lock, being the user's.
            drop((folded, former));
            Ok(confirmed)
        })
    }

    /// Does something with the events, unless somebody else is about it.
    fn alone<T>(
        self: &Arc<Self>,
        work: impl FnOnce(&mut Vec<RecordedEvent<A::Event>>) -> Result<T, Unfolded<A>>,
    ) -> Result<T, Unfolded<A>> {
        if self.folding.swap(true, Ordering::SeqCst) {
            return Err(Unfolded::Busy(Arc::clone(self)));
        }
        let done = Done(self);
        let result = work(&mut lock(&self.events));
        drop(done);
        result
    }

    /// A panic of the aggregate is an error of this fold: what it was about may be stored, and concern others.
    fn fold(
        &self,
        state: Option<&Aggregation<A>>,
        events: &[RecordedEvent<A::Event>],
    ) -> Result<Aggregation<A>, Unfolded<A>> {
        folded(self.log_id, state, events).map_err(Unfolded::Failed)
    }
}

/// The state after some events.
pub(super) fn folded<A: Aggregate>(
    log_id: LogId,
    state: Option<&Aggregation<A>>,
    events: &[RecordedEvent<A::Event>],
) -> Result<Aggregation<A>, FoldError> {
    // Nothing that a panic leaves half-changed is used again: the fold has a copy of the aggregate for itself.
    let folding = AssertUnwindSafe(|| {
        let mut fold = state.map_or_else(|| Fold::from_the_start(log_id), Fold::from_aggregation);
        fold.apply(events)?;
        let log_not_found = crate::manager::error::LogManagerError::LogNotFound { log_id };
        fold.finish().ok_or(FoldError::Log(log_not_found))
    });
    catch_unwind(folding).unwrap_or_else(|panic| Err(FoldError::Panicked(text_of(&*panic))))
}

/// Lets the next one fold, whatever happens.
struct Done<'a, A: Aggregate>(&'a Link<A>);

impl<A: Aggregate> Drop for Done<'_, A> {
    fn drop(&mut self) {
        self.0.folding.store(false, Ordering::SeqCst);
        self.0.woken.notify_waiters();
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
        get_mut(&mut self.states).below.take()
    }
}

impl<A: Aggregate> AppendObserver<A::Event> for Link<A> {
    fn queued(&self, events: Vec<RecordedEvent<A::Event>>) {
        *lock(&self.events) = events;
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
