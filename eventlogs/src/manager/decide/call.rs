//! One call of `decide`: the states it decides on, and its requests to the store.

use crate::aggregate::Aggregate;
use crate::aggregation::Aggregation;
use crate::ids::LogId;
use crate::log_state::LogPosition;
use crate::manager::LogManager;
use crate::manager::append::check_retired;
use crate::manager::deadline;
use crate::manager::decide::decided::Written;
use crate::manager::decide::outcome::{DecisionOutcome, IntoEvents};
use crate::manager::decide::pending::{NoState, PendingDecision};
use crate::manager::decide::pipeline::PipelineGuard;
use crate::manager::error::LogManagerError;
use crate::manager::write_options::DecideOptions;
use crate::metadata::Metadata;
use crate::record::RecordedEvent;
use crate::shared_error::SharedError;
use crate::stores::error::AppendError;
use crate::stores::error::store::StoreError;
use crate::stores::request::{AppendObserver, AppendRequest, Appended};
use futures_util::future::BoxFuture;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;
use tokio::sync::MutexGuard;

/// A state that the closure decides on.
pub(super) struct DecisionState<A: Aggregate> {
    /// The state; `None` if there is no log yet and it may be created.
    pub(super) aggregation: Option<Aggregation<A>>,
    /// `true` if the store has confirmed it in this call. A cached state may be out of date.
    pub(super) verified: bool,
    /// The decision whose events the state includes before they are stored; with one, the state is speculative.
    pub(super) predecessor: Option<Arc<PendingDecision<A>>>,
}

impl<A: Aggregate> DecisionState<A> {
    /// The end of the log in this state; `None` if there is no log.
    pub(super) fn end(&self) -> Option<LogPosition> {
        self.aggregation.as_ref().map(Aggregation::position)
    }

    /// The index of the last event in this state; `None` if there is no log.
    pub(super) fn index(&self) -> Option<u64> {
        self.aggregation.as_ref().map(Aggregation::through_index)
    }

    /// A state that the store has confirmed.
    const fn verified(aggregation: Option<Aggregation<A>>) -> Self {
        Self {
            aggregation,
            verified: true,
            predecessor: None,
        }
    }

    /// A state that may be out of date.
    const fn cached(aggregation: Aggregation<A>) -> Self {
        Self {
            aggregation: Some(aggregation),
            verified: false,
            predecessor: None,
        }
    }
}

impl<A: Aggregate> Clone for DecisionState<A> {
    // Written by hand: a derived `Clone` would demand `A: Clone`, but this only clones a pointer.
    fn clone(&self) -> Self {
        Self {
            aggregation: self.aggregation.clone(),
            verified: self.verified,
            predecessor: self.predecessor.clone(),
        }
    }
}

/// The result of one turn.
pub(super) enum Step<'a, A: Aggregate, R> {
    /// There is no state to decide on yet.
    NeedsState,
    /// The state after the predecessor is not available yet.
    Waits(Obstacle<A>),
    /// The closure returned events, and they were handed over to the store.
    Sent(Write<'a, A>, DecisionState<A>),
    /// The closure returned no events.
    Nothing(DecisionState<A>),
    /// The closure refused.
    Refused(R, DecisionState<A>),
    /// The log does not end where the caller expects. The closure was not called.
    OtherIndex(DecisionState<A>),
}

/// Why the state after a predecessor is not available yet.
pub(super) enum Obstacle<A: Aggregate> {
    /// Its events are being folded; wait until that is done.
    Folding(Arc<PendingDecision<A>>),
    /// Its events cannot be folded before their outcome is known.
    Unsettled(Arc<PendingDecision<A>>),
}

/// Events that were handed over to the store.
pub(super) struct Write<'a, A: Aggregate> {
    /// The decision, for the next one to build on.
    pub(super) pending: Arc<PendingDecision<A>>,
    /// The append, which has been polled once.
    pub(super) append: Polled<'a, A>,
}

/// The store's answer to an append.
pub(super) type Answer<A> = Result<Appended<<A as Aggregate>::Event>, AppendError>;

