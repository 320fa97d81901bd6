//! A decision whose events are not stored yet, with the states before and after its events.
//!
//! The state after events that are not stored is *speculative*; after the store has confirmed them it is *committed*. A
//! speculative state is shown to the closure of the next decision, and is neither cached nor returned. A decision made on a
//! speculative state is reported only after that state is committed.
//!
//! The aggregate decides how long a fold takes and whether it panics. So one task at a time folds the events of a decision, no
//! task holds a lock while it waits for a fold, and the events stay until the committed state is known.

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

/// A decision that was handed over to the store. Decisions that build on it keep it until they have their own committed state.
pub(in crate::manager) struct PendingDecision<A: Aggregate> {
    /// The log.
    log_id: LogId,
    /// Its number among all decisions that were handed over for the log.
    number: u64,
    /// The states before and after its events. Locked only to copy or replace them.
    states: Mutex<States<A>>,
    /// The events, until the decision's own caller takes them. Until the events are queued, only their sender locks this mutex.
    /// Afterwards only the task that has set `folding` locks it, and the caller after the committed state is known.
    events: Mutex<Vec<RecordedEvent<A::Event>>>,
    /// `true` while a task folds the events.
    folding: AtomicBool,
    /// `true` after the store has queued the events.
    queued: AtomicBool,
    /// The outcome of the write, unset until the store has settled it. `Some(time)`: the events were recorded at that time.
    /// `None`: they were not recorded, or it is unknown whether they were.
    settled: OnceLock<Option<DateTime<Utc>>>,
    /// Woken when the outcome is known, and when a task has stopped folding.
    woken: Notify,
    /// `true` after a write of this chain has failed or its outcome was lost. All decisions that build on each other share it:
    /// a write that builds on a failed one fails too, and no new decision builds on one whose outcome is unknown.
    broken: Arc<AtomicBool>,
}

/// The states before and after the events.
struct States<A: Aggregate> {
    /// The decision that this one builds on, if that was not stored yet. Removed after this one has its committed state.
    predecessor: Option<Arc<PendingDecision<A>>>,
    /// The state that was decided on; with a `predecessor`, a speculative one. `None` before the first event of the log.
    decided_on: Option<Aggregation<A>>,
    /// The state after the events, with guessed times of recording. Computed when the next decision needs it.
    speculative: Option<Aggregation<A>>,
    /// The state after the events as the store has them.
    committed: Option<Aggregation<A>>,
}

/// The reason why there is no state after the events of a decision.
pub(in crate::manager) enum NoState<A: Aggregate> {
    /// A task is folding the events of this decision now. Try again after it [is free](PendingDecision::free).
    Busy(Arc<PendingDecision<A>>),
    /// The answer to one of its predecessors was lost, and with it the time of recording: the log has to be read.
    Unknown,
    /// The events cannot be folded.
    Failed(FoldError),
}

/// The reason why events that are stored, or handed over, cannot be folded.
#[derive(Debug, thiserror::Error)]
pub(in crate::manager) enum FoldError {
    /// The aggregate panicked.
    #[error("the aggregate panicked while it applied events: {0}")]
    Panicked(String),
    /// The events do not follow the state.
    #[error(transparent)]
    Log(#[from] crate::manager::error::LogManagerError),
}

/// The message of a panic.
pub(in crate::manager) fn text_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("the panic has no message").to_owned()
}

impl<A: Aggregate> PendingDecision<A> {
    /// Records a decision that was made on this state; with a `predecessor`, on the speculative state after that one.
    pub(in crate::manager) fn new(
        log_id: LogId,
        number: u64,
        decided_on: Option<Aggregation<A>>,
        predecessor: Option<Arc<Self>>,
    ) -> Arc<Self> {
        let broken = predecessor.as_ref().map_or_else(
            || Arc::new(AtomicBool::new(false)),
            |predecessor| Arc::clone(&predecessor.broken),
        );
        Arc::new(Self {
            log_id,
            number,
            states: Mutex::new(States {
                predecessor,
                decided_on,
                speculative: None,
                committed: None,
            }),
            events: Mutex::new(Vec::new()),
            folding: AtomicBool::new(false),
            queued: AtomicBool::new(false),
            settled: OnceLock::new(),
            woken: Notify::new(),
            broken,
        })
    }

