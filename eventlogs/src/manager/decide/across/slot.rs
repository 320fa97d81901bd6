//! One of the logs of a decision on several logs.

use crate::aggregate::Aggregate;
use crate::aggregation::Aggregation;
use crate::event::Event;
use crate::ids::LogId;
use crate::log_state::LogPosition;
use crate::manager::LogManager;
use crate::manager::decide::across::decided::DecidedLog;
use crate::manager::decide::call::{Call, DecisionState, Obstacle};
use crate::manager::decide::decided::Written;
use crate::manager::decide::outcome::IntoEvents;
use crate::manager::decide::pending::{FoldError, PendingDecision, text_of};
use crate::manager::error::LogManagerError;
use crate::manager::fold::PointInTime;
use crate::manager::write_options::DecideOptions;
use crate::metadata::Metadata;
use crate::record::RecordedEvent;
use crate::shared_error::SharedError;
use crate::stores::appends::{AppendAcrossRequest, AppendPart};
use crate::stores::error::AppendError;
use crate::stores::error::store::StoreError;
use crate::stores::idempotency::{IdempotencyKey, Replay};
use crate::stores::request::{AppendObserver, Expected};
use crate::stores::store_id::StoreId;
use crate::sync::{get_mut, lock};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};
use tokio::sync::MutexGuard;

/// One of the logs of a decision, without the type of its aggregate. The methods only lock the slot, so that all slots of a
/// decision can be used at the same time.
pub(super) trait Slot<'a>: Send + Sync {
    /// The log.
    fn log_id(&self) -> LogId;

    /// The store of the log's manager.
    fn store_id(&self) -> StoreId;

    /// Waits for the turn of this call in the pipeline of the log.
    fn turn(&self) -> BoxFuture<'_, MutexGuard<'_, ()>>;

    /// Looks for a decision of this process on the log that is not stored yet. Returns `true` if there is one, or what to wait
    /// for before the state after it is available.
    fn look(&self) -> Result<bool, BoxFuture<'static, ()>>;

    /// Lets the closure see the state that was read, without the writes that are not stored yet.
    fn choose_known(&self);

    /// Lets the closure see the newest state of this process. Returns `false` if there is no state yet.
    fn choose_newest(&self) -> bool;

    /// Gets a first state, unless there is one.
    fn load(&self) -> BoxFuture<'_, Result<(), LogManagerError>>;

    /// Makes the part of the write for this log, with the events that the closure returned.
    fn part(&self) -> AppendPart;

    /// Lets later decisions build on the events, if the store has queued them.
    fn hand_over(&self);

    /// Drops the events of an attempt that was refused. `moved` is the log that had changed.
    fn take_back(&self, moved: LogId);

    /// Returns `true` if the state of the attempt was never stored, or was out of date before the call began.
    fn was_outdated(&self) -> bool;

    /// Replaces a speculative state by the committed one, or by the cached one if that is not known. Waits for the outcome of
    /// the decision that it includes.
    fn settle(&self) -> BoxFuture<'_, Result<(), LogManagerError>>;

    /// The end of the log in the state that was read; `None` if there is no log.
    fn end(&self) -> Option<LogPosition>;

    /// Reads the events after the known state.
    fn catch_up(&self) -> BoxFuture<'_, Result<(), LogManagerError>>;

    /// What was handed over to the store for this log; `None` if the log is only looked at.
    fn written(&self) -> Option<Written>;

    /// Computes the state after the decision, whose events are stored.
    fn conclude(&self) -> BoxFuture<'_, Result<(), SharedError>>;

    /// Takes the known state as the result: nothing was written.
    fn keep(&self);

    /// Reads the current state as the result, and notes what the earlier write has appended to this log.
    fn replay(&self, part: Option<Replay>) -> BoxFuture<'_, Result<(), LogManagerError>>;

    /// Calls the store of the log's manager: appends.
    fn append_across(
        &self,
        request: AppendAcrossRequest<'a>,
    ) -> BoxFuture<'a, Result<Vec<LogPosition>, AppendError>>;

    /// Calls the store of the log's manager: returns the ends of logs, from one snapshot.
    fn ends(
        &self,
        log_ids: Vec<LogId>,
    ) -> BoxFuture<'a, Result<Vec<Option<LogPosition>>, StoreError>>;

    /// Calls the store of the log's manager: returns the write that used a key.
    fn find_key(&self, key: IdempotencyKey<'a>) -> BoxFuture<'a, Result<Vec<Replay>, StoreError>>;
}

