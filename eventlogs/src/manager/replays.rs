//! What a key that was used before means for a caller.
//!
//! A store reports the first of the logs that were written to with a key. A caller asks about a log of its own, which may be
//! another one of them.

use super::LogManager;
use crate::aggregate::Aggregate;
use crate::ids::LogId;
use crate::manager::deadline;
use crate::manager::error::LogManagerError;
use crate::stores::error::AppendError;
use crate::stores::error::store::StoreError;
use crate::stores::idempotency::{IdempotencyKey, Replay};
use std::time::Instant;

impl<A: Aggregate> LogManager<A> {
    /// The error of a write to a log; a replay is that of the log itself, if the key was used on it. One more round trip, only
    /// if the key was used on another log as well.
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

    /// The same for a write to several logs, each of which may be a new one.
    ///
    /// It is a replay if the key's write went to all of them that were there before. One that is created has another id each
    /// time, if the caller makes one, as with [`create`](LogManager::create).
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

    /// What was written with a key, log by log.
    pub(super) async fn parts_of(
        &self,
        key: IdempotencyKey<'_>,
        deadline: Option<Instant>,
    ) -> Result<Vec<Replay>, StoreError> {
        deadline::in_time(deadline, self.inner.store.find_key(key)).await
    }
}

/// The part for a log.
pub(super) fn part_of(parts: &[Replay], log_id: LogId) -> Option<Replay> {
    let part = parts.iter().find(|part| part.state.log_id() == log_id);
    part.copied()
}