/// An append that has been polled once.
pub(super) enum Polled<'a, A: Aggregate> {
    /// The store has answered.
    Ready(Answer<A>),
    /// The store has queued the events, or has no room for them yet.
    Pending(BoxFuture<'a, Answer<A>>),
}

/// One call of `decide`.
pub(super) struct Call<'a, A: Aggregate> {
    pub(super) manager: &'a LogManager<A>,
    pub(super) log_id: LogId,
    pub(super) options: &'a DecideOptions,
    /// `true` to decide on the default aggregate if there is no log.
    pub(super) create_if_missing: bool,
    /// The metadata of the events, completed once for all attempts.
    pub(super) metadata: Metadata,
    /// The pipeline of the log.
    pub(super) pipeline: PipelineGuard<'a, A>,
}

/// The result of the closure.
enum Asked<E, R> {
    Nothing,
    Refused(R),
    Events(Vec<E>),
    OtherIndex,
}

impl<'a, A: Aggregate> Call<'a, A> {
    /// Waits for the turn of this call, unless the deadline has passed.
    pub(super) async fn turn(&self) -> Result<MutexGuard<'_, ()>, LogManagerError> {
        let passed = |deadline| deadline <= Instant::now();
        if self.options.deadline.is_some_and(passed) {
            return Err(StoreError::DeadlineExceeded.into());
        }
        self.in_time(async { Ok(self.pipeline.turn().await) }).await
    }

    /// Runs the closure and hands its events over to the store, without an await. To be called while this call has the turn.
    ///
    /// `known` is a state without the writes that are not stored yet, if one is known.
    pub(super) fn take_turn<D, O>(
        &self,
        context: &mut Context<'_>,
        known: Option<&DecisionState<A>>,
        decision: &mut D,
    ) -> Step<'a, A, O::Refusal>
    where
        D: FnMut(&A, Option<u64>) -> O,
        O: DecisionOutcome<Events: IntoEvents<A::Event>>,
    {
        let speculative = match self.speculative(known) {
            Ok(speculative) => speculative,
            Err(obstacle) => return Step::Waits(obstacle),
        };
        if let Some(known) = known.filter(|known| known.verified) {
            match self.ask(known, decision) {
                // Writes that other calls have handed over meanwhile come first: the closure has to see them as well.
                Asked::Events(_) if speculative.is_some() => {}
                asked => return self.step(context, known.clone(), asked),
            }
        }
        let Some(state) = speculative.or_else(|| known.cloned()) else {
            return Step::NeedsState;
        };
        let asked = self.ask(&state, decision);
        self.step(context, state, asked)
    }

    /// Runs the closure, unless the log does not end where the caller expects.
    fn ask<O: DecisionOutcome<Events: IntoEvents<A::Event>>>(
        &self,
        state: &DecisionState<A>,
        decision: &mut impl FnMut(&A, Option<u64>) -> O,
    ) -> Asked<A::Event, O::Refusal> {
        let index = state.index();
        let expected = self.options.expected_index;
        if expected.is_some() && expected != index {
            return Asked::OtherIndex;
        }
        let decided = match &state.aggregation {
            Some(aggregation) => decision(aggregation.aggregate(), index),
            None => decision(&A::default(), index),
        };
        // Collected immediately: what the closure returned need not be `Send`, so it cannot be held across an await.
        match decided.into_result().map(IntoEvents::into_events) {
            Ok(events) if events.is_empty() => Asked::Nothing,
            Ok(events) => Asked::Events(events),
            Err(refusal) => Asked::Refused(refusal),
        }
    }

    /// Makes the error for a log that does not end where the caller expects.
    pub(super) fn other_index(&self, state: &DecisionState<A>) -> LogManagerError {
        LogManagerError::UnexpectedIndex {
            log_id: self.log_id,
            expected: self.options.expected_index.unwrap_or_default(),
            found: state.index(),
        }
    }

    /// Returns the state after the newest decision of this process that is not stored yet, if it is newer than `known`.
    pub(super) fn speculative(
        &self,
        known: Option<&DecisionState<A>>,
    ) -> Result<Option<DecisionState<A>>, Obstacle<A>> {
        let Some(newest) = self.pipeline.newest() else {
            return Ok(None);
        };
        let latest = match newest.latest() {
            Ok(latest) => latest,
            Err(NoState::Busy(pending)) => return Err(Obstacle::Folding(pending)),
            // The fold may succeed when the final time of recording is known.
            Err(_) if !newest.is_settled() => return Err(Obstacle::Unsettled(newest)),
            Err(_) => return Ok(None),
        };
        // The store may have been read after events that this process has not written.
        let known = known.and_then(|known| known.aggregation.as_ref());
        let is_newer = known.is_none_or(|known| latest.through_index() >= known.through_index());
        Ok(is_newer.then_some(DecisionState {
            aggregation: Some(latest),
            verified: false,
            predecessor: Some(newest),
        }))
    }

    fn step<R>(
        &self,
        context: &mut Context<'_>,
        state: DecisionState<A>,
        asked: Asked<A::Event, R>,
    ) -> Step<'a, A, R> {
        match asked {
            Asked::Nothing => Step::Nothing(state),
            Asked::Refused(refusal) => Step::Refused(refusal, state),
            Asked::Events(events) => self.send(context, state, events),
            Asked::OtherIndex => Step::OtherIndex(state),
        }
    }

    /// Hands events over to the store, and lets the next decision build on them if the store supports that.
    fn send<R>(
        &self,
        context: &mut Context<'_>,
        state: DecisionState<A>,
        events: Vec<A::Event>,
    ) -> Step<'a, A, R> {
        let number = self.pipeline.next_number();
        let (decided_on, predecessor) = (state.aggregation.clone(), state.predecessor.clone());
        let pending = PendingDecision::new(self.log_id, number, decided_on, predecessor);
        let observer = Arc::clone(&pending) as Arc<dyn AppendObserver<A::Event>>;
        let mut append = self.append(state.aggregation.as_ref(), events, observer);
        let append = match append.as_mut().poll(context) {
            Poll::Ready(answer) => Polled::Ready(answer),
            Poll::Pending => Polled::Pending(append),
        };
        if pending.is_queued() {
            self.pipeline.hand_over(&pending);
        }
        Step::Sent(Write { pending, append }, state)
    }

    fn append(
        &self,
        decided_on: Option<&Aggregation<A>>,
        events: Vec<A::Event>,
        observer: Arc<dyn AppendObserver<A::Event>>,
    ) -> BoxFuture<'a, Answer<A>> {
        let (manager, log_id, options) = (self.manager, self.log_id, self.options);
        let state = decided_on.map(Aggregation::state);
        let metadata = self.metadata.clone();
        Box::pin(async move {
            let mut request = match state {
                Some(state) => AppendRequest::after(state, &events),
                None => AppendRequest::create(log_id, &events),
            };
            check_retired::<A>(&events)?;
            request.context = options.context(log_id, metadata);
            request.observer = Some(observer);
            // The closure's own events must not be folded: a codec may change an event.
            request.return_events = true;
            manager.inner.store.append(request).await
        })
    }

    /// Returns the first state to decide on: without a read, if there is a cached one.
    pub(super) async fn first_state(&self) -> Result<DecisionState<A>, LogManagerError> {
        // A state that waits to be written to the cache is newer than the cached one. It may never be cached.
        let newest = self.manager.inner.cache_writer.queued(self.log_id);
        let cached = match newest {
            Some(newest) => Some(newest),
            None => self.manager.cached(self.log_id).await,
        };
        match cached {
            Some(aggregation) => Ok(DecisionState::cached(aggregation)),
            None => self.read(None).await,
        }
    }

    /// Has the store confirm a state, or returns the current one.
    ///
    /// A commit replaces a read only if its write was handed over after this call began. The answer to an older write may have
    /// taken long: another process may have appended, and may have its answer, before this call began.
    pub(super) async fn verify(
        &self,
        state: DecisionState<A>,
    ) -> Result<DecisionState<A>, LogManagerError> {
        let Some(predecessor) = state.predecessor else {
            return self.read(state.aggregation).await;
        };
        self.in_time(async { Ok(predecessor.wait().await) }).await?;
        match self.committed(&predecessor).await? {
            Some(aggregation) if self.pipeline.saw_handed_over(&predecessor) => {
                Ok(DecisionState::verified(Some(aggregation)))
            }
            Some(aggregation) => self.read(Some(aggregation)).await,
            None => self.read(self.manager.cached(self.log_id).await).await,
        }
    }

    /// Reads the events that other writes have appended.
    pub(super) async fn verify_after_conflict(
        &self,
        state: DecisionState<A>,
    ) -> Result<DecisionState<A>, LogManagerError> {
        let earlier = match state.predecessor {
            // A speculative state that was never stored must not be continued.
            Some(predecessor) => match self.committed(&predecessor).await? {
                Some(committed) => Some(committed),
                None => self.manager.cached(self.log_id).await,
            },
            None => state.aggregation,
        };
        self.read(earlier).await
    }

    /// Returns the state without events that may not be stored: the committed state once the predecessor is settled, or a
    /// cached one if that is not known.
    pub(super) async fn without_speculation(
        &self,
        state: DecisionState<A>,
    ) -> Result<DecisionState<A>, LogManagerError> {
        let Some(predecessor) = state.predecessor else {
            return Ok(state);
        };
        self.in_time(async { Ok(predecessor.wait().await) }).await?;
        match self.committed(&predecessor).await? {
            Some(committed) => Ok(DecisionState::cached(committed)),
            None => self.first_state().await,
        }
    }

    /// Returns the committed state after a decision that is stored, or `None` if the log has to be read.
    pub(super) async fn committed_after(
        &self,
        pending: &Arc<PendingDecision<A>>,
    ) -> Result<Option<Aggregation<A>>, SharedError> {
        let committed = self.in_time(async { Ok(pending.committed().await) });
        match committed.await? {
            Ok(committed) => Ok(Some(committed)),
            Err(NoState::Failed(error)) => Err(error.into()),
            Err(NoState::Busy(_) | NoState::Unknown) => Ok(None),
        }
    }

    /// Returns the events that were appended. A store that neither returns them nor passes them to observers is read.
    pub(super) async fn appended_events(
        &self,
        written: Written,
        events: Vec<RecordedEvent<A::Event>>,
    ) -> Result<Vec<RecordedEvent<A::Event>>, SharedError> {
        if events.len() as u64 == written.event_count {
            return Ok(events);
        }
        let count = usize::try_from(written.event_count)?;
        let reading = self
            .manager
            .records(self.log_id, written.first_index, count);
        Ok(self.in_time(Box::pin(reading)).await?)
    }

    /// Returns the committed state after a decision, if the decision is stored and the state is known.
    async fn committed(
        &self,
        pending: &Arc<PendingDecision<A>>,
    ) -> Result<Option<Aggregation<A>>, LogManagerError> {
        if !pending.is_stored() {
            return Ok(None);
        }
        let committed = self.in_time(async { Ok(pending.committed().await) });
        Ok(committed.await?.ok())
    }

    /// Returns `true` if this attempt did not lose a race: its state was never stored, or was out of date before the call
    /// began, as a cached state may be.
    pub(super) fn was_outdated(&self, state: &DecisionState<A>) -> bool {
        match &state.predecessor {
            Some(predecessor) => {
                !predecessor.is_stored() || !self.pipeline.saw_handed_over(predecessor)
            }
            None => !state.verified,
        }
    }

    /// Returns the state of the log as the store has it now. It continues an earlier state.
    pub(super) async fn read(
        &self,
        earlier: Option<Aggregation<A>>,
    ) -> Result<DecisionState<A>, LogManagerError> {
        // Boxed, like every future that a decision seldom awaits: otherwise each decision would reserve memory for it.
        let caught_up = Box::pin(self.manager.catch_up(self.log_id, earlier));
        match self.in_time(caught_up).await {
            Ok(aggregation) => Ok(DecisionState::verified(Some(aggregation))),
            Err(LogManagerError::LogNotFound { .. }) if self.create_if_missing => {
                Ok(DecisionState::verified(None))
            }
            Err(error) => Err(error),
        }
    }

    /// Limits work that writes nothing to the deadline.
    pub(super) async fn in_time<T>(
        &self,
        work: impl Future<Output = Result<T, LogManagerError>>,
    ) -> Result<T, LogManagerError> {
        deadline::in_time(self.options.deadline, work).await
    }
}