/// One of the logs of a decision.
pub(super) struct LogSlot<'a, A: Aggregate> {
    /// Reads, and takes turns, as a decision on one log does.
    call: Call<'a, A>,
    /// Locked for a lookup or a change, never across an await.
    state: Mutex<SlotState<A>>,
}

/// The states of a log during a decision.
struct SlotState<A: Aggregate> {
    /// A state without the writes that are not stored yet, once one is known.
    known: Option<DecisionState<A>>,
    /// The state after the newest decision of this process, as the last look found it.
    newest: Option<DecisionState<A>>,
    /// The state that the closure has decided on.
    chosen: Option<DecisionState<A>>,
    /// The events that the closure has returned.
    events: Vec<A::Event>,
    /// The events that were handed over to the store.
    sent: Option<Sent<A>>,
    /// The result.
    decided: Option<DecidedLog<A>>,
}

/// Events that were handed over to the store.
struct Sent<A: Aggregate> {
    /// The decision, for later ones to build on.
    pending: Arc<PendingDecision<A>>,
    /// What is written if the store accepts it.
    written: Written,
}

impl<A: Aggregate> Clone for Sent<A> {
    // Written by hand: a derived `Clone` would demand `A: Clone`.
    fn clone(&self) -> Self {
        Self {
            pending: Arc::clone(&self.pending),
            written: self.written,
        }
    }
}

impl<'a, A: Aggregate> LogSlot<'a, A> {
    pub(super) fn new(
        manager: &'a LogManager<A>,
        log_id: LogId,
        create_if_missing: bool,
        options: &'a DecideOptions,
    ) -> Self {
        Self {
            call: Call {
                manager,
                log_id,
                options,
                create_if_missing,
                // The write is made by the decision on all logs.
                metadata: Metadata::new(),
                pipeline: manager.inner.pipelines.enter(log_id),
            },
            state: Mutex::new(SlotState {
                known: None,
                newest: None,
                chosen: None,
                events: Vec::new(),
                sent: None,
                decided: None,
            }),
        }
    }

    /// The aggregate to decide on: the default one if there is no log.
    pub(super) fn aggregate(&self) -> Arc<A> {
        let state = lock(&self.state);
        let chosen = state.chosen.as_ref();
        let aggregation = chosen.and_then(|chosen| chosen.aggregation.as_ref());
        aggregation.map_or_else(Arc::default, Aggregation::shared_aggregate)
    }

    /// Takes the events that the closure returned. Returns `true` if there are any.
    pub(super) fn decide(&self, events: impl IntoEvents<A::Event>) -> bool {
        // Before the lock: the conversion may be the user's code.
        let events = events.into_events();
        let some = !events.is_empty();
        let former = std::mem::replace(&mut lock(&self.state).events, events);
        drop(former);
        some
    }

    /// Returns the result, once there is one.
    pub(super) fn into_decided(mut self) -> DecidedLog<A> {
        let decided = get_mut(&mut self.state).decided.take();
        decided.unwrap_or_else(|| DecidedLog::new(self.call.log_id, None, None, Vec::new()))
    }

    fn known(&self) -> Option<DecisionState<A>> {
        lock(&self.state).known.clone()
    }

    fn know(&self, known: DecisionState<A>) {
        let former = lock(&self.state).known.replace(known);
        drop(former);
    }

    fn note(&self, aggregation: Option<Aggregation<A>>, written: Option<Written>) {
        self.note_events(aggregation, written, Vec::new());
    }

    fn note_events(
        &self,
        aggregation: Option<Aggregation<A>>,
        written: Option<Written>,
        events: Vec<RecordedEvent<A::Event>>,
    ) {
        let decided = DecidedLog::new(self.call.log_id, aggregation, written, events);
        lock(&self.state).decided = Some(decided);
    }

