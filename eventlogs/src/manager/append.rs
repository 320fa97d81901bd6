//! Writing events.

use super::{AppendOptions, CreateOptions, LogManager, LogManagerError};
use crate::ids::LogId;
use crate::stores::{AppendError, AppendRequest};
use crate::{Aggregate, LogState};
use std::slice;
use tracing::Instrument;

impl<A: Aggregate> LogManager<A> {
    /// Creates a log with its first event, in one round trip.
    ///
    /// A future dropped before it first waits has written nothing; after that the log may exist or not, which a retry
    /// with the same idempotency key finds out.
    ///
    /// # Errors
    /// - [`LogAlreadyExists`](LogManagerError::LogAlreadyExists) if the log has events.
    /// - [`IdempotentReplay`](LogManagerError::IdempotentReplay) if the key was used before, on this log or another: the
    ///   error holds the log that was created then.
    /// - [`Invalid`](LogManagerError::Invalid), [`Encode`](LogManagerError::Encode) and
    ///   [`Store`](LogManagerError::Store) as they say themselves.
    pub async fn create(
        &self,
        log_id: &LogId,
        event: &A::Event,
        options: &CreateOptions,
    ) -> Result<LogState, LogManagerError> {
        let mut request = AppendRequest::create(*log_id, slice::from_ref(event));
        request.idempotency_key = options.idempotency_key.as_deref();
        request.occurred_at = options.occurred_at;
        request.log_type = Some(A::name());
        let span = tracing::info_span!("create", aggregate = A::name(), %log_id);
        let appended = self.inner.store.append(request).instrument(span).await?;
        Ok(appended.state)
    }

    /// Appends one event behind the state it was decided on, in one round trip.
    ///
    /// `state` is an [`Aggregation`](crate::Aggregation), or the [`LogState`] that the last write returned or that was
    /// kept from an aggregation.
    ///
    /// A future dropped before it first waits has written nothing; after that the event may be stored or not, which a
    /// retry with the same idempotency key finds out.
    ///
    /// # Errors
    /// - [`ConcurrentAppend`](LogManagerError::ConcurrentAppend) if the log does not end at `state` any more: reduce it
    ///   again, decide whether the event still makes sense, and append that. [`decide`](LogManager::decide) does it.
    /// - [`IdempotentReplay`](LogManagerError::IdempotentReplay) if the key was used before on this log,
    ///   [`IdempotencyKeyReused`](LogManagerError::IdempotencyKeyReused) if it was on another one.
    /// - [`LogNotFound`](LogManagerError::LogNotFound) if the log has no events.
    /// - [`Invalid`](LogManagerError::Invalid), [`Encode`](LogManagerError::Encode) and
    ///   [`Store`](LogManagerError::Store) as they say themselves.
    pub async fn append(
        &self,
        state: impl Into<LogState>,
        event: &A::Event,
        options: &AppendOptions,
    ) -> Result<LogState, LogManagerError> {
        self.append_all(state, slice::from_ref(event), options)
            .await
    }

    /// Appends several events as one: all of them, next to each other, or none. One round trip.
    ///
    /// # Errors
    /// Those of [`append`](LogManager::append).
    pub async fn append_all(
        &self,
        state: impl Into<LogState>,
        events: &[A::Event],
        options: &AppendOptions,
    ) -> Result<LogState, LogManagerError> {
        let state = state.into();
        let mut request = AppendRequest::after(state, events);
        request.idempotency_key = options.idempotency_key.as_deref();
        request.occurred_at = options.occurred_at;
        let span = tracing::info_span!("append", aggregate = A::name(), log_id = %state.log_id(), events = events.len());
        match self.inner.store.append(request).instrument(span).await {
            Ok(appended) => Ok(appended.state),
            Err(AppendError::Replay(replay)) if replay.state.log_id() != state.log_id() => {
                Err(LogManagerError::reused(replay))
            }
            Err(error) => Err(error.into()),
        }
    }
}
