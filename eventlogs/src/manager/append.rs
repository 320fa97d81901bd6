//! Writing events.

use super::LogManager;
use crate::aggregate::Aggregate;
use crate::ids::IntoLogId;
use crate::log_state::{IntoLogState, LogPosition, LogState};
use crate::manager::error::LogManagerError;
use crate::manager::telemetry::labels::Operation;
use crate::manager::write_options::{AppendOptions, CreateOptions};
use crate::metadata::Metadata;
use crate::stores::appends::{AppendAcrossRequest, AppendPart, Appends};
use crate::stores::error::AppendError;
use crate::stores::error::invalid::InvalidAppend;
use crate::stores::request::{AppendRequest, Expected};
use std::slice;
use tracing::Instrument;

impl<A: Aggregate> LogManager<A> {
    /// Creates a log with its first event, in one round trip.
    ///
    /// If the future is dropped before it is polled, nothing is written. If it is dropped later, the log may exist or not. A
    /// retry with the same idempotency key finds out.
    ///
    /// # Errors
    /// - [`LogAlreadyExists`](LogManagerError::LogAlreadyExists) if the log has events.
    /// - [`IdempotentReplay`](LogManagerError::IdempotentReplay) if the key was used before, on this log or another one. The
    ///   error has the log that was created then.
    /// - [`IdempotencyKeyReused`](LogManagerError::IdempotencyKeyReused) if the key was used on a log of another kind, or with
    ///   another request fingerprint.
    /// - [`Invalid`](LogManagerError::Invalid) if no store accepts such a request, for instance because the event is too large.
    /// - [`Encode`](LogManagerError::Encode) if the codec cannot store the event such that it can be read again.
    /// - [`Store`](LogManagerError::Store) if the database fails, or the deadline passes.
    pub async fn create(
        &self,
        log_id: impl IntoLogId,
        event: &A::Event,
        options: &CreateOptions,
    ) -> Result<LogState<A::Event>, LogManagerError> {
        let log_id = log_id.into_log_id();
        let call = self.inner.measures.begin(Operation::Create);
        if let Err(retired) = check_retired::<A>(slice::from_ref(event)) {
            return call.end(Err(retired.into()));
        }
        let mut request = AppendRequest::create(log_id, slice::from_ref(event));
        request.context = options.context(log_id, self.complete(&options.metadata));
        let span = tracing::info_span!("create", aggregate = A::name(), %log_id);
        let key = request.context.idempotency_key;
        call.end(
            match self.inner.store.append(request).instrument(span).await {
                Ok(created) => Ok(created.state.into()),
                Err(error) => {
                    // Boxed, like every future that is seldom awaited: otherwise each call would reserve memory for it.
                    let about = self.about(log_id, key, options.deadline, error);
                    let error = options.error(Box::pin(about).await);
                    Err(self.inner.measures.counted(error))
                }
            },
        )
    }

    /// Appends one event after the state it was decided on, in one round trip.
    ///
    /// `state` is the end of the log that the caller has seen ([`IntoLogState`]): an [`Aggregation`](crate::Aggregation), the
    /// result of a [decision](crate::Decided), or the [`LogState`] that the last write returned.
    ///
    /// If the future is dropped before it is polled, nothing is written. If it is dropped later, the event may be stored or
    /// not. A retry with the same idempotency key finds out.
    ///
    /// # Errors
    /// - [`ConcurrentAppend`](LogManagerError::ConcurrentAppend) if the log does not end at `state` any more. Reduce the log
    ///   again, decide whether the event still makes sense, and append it then. [`decide`](LogManager::decide) does all that.
    /// - [`IdempotentReplay`](LogManagerError::IdempotentReplay) if the key was used before on this log.
    /// - [`IdempotencyKeyReused`](LogManagerError::IdempotencyKeyReused) if the key was used before, but not on this log, or
    ///   with another request fingerprint.
    /// - [`LogNotFound`](LogManagerError::LogNotFound) if the log has no events.
    /// - [`WrongKind`](LogManagerError::WrongKind) if the log has events of another enum.
    /// - [`Invalid`](LogManagerError::Invalid) if no store accepts such a request, for instance because an event is too large.
    /// - [`Encode`](LogManagerError::Encode) if the codec cannot store the event such that it can be read again.
    /// - [`Store`](LogManagerError::Store) if the database fails, or the deadline passes.
    pub async fn append(
        &self,
        state: impl IntoLogState<A::Event>,
        event: &A::Event,
        options: &AppendOptions,
    ) -> Result<LogState<A::Event>, LogManagerError> {
        self.append_all(state, slice::from_ref(event), options)
            .await
    }

    /// Appends several events to one log: all of them, without other events between them, or none. It takes one round trip.
    ///
    /// # Errors
    /// - Those of [`append`](LogManager::append).
    pub async fn append_all(
        &self,
        state: impl IntoLogState<A::Event>,
        events: &[A::Event],
        options: &AppendOptions,
    ) -> Result<LogState<A::Event>, LogManagerError> {
        let state = state.into_log_state();
        let log_id = state.log_id();
        let call = self.inner.measures.begin(Operation::Append);
        if let Err(retired) = check_retired::<A>(events) {
            return call.end(Err(retired.into()));
        }
        let mut request = AppendRequest::after(state, events);
        request.context = options.context(log_id, self.complete(&options.metadata));
        let span =
            tracing::info_span!("append", aggregate = A::name(), %log_id, events = events.len());
        let key = request.context.idempotency_key;
        call.end(
            match self.inner.store.append(request).instrument(span).await {
                Ok(appended) => Ok(appended.state.into()),
                Err(error) => {
                    let about = Box::pin(self.about(log_id, key, options.deadline, error));
                    let error = options.error(about.await, log_id);
                    Err(self.inner.measures.counted(error))
                }
            },
        )
    }