    /// Notes the state of a log that is only looked at. The write has confirmed it, so everything that it includes is stored.
    async fn conclude_looked_at(
        &self,
        chosen: Option<DecisionState<A>>,
    ) -> Result<(), SharedError> {
        let Some(end) = chosen.as_ref().and_then(DecisionState::end) else {
            self.note(None, None);
            return Ok(());
        };
        if let Some(chosen) = chosen {
            let committed = self.call.without_speculation(chosen).await?;
            if committed.end() == Some(end) {
                self.note(committed.aggregation, None);
                return Ok(());
            }
        }
        let at = PointInTime::Index(end.index());
        let reading = self.call.manager.reduce_until(self.call.log_id, at);
        self.note(Some(self.without_panic(reading).await?), None);
        Ok(())
    }

    /// Returns the state after the events of this decision.
    async fn state_after(
        &self,
        sent: &Sent<A>,
        chosen: Option<DecisionState<A>>,
    ) -> Result<Aggregation<A>, SharedError> {
        let last = sent.written.state.index();
        if sent.pending.is_queued() {
            if let Some(committed) = self.call.committed_after(&sent.pending).await? {
                return Ok(committed);
            }
        } else {
            // The store does not return the events: they have to be read.
            let before = chosen.and_then(|chosen| chosen.aggregation);
            let reading = self.call.manager.catch_up(self.call.log_id, before);
            let after = self.without_panic(reading).await?;
            if after.through_index() == last {
                return Ok(after);
            }
        }
        let at = PointInTime::Index(last);
        let reading = self.call.manager.reduce_until(self.call.log_id, at);
        self.without_panic(reading).await
    }

    /// Reads within the deadline. A panic of the aggregate becomes an error, because the events are stored.
    async fn without_panic(
        &self,
        reading: impl Future<Output = Result<Aggregation<A>, LogManagerError>> + Send,
    ) -> Result<Aggregation<A>, SharedError> {
        let reading = self.call.in_time(Box::pin(reading));
        match AssertUnwindSafe(reading).catch_unwind().await {
            Ok(read) => Ok(read?),
            Err(panic) => Err(FoldError::Panicked(text_of(&*panic)).into()),
        }
    }
}

