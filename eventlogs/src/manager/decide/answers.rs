//! The results that `decide` returns after its events are stored, or when there are none to store.

use crate::aggregate::Aggregate;
use crate::aggregation::Aggregation;
use crate::manager::decide::call::{Call, DecisionState};
use crate::manager::decide::decided::{Decided, Written};
use crate::manager::decide::pending::{FoldError, PendingDecision, folded, text_of};
use crate::manager::error::LogManagerError;
use crate::manager::fold::PointInTime;
use crate::manager::replays::part_of;
use crate::shared_error::SharedError;
use crate::stores::error::AppendError;
use crate::stores::idempotency::Replay;
use crate::stores::request::Appended;
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

impl<A: Aggregate> Call<'_, A> {
    /// Makes the result of a decision whose events are stored. From here on no error may say that nothing was written.
    pub(super) async fn decided(
        &self,
        pending: &Arc<PendingDecision<A>>,
        state: &DecisionState<A>,
        appended: Appended<A::Event>,
    ) -> Result<Decided<A>, LogManagerError> {
        let first_index = state.index().map_or(0, |before| before.saturating_add(1));
        let last = appended.state.index();
        let written = Written {
            first_index,
            event_count: last.saturating_sub(first_index).saturating_add(1),
            state: appended.state,
        };
        let without_state = |source| LogManagerError::StoredWithoutState {
            log_id: self.log_id,
            event_index: written.first_index,
            event_count: written.event_count,
            source,
        };
        let aggregation = self.state_after(pending, state, &appended).await;
        let aggregation = aggregation.map_err(without_state)?;
        self.manager.inner.cache_writer.offer(aggregation.clone());
        // A store that calls observers has passed the events to them.
        let events = if appended.events.is_empty() {
            pending.take_events()
        } else {
            appended.events
        };
        let events = self.appended_events(written, events).await;
        let events = events.map_err(without_state)?;
        Ok(Decided {
            aggregation,
            replay: None,
            written: Some(written),
            events: Arc::new(events),
        })
    }

    /// Returns the state after events that are stored.
    async fn state_after(
        &self,
        pending: &Arc<PendingDecision<A>>,
        state: &DecisionState<A>,
        appended: &Appended<A::Event>,
    ) -> Result<Aggregation<A>, SharedError> {
        if pending.is_queued() {
            if let Some(committed) = self.committed_after(pending).await? {
                return Ok(committed);
            }
        } else {
            let before = state.aggregation.as_ref();
            let after = folded(self.log_id, before, &appended.events)?;
            if after.through_index() == appended.state.index() {
                return Ok(after);
            }
            // The store does not return the events: they have to be read.
        }
        let at = PointInTime::Index(appended.state.index());
        let reducing = Box::pin(self.manager.reduce_until(self.log_id, at));
        let reduced = AssertUnwindSafe(self.in_time(reducing)).catch_unwind();
        match reduced.await {
            Ok(reduced) => Ok(reduced?),
            Err(panic) => Err(FoldError::Panicked(text_of(&*panic)).into()),
        }
    }

    /// Makes the result of a decision to change nothing, on a verified state.
    pub(super) async fn nothing_to_do(
        &self,
        aggregation: Option<Aggregation<A>>,
    ) -> Result<Decided<A>, LogManagerError> {
        if let Some(replayed) = self.replayed().await? {
            return Ok(replayed);
        }
        // Without a log there is no state to return.
        let log_id = self.log_id;
        let aggregation = aggregation.ok_or(LogManagerError::LogNotFound { log_id })?;
        Ok(Decided::nothing(aggregation))
    }

    /// Returns the replay if the key was used before. To be called before a refusal is returned.
    pub(super) async fn replayed(&self) -> Result<Option<Decided<A>>, LogManagerError> {
        let Some(key) = self.options.key(self.log_id) else {
            return Ok(None);
        };
        let parts = self.manager.parts_of(key, self.options.deadline).await?;
        match part_of(&parts, self.log_id).or_else(|| parts.first().copied()) {
            Some(replay) => self.replay_of(replay).await.map(Some),
            None => Ok(None),
        }
    }

    /// Makes the result of a decision whose key the store has found used.
    pub(super) async fn replay_found(
        &self,
        found: AppendError,
    ) -> Result<Decided<A>, LogManagerError> {
        let (log_id, key) = (self.log_id, self.options.key(self.log_id));
        let about = self
            .manager
            .about(log_id, key, self.options.deadline, found);
        match Box::pin(about).await {
            AppendError::Replay(replay) => self.replay_of(replay).await,
            error => Err(error.into()),
        }
    }

    async fn replay_of(&self, replay: Replay) -> Result<Decided<A>, LogManagerError> {
        if self.options.is_reused(&replay, self.log_id) {
            return Err(LogManagerError::reused(replay));
        }
        self.manager.inner.measures.replayed();
        let earlier = self.manager.cached(self.log_id).await;
        let caught_up = Box::pin(self.manager.catch_up(self.log_id, earlier));
        let aggregation = self.in_time(caught_up).await?;
        Ok(Decided {
            replay: Some(replay),
            written: Some(replay.into()),
            ..Decided::nothing(aggregation)
        })
    }
}