    /// Appends to several logs, to all of them or to none, in one round trip.
    ///
    /// The logs may belong to this manager or to other managers of the same store. The result has the new end of each log that
    /// was written to, in the order of the parts. The ends are positions without an event type, because the logs may have events
    /// of several enums.
    ///
    /// For logs of one enum, pass an array or a `Vec` of states and events. For several enums, to create logs in the same write,
    /// or to [require](Appends::require) that other logs have not moved, build [`Appends`].
    ///
    /// ```
    /// # #[cfg(all(feature = "macros", feature = "json", feature = "sqlite"))] {
    /// # use eventlogs::{Aggregate, Event, LogManager, LogManagerOptions, MemoryAggregationCache, SqliteEventStore, event_handler, ids::LogId};
    /// # #[derive(Event)] pub enum AccountEvent {
    /// #     #[event(name = "account.deposited")] Deposited { cents: u64 },
    /// #     #[event(name = "account.withdrawn")] Withdrawn { cents: u64 },
    /// # }
    /// # #[derive(Debug, Default, Clone, Aggregate)] #[aggregate(event = AccountEvent)] pub struct Account { cents: u64 }
    /// # #[event_handler(AccountEvent)] impl Account {
    /// #     #[on(Deposited)] fn deposit(&mut self, cents: u64) { self.cents += cents; }
    /// #     #[on(Withdrawn)] fn withdraw(&mut self, cents: u64) { self.cents -= cents; }
    /// # }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use AccountEvent::{Deposited, Withdrawn};
    /// # let accounts = LogManager::<Account>::new(SqliteEventStore::in_memory().await?, MemoryAggregationCache::default(), LogManagerOptions::default());
    /// # let (mine, yours) = (LogId::new(), LogId::new());
    /// # let from = accounts.create(&mine, &Deposited { cents: 900 }, &Default::default()).await?;
    /// # let to = accounts.create(&yours, &Deposited { cents: 100 }, &Default::default()).await?;
    ///
    /// let transfer = [(from, [Withdrawn { cents: 500 }]), (to, [Deposited { cents: 500 }])];
    /// accounts.append_across(transfer, &Default::default()).await?;
    /// assert_eq!(accounts.reduce(&yours).await?.aggregate().cents, 600);
    /// # Ok(()) }
    /// # }
    /// ```
    ///
    /// # Errors
    /// - [`IdempotentReplay`](LogManagerError::IdempotentReplay) if the key was used before on all these logs.
    /// - [`IdempotencyKeyReused`](LogManagerError::IdempotencyKeyReused) if the key was used before, but not on all these logs.
    ///   For instance, an earlier write used it to append to only one of them. That write did not store the events for the
    ///   other logs, so this call is not a replay of it.
    /// - [`IdempotencyKeyReused`](LogManagerError::IdempotencyKeyReused) also if the key was used with another request
    ///   fingerprint.
    /// - [`LogAlreadyExists`](LogManagerError::LogAlreadyExists) if a log to be created has events.
    /// - [`ConcurrentAppend`](LogManagerError::ConcurrentAppend) also if a required log does not end where it must, or does not
    ///   exist; or if a log exists that must not.
    /// - The others of [`append`](LogManager::append). The error names the log that caused it. If several logs caused it, it
    ///   names any one of them.
    ///
    /// The check whether the key was used on all these logs ignores the logs to be created, because a retry may have made new
    /// ids for them, and the logs that are only required. An error about a key contains a position in one log: among the logs that are not to be created, it is the
    /// first on which the key was used. A later append with the same key to one of the logs is a replay, too.
    pub async fn append_across(
        &self,
        appends: impl Into<Appends>,
        options: &AppendOptions,
    ) -> Result<Vec<LogPosition>, LogManagerError> {
        let call = self.inner.measures.begin(Operation::AppendAcross);
        let mut request = AppendAcrossRequest::new(appends.into());
        let first = request.written().next().map(AppendPart::log_id);
        if let Some(log_id) = first {
            // The check of the request refuses a key that is scoped to one log.
            request.context = options.context(log_id, self.complete(&options.metadata));
        }
        let log_of = |part: &AppendPart| (part.log_id(), part.expected() == Expected::NewLog);
        let logs: Vec<_> = request.written().map(log_of).collect();
        let key = request.context.idempotency_key;
        let span = tracing::info_span!("append_across", aggregate = A::name(), logs = logs.len());
        let appended = self.inner.store.append_across(request);
        call.end(match appended.instrument(span).await {
            Ok(states) => Ok(states),
            Err(error) => {
                let about = Box::pin(self.about_across(&logs, key, options.deadline, error));
                Err(self.inner.measures.counted(about.await))
            }
        })
    }

    /// Completes the caller's metadata from the source in the manager's options.
    pub(super) fn complete(&self, metadata: &Metadata) -> Metadata {
        let metadata = metadata.clone();
        match &self.inner.metadata {
            Some(source) => metadata.or(source.metadata()),
            None => metadata,
        }
    }
}

/// Refuses events that are retired. A store of plain values does not know that they are.
pub(super) fn check_retired<A: Aggregate>(events: &[A::Event]) -> Result<(), AppendError> {
    match events.iter().find_map(A::retired) {
        None => Ok(()),
        Some(entry) => Err(InvalidAppend::retired(entry).into()),
    }
}