    /// Its number among all decisions that were handed over for the log.
    pub(in crate::manager) const fn number(&self) -> u64 {
        self.number
    }

    /// Returns `true` if the store has queued it. A queued decision is written before all later writes.
    pub(in crate::manager) fn is_queued(&self) -> bool {
        self.queued.load(Ordering::Acquire)
    }

    /// Returns `true` if another decision can build on it.
    pub(in crate::manager) fn can_build_on(&self) -> bool {
        self.is_queued()
            && !self.broken.load(Ordering::Acquire)
            && self.settled.get() != Some(&None)
    }

    /// Returns `true` if the store has settled it.
    pub(in crate::manager) fn is_settled(&self) -> bool {
        self.settled.get().is_some()
    }

    /// Returns `true` if it is stored.
    pub(in crate::manager) fn is_stored(&self) -> bool {
        matches!(self.settled.get(), Some(Some(_)))
    }

    /// Waits until its outcome is known. Returns `true` if it is stored.
    pub(in crate::manager) async fn wait(&self) -> bool {
        loop {
            let mut woken = std::pin::pin!(self.woken.notified());
            // Registered before the check, or a wake-up in between would be lost.
            woken.as_mut().enable();
            if let Some(settled) = self.settled.get() {
                return settled.is_some();
            }
            woken.await;
        }
    }

    /// Waits until no task folds its events.
    pub(in crate::manager) async fn free(&self) {
        loop {
            let mut woken = std::pin::pin!(self.woken.notified());
            woken.as_mut().enable();
            if !self.folding.load(Ordering::SeqCst) {
                return;
            }
            woken.await;
        }
    }

    /// Returns the state for the next decision: speculative or committed.
    pub(in crate::manager) fn latest(self: &Arc<Self>) -> Result<Aggregation<A>, NoState<A>> {
        if self.is_stored() {
            return self.committed_now();
        }
        let decided_on = {
            let states = lock(&self.states);
            if let Some(known) = states.committed.as_ref().or(states.speculative.as_ref()) {
                return Ok(known.clone());
            }
            states.decided_on.clone()
        };
        self.alone(|events| {
            let speculative = self.fold(decided_on.as_ref(), events)?;
            lock(&self.states).speculative = Some(speculative.clone());
            Ok(speculative)
        })
    }

    /// Returns the committed state after its events. To be called after it is stored.
    pub(in crate::manager) async fn committed(
        self: &Arc<Self>,
    ) -> Result<Aggregation<A>, NoState<A>> {
        loop {
            match self.committed_now() {
                Err(NoState::Busy(pending)) => pending.free().await,
                known => return known,
            }
        }
    }

    /// Takes the events, as a later read returns them. To be called by the decision's own caller, after it is stored.
    pub(in crate::manager) fn take_events(&self) -> Vec<RecordedEvent<A::Event>> {
        let events = std::mem::take(&mut *lock(&self.events)).into_iter();
        match self.settled.get().copied().flatten() {
            Some(time) => events.map(|event| event.with_recorded_at(time)).collect(),
            None => events.collect(),
        }
    }

    /// Returns the committed state, without waiting.
    ///
    /// If this decision is stored, so are its predecessors. But the answer to one of them may be lost.
    fn committed_now(self: &Arc<Self>) -> Result<Aggregation<A>, NoState<A>> {
        // Back to the nearest decision with a committed state, then forwards again. A loop, because a hot log has long chains.
        let mut chain = vec![Arc::clone(self)];
        let mut state = None;
        while let Some(pending) = chain.last() {
            let states = lock(&pending.states);
            if let Some(committed) = &states.committed {
                state = Some(committed.clone());
                drop(states);
                chain.pop();
                break;
            }
            if !pending.is_stored() {
                return Err(NoState::Unknown);
            }
            let Some(predecessor) = states.predecessor.clone() else {
                state.clone_from(&states.decided_on);
                break;
            };
            drop(states);
            chain.push(predecessor);
        }
        for pending in chain.iter().rev() {
            state = Some(pending.commit(state.as_ref())?);
        }
        state.ok_or(NoState::Unknown)
    }

