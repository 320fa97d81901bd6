//! The pipelines of decisions: one per log that is being decided on.
//!
//! Decisions of one process on one log run one after another. Each holds the turn while it runs its closure and hands its
//! events over to the store, without an await in between. So the holder of the turn is always running. The next decision sees
//! the *speculative* state after those events, before they are stored ([`PendingDecision`]). A store that supports pipelined
//! writes stores the events in the order in which they were handed over, together where it can. If one write fails, so do all
//! that build on it.
//!
//! Calls get the turn in the order of arrival. Waiting for it blocks no thread. A slow closure holds up only its own log.

use crate::aggregate::Aggregate;
use crate::ids::LogId;
use crate::manager::decide::pending::PendingDecision;
use crate::sync::lock;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// The pipelines of all logs that are being decided on.
pub(in crate::manager) struct Pipelines<A: Aggregate> {
    /// Locked for a lookup or a change, never while a decision runs.
    logs: Mutex<HashMap<LogId, Arc<Pipeline<A>>>>,
}

/// The decisions on one log.
pub(in crate::manager) struct Pipeline<A: Aggregate> {
    /// The turn: held by the decision that runs. This mutex is fair.
    running: tokio::sync::Mutex<()>,
    /// The decision that was handed over last. Locked for a lookup or a change.
    newest: Mutex<Option<Arc<PendingDecision<A>>>>,
    /// The number of writes that were handed over so far, or are about to be.
    handed_over: AtomicU64,
}

/// Keeps the pipeline of a log alive while a call of `decide` runs. The last guard to be dropped removes the pipeline.
pub(in crate::manager) struct PipelineGuard<'a, A: Aggregate> {
    pipelines: &'a Pipelines<A>,
    log_id: LogId,
    pipeline: Arc<Pipeline<A>>,
    /// The number of writes that were handed over before the call began.
    entered_after: u64,
}

impl<A: Aggregate> Default for Pipelines<A> {
    fn default() -> Self {
        Self {
            logs: Mutex::new(HashMap::new()),
        }
    }
}

impl<A: Aggregate> Pipelines<A> {
    /// Enters the pipeline of a log.
    pub(in crate::manager) fn enter(&self, log_id: LogId) -> PipelineGuard<'_, A> {
        let pipeline = Arc::clone(lock(&self.logs).entry(log_id).or_insert_with(|| {
            Arc::new(Pipeline {
                running: tokio::sync::Mutex::new(()),
                newest: Mutex::new(None),
                handed_over: AtomicU64::new(0),
            })
        }));
        let entered_after = pipeline.handed_over.load(Ordering::SeqCst);
        PipelineGuard {
            pipelines: self,
            log_id,
            pipeline,
            entered_after,
        }
    }

    /// Removes the pipeline of a log, so that calls that begin from now on get a new one. Calls in the old one go on in it.
    pub(in crate::manager) fn forget(&self, log_id: LogId) {
        lock(&self.logs).remove(&log_id);
    }
}

impl<A: Aggregate> PipelineGuard<'_, A> {
    /// Waits for the turn of this call: no other decision in this pipeline runs while the returned mutex guard is held. That
    /// guard must not be held across an await.
    pub(in crate::manager) async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.pipeline.running.lock().await
    }

    /// Returns the decision that was handed over last, if another one can build on it.
    pub(in crate::manager) fn newest(&self) -> Option<Arc<PendingDecision<A>>> {
        let newest = lock(&self.pipeline.newest);
        newest
            .as_ref()
            .filter(|pending| pending.can_build_on())
            .cloned()
    }

    /// Returns the number of the next write. To be called before the write is handed over.
    pub(in crate::manager) fn next_number(&self) -> u64 {
        self.pipeline.handed_over.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// Returns `true` if a decision was handed over after this call began. In that case its commit, if there was one, also came
    /// after this call began.
    pub(in crate::manager) fn saw_handed_over(&self, pending: &PendingDecision<A>) -> bool {
        pending.number() > self.entered_after
    }

    /// Lets the next decision build on this one.
    pub(in crate::manager) fn hand_over(&self, pending: &Arc<PendingDecision<A>>) {
        let pending = Arc::clone(pending);
        let former = lock(&self.pipeline.newest).replace(pending);
        // Outside the lock: it may be the last handle on many decisions.
        drop(former);
    }

    /// Lets no further decision build on this one, because the log does not continue with it.
    pub(in crate::manager) fn forget(&self, pending: &Arc<PendingDecision<A>>) {
        let former = lock(&self.pipeline.newest).take_if(|newest| Arc::ptr_eq(newest, pending));
        drop(former);
    }
}

impl<A: Aggregate> Drop for PipelineGuard<'_, A> {
    fn drop(&mut self) {
        let mut logs = lock(&self.pipelines.logs);
        // Two handles are left: the map's and this guard's. New ones are made only under the lock that is held here. After
        // `forget`, the map may have another pipeline.
        let own = logs.get(&self.log_id);
        if own.is_some_and(|own| Arc::ptr_eq(own, &self.pipeline))
            && Arc::strong_count(&self.pipeline) <= 2
        {
            logs.remove(&self.log_id);
        }
    }
}