impl<'a, A: Aggregate<Event: Event>> Slot<'a> for LogSlot<'a, A> {
    fn log_id(&self) -> LogId {
        self.call.log_id
    }

    fn store_id(&self) -> StoreId {
        self.call.manager.inner.store.store_id()
    }

    fn turn(&self) -> BoxFuture<'_, MutexGuard<'_, ()>> {
        Box::pin(self.call.pipeline.turn())
    }

    fn look(&self) -> Result<bool, BoxFuture<'static, ()>> {
        let known = self.known();
        match self.call.speculative(known.as_ref()) {
            Ok(newest) => {
                let found = newest.is_some();
                let former = std::mem::replace(&mut lock(&self.state).newest, newest);
                drop(former);
                Ok(found)
            }
            Err(Obstacle::Folding(pending)) => Err(Box::pin(async move { pending.free().await })),
            Err(Obstacle::Unsettled(pending)) => Err(Box::pin(async move {
                pending.wait().await;
            })),
        }
    }

    fn choose_known(&self) {
        let SlotState { known, chosen, .. } = &mut *lock(&self.state);
        chosen.clone_from(known);
    }

    fn choose_newest(&self) -> bool {
        let mut state = lock(&self.state);
        state.chosen = state.newest.take().or_else(|| state.known.clone());
        state.chosen.is_some()
    }

    fn load(&self) -> BoxFuture<'_, Result<(), LogManagerError>> {
        Box::pin(async {
            if self.known().is_none() {
                self.know(self.call.first_state().await?);
            }
            Ok(())
        })
    }

    fn part(&self) -> AppendPart {
        let (events, chosen) = {
            let mut state = lock(&self.state);
            (std::mem::take(&mut state.events), state.chosen.clone())
        };
        let (aggregation, predecessor) = chosen.map_or((None, None), |chosen| {
            (chosen.aggregation, chosen.predecessor)
        });
        let log_id = self.call.log_id;
        let expected = aggregation.as_ref().map_or(Expected::NewLog, |before| {
            Expected::After(before.position())
        });
        let part = AppendPart::new(log_id, expected, events);
        if part.is_requirement() {
            return part;
        }
        let number = self.call.pipeline.next_number();
        let pending = PendingDecision::new(log_id, number, aggregation, predecessor);
        let written = Written {
            first_index: part.first_index(),
            event_count: part.event_ids().len() as u64,
            state: part.state_after(),
        };
        let observer = Arc::clone(&pending) as Arc<dyn AppendObserver<A::Event>>;
        lock(&self.state).sent = Some(Sent { pending, written });
        part.observe(observer)
    }

    fn hand_over(&self) {
        let state = lock(&self.state);
        let pending = state.sent.as_ref().map(|sent| Arc::clone(&sent.pending));
        drop(state);
        if let Some(pending) = pending.filter(|pending| pending.is_queued()) {
            self.call.pipeline.hand_over(&pending);
        }
    }

    fn take_back(&self, moved: LogId) {
        let (sent, predecessor) = {
            let mut state = lock(&self.state);
            let predecessor = state
                .chosen
                .as_ref()
                .and_then(|chosen| chosen.predecessor.clone());
            (state.sent.take(), predecessor)
        };
        if let Some(sent) = sent {
            self.call.pipeline.forget(&sent.pending);
        }
        // Another write was appended after it. On the other logs, later decisions may build on what is in flight.
        if let Some(predecessor) = predecessor.filter(|_| moved == self.call.log_id) {
            self.call.pipeline.forget(&predecessor);
        }
    }

    fn was_outdated(&self) -> bool {
        let chosen = lock(&self.state).chosen.clone();
        chosen.is_some_and(|chosen| self.call.was_outdated(&chosen))
    }

    fn settle(&self) -> BoxFuture<'_, Result<(), LogManagerError>> {
        Box::pin(async {
            let chosen = lock(&self.state).chosen.clone();
            let Some(chosen) = chosen else { return Ok(()) };
            self.know(self.call.without_speculation(chosen).await?);
            Ok(())
        })
    }

    fn end(&self) -> Option<LogPosition> {
        lock(&self.state).known.as_ref()?.end()
    }

    fn catch_up(&self) -> BoxFuture<'_, Result<(), LogManagerError>> {
        Box::pin(async {
            let earlier = self.known().and_then(|known| known.aggregation);
            self.know(self.call.read(earlier).await?);
            Ok(())
        })
    }

    fn written(&self) -> Option<Written> {
        lock(&self.state).sent.as_ref().map(|sent| sent.written)
    }

    fn conclude(&self) -> BoxFuture<'_, Result<(), SharedError>> {
        Box::pin(async {
            let (sent, chosen) = {
                let state = lock(&self.state);
                (state.sent.clone(), state.chosen.clone())
            };
            let Some(sent) = sent else {
                return self.conclude_looked_at(chosen).await;
            };
            let after = self.state_after(&sent, chosen).await?;
            self.call.manager.inner.cache_writer.offer(after.clone());
            let events = sent.pending.take_events();
            let events = self.call.appended_events(sent.written, events).await?;
            self.note_events(Some(after), Some(sent.written), events);
            Ok(())
        })
    }

    fn keep(&self) {
        let aggregation = self.known().and_then(|known| known.aggregation);
        self.note(aggregation, None);
    }

    fn replay(&self, part: Option<Replay>) -> BoxFuture<'_, Result<(), LogManagerError>> {
        Box::pin(async move {
            let earlier = self.call.manager.cached(self.call.log_id).await;
            let current = self.call.read(earlier).await?.aggregation;
            self.note(current, part.map(Written::from));
            Ok(())
        })
    }

    fn append_across(
        &self,
        request: AppendAcrossRequest<'a>,
    ) -> BoxFuture<'a, Result<Vec<LogPosition>, AppendError>> {
        self.call.manager.inner.store.append_across(request)
    }

    fn ends(
        &self,
        log_ids: Vec<LogId>,
    ) -> BoxFuture<'a, Result<Vec<Option<LogPosition>>, StoreError>> {
        let manager = self.call.manager;
        Box::pin(async move { manager.inner.store.ends(&log_ids).await })
    }

    fn find_key(&self, key: IdempotencyKey<'a>) -> BoxFuture<'a, Result<Vec<Replay>, StoreError>> {
        self.call.manager.inner.store.find_key(key)
    }
}
