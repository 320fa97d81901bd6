//! Turns an idempotency key that was used before into the caller's error.
//!
//! A store reports the first of the logs that were written to with a key. The caller's log may be another one of them.

use super::LogManager;
use crate::aggregate::Aggregate;
use crate::ids::LogId;
use crate::manager::deadline;
use crate::manager::error::LogManagerError;
use crate::manager::telemetry::labels::Operation;
use crate::stores::error::AppendError;
use crate::stores::error::store::StoreError;
use crate::stores::idempotency::{IdempotencyKey, Replay};
use std::time::Instant;
use tracing::Instrument;

impl<A: Aggregate> LogManager<A> {
    /// Returns the write that used an idempotency key: one [`Replay`] per log that it wrote to, also if that log belongs to another
    /// manager of the store. Returns an empty vector if no write used the key. It takes one round trip.
    ///
    /// Decisions and appends look the key up themselves. This is for a caller who asks what has become of a request, without
    /// repeating it. While another call writes with the key, the result may still be empty.
    ///
    /// ```
    /// # use eventlogs::caches::fake::FakeAggregationCache;
    /// # use eventlogs::stores::fake::FakeEventStore;
    /// # use eventlogs::__example::{Counter, CounterEvent};
    /// # use eventlogs::{CreateOptions, LogManager, LogManagerOptions, ids::LogId};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), eventlogs::LogManagerError> {
    /// # let counters = LogManager::<Counter>::new(FakeEventStore::new(), FakeAggregationCache::new(), LogManagerOptions::default());
    /// let id = LogId::new();
    /// counters.create(id, &CounterEvent::Added { amount: 1 }, &CreateOptions::with_key("request 17")).await?;
    ///
    /// let found = counters.find_key("request 17").await?;
    /// assert_eq!(found[0].state.log_id(), id);
    /// assert!(counters.find_key("request 18").await?.is_empty());
    /// # Ok(()) }
    /// ```
    ///
    /// A key that is unique within one log is `IdempotencyKey::new("invoice-7").in_log(log_id)`.
    ///
    /// # Errors
    /// - [`Invalid`](LogManagerError::Invalid) if the key is empty or too long.
    /// - [`Store`](LogManagerError::Store) if the database fails.
    pub async fn find_key<'k>(
        &self,
        key: impl Into<IdempotencyKey<'k>>,
    ) -> Result<Vec<Replay>, LogManagerError> {
        let key = key.into();
        let call = self.inner.measures.begin(Operation::FindKey);
        let span = tracing::info_span!("find_key", aggregate = A::name());
        let finding = async {
            key.check().map_err(LogManagerError::Invalid)?;
            Ok(self.inner.store.find_key(key).await?)
        };
        call.end(finding.instrument(span).await)
    }

    /// Completes the error of a write to a log: a replay gets the position in that log, if the key was used on it.
    ///
    /// This takes one more round trip if the store reported another log.
    pub(super) async fn about(
        &self,
        log_id: LogId,
        key: Option<IdempotencyKey<'_>>,
        deadline: Option<Instant>,
        error: AppendError,
    ) -> AppendError {
        match (error, key) {
            (AppendError::Replay(found), Some(key)) if found.state.log_id() != log_id => {
                match self.parts_of(key, deadline).await {
                    Ok(parts) => AppendError::Replay(part_of(&parts, log_id).unwrap_or(found)),
                    Err(error) => error.into(),
                }
            }
            (error, _) => error,
        }
    }

    /// Makes the error of a write to several logs. Each log that is written to is given with `true` if it is to be created. Logs
    /// that are only required are not given: the write with the key need not have been about them.
    ///
    /// It is a replay if the key was used on all logs that existed before. A log to be created may have another id in each
    /// attempt, because the caller may make a new id, as with [`create`](LogManager::create).
    pub(super) async fn about_across(
        &self,
        logs: &[(LogId, bool)],
        key: Option<IdempotencyKey<'_>>,
        deadline: Option<Instant>,
        error: AppendError,
    ) -> LogManagerError {
        let (found, key) = match (error, key) {
            (AppendError::Replay(found), Some(key)) => (found, key),
            (error, _) => return error.into(),
        };
        let parts = match self.parts_of(key, deadline).await {
            Ok(parts) => parts,
            Err(error) => return error.into(),
        };
        let part_of = |log_id| part_of(&parts, log_id);
        let part = logs.iter().find_map(|(log_id, _)| part_of(*log_id));
        let part = part.unwrap_or(found);
        let all = logs
            .iter()
            .all(|(log_id, is_new)| *is_new || part_of(*log_id).is_some());
        if all && !part.is_of_another_request(key.request_fingerprint) {
            LogManagerError::replay(part)
        } else {
            LogManagerError::reused(part)
        }
    }

    /// Returns the parts of the write with a key: one per log.
    pub(super) async fn parts_of(
        &self,
        key: IdempotencyKey<'_>,
        deadline: Option<Instant>,
    ) -> Result<Vec<Replay>, StoreError> {
        deadline::in_time(deadline, self.inner.store.find_key(key)).await
    }
}

/// Returns the part for a log.
pub(super) fn part_of(parts: &[Replay], log_id: LogId) -> Option<Replay> {
    let part = parts.iter().find(|part| part.state.log_id() == log_id);
    part.copied()
}