    /// Folds the events, with their times of recording, onto the committed state before them.
    fn commit(
        self: &Arc<Self>,
        state: Option<&Aggregation<A>>,
    ) -> Result<Aggregation<A>, NoState<A>> {
        self.alone(|events| {
            // Another task may have been faster.
            if let Some(committed) = &lock(&self.states).committed {
                return Ok(committed.clone());
            }
            // It is stored, so the time is known.
            if let Some(time) = self.settled.get().copied().flatten() {
                let guessed = std::mem::take(events).into_iter();
                *events = guessed.map(|event| event.with_recorded_at(time)).collect();
            }
            let committed = self.fold(state, events)?;
            let former = std::mem::replace(
                &mut *lock(&self.states),
                States {
                    predecessor: None,
                    decided_on: None,
                    speculative: None,
                    committed: Some(committed.clone()),
                },
            );
            // Dropped outside the lock of the states: dropping them runs the user's code.
            drop(former);
            Ok(committed)
        })
    }

    /// Runs `work` on the events, unless another task is working on them.
    fn alone<T>(
        self: &Arc<Self>,
        work: impl FnOnce(&mut Vec<RecordedEvent<A::Event>>) -> Result<T, NoState<A>>,
    ) -> Result<T, NoState<A>> {
        if self.folding.swap(true, Ordering::SeqCst) {
            return Err(NoState::Busy(Arc::clone(self)));
        }
        let done = FoldingDone(self);
        let result = work(&mut lock(&self.events));
        drop(done);
        result
    }

    /// Folds events. A panic of the aggregate becomes an error: the events may be stored, and other decisions may need the
    /// state after them.
    fn fold(
        &self,
        state: Option<&Aggregation<A>>,
        events: &[RecordedEvent<A::Event>],
    ) -> Result<Aggregation<A>, NoState<A>> {
        folded(self.log_id, state, events).map_err(NoState::Failed)
    }
}

/// Returns the state after some events.
pub(in crate::manager) fn folded<A: Aggregate>(
    log_id: LogId,
    state: Option<&Aggregation<A>>,
    events: &[RecordedEvent<A::Event>],
) -> Result<Aggregation<A>, FoldError> {
    // Unwind-safe: the fold has its own copy of the aggregate, and a copy that a panic leaves half-changed is not used again.
    let folding = AssertUnwindSafe(|| {
        let mut fold = state.map_or_else(|| Fold::from_the_start(log_id), Fold::from_aggregation);
        fold.apply(events)?;
        let log_not_found = crate::manager::error::LogManagerError::LogNotFound { log_id };
        fold.finish()?.ok_or(FoldError::Log(log_not_found))
    });
    catch_unwind(folding).unwrap_or_else(|panic| Err(FoldError::Panicked(text_of(&*panic))))
}

/// Lets the next task fold, also after a panic.
struct FoldingDone<'a, A: Aggregate>(&'a PendingDecision<A>);

impl<A: Aggregate> Drop for FoldingDone<'_, A> {
    fn drop(&mut self) {
        self.0.folding.store(false, Ordering::SeqCst);
        self.0.woken.notify_waiters();
    }
}

impl<A: Aggregate> Drop for PendingDecision<A> {
    /// Drops the predecessors in a loop: a hot log whose callers are all gone leaves a long chain, and dropping it recursively
    /// would overflow the stack.
    fn drop(&mut self) {
        let mut predecessor = self.take_predecessor();
        while let Some(mut pending) = predecessor {
            predecessor = Arc::get_mut(&mut pending).and_then(Self::take_predecessor);
        }
    }
}

impl<A: Aggregate> PendingDecision<A> {
    fn take_predecessor(&mut self) -> Option<Arc<Self>> {
        get_mut(&mut self.states).predecessor.take()
    }
}

impl<A: Aggregate> AppendObserver<A::Event> for PendingDecision<A> {
    fn queued(&self, events: Vec<RecordedEvent<A::Event>>) {
        *lock(&self.events) = events;
        self.queued.store(true, Ordering::Release);
    }
}

impl<A: Aggregate> AppendSettled for PendingDecision<A> {
    fn settled(&self, recorded_at: Option<DateTime<Utc>>) {
        if recorded_at.is_none() {
            self.broken.store(true, Ordering::Release);
        }
        let _ = self.settled.set(recorded_at);
        self.woken.notify_waiters();
    }
}
