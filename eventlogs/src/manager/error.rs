//! What a [`LogManager`](crate::LogManager) reports.

use crate::caches::CacheError;
use crate::ids::LogId;
use crate::log_state::LogPosition;
use crate::manager::telemetry;
use crate::stores::error::invalid::InvalidAppend;
use crate::stores::error::store::StoreError;
use crate::stores::error::{AppendError, DecodeError, EncodeError, ReadError};
use crate::stores::idempotency::Replay;

/// Why an operation did not happen. Unless a variant says otherwise, nothing was written: only
/// [`StoredWithoutState`](LogManagerError::StoredWithoutState) and [`StoreError::OutcomeUnknown`] do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogManagerError {
    /// The idempotency key was used before: the operation has already happened, and nothing was done now.
    #[error(
        "this idempotency key was already used for event {event_index} of log {log_id}; take that as the outcome"
    )]
    #[non_exhaustive]
    IdempotentReplay {
        /// The log that the key was used on.
        log_id: LogId,
        /// The index of the first event that was written with the key.
        event_index: u64,
        /// How many events were written with the key.
        event_count: u64,
        /// Where the log ended right after that write.
        state: LogPosition,
    },
    /// The idempotency key was used before for something else: on other logs, on one of another kind, or with another request
    /// fingerprint.
    #[error(
        "this idempotency key was already used for something else, event {event_index} of log {log_id}; use a fresh key"
    )]
    #[non_exhaustive]
    IdempotencyKeyReused {
        /// The log that the key was used on.
        log_id: LogId,
        /// The index of the first event that was written with the key.
        event_index: u64,
    },
    /// Somebody else appended first, or the log no longer holds the event that the append was based on.
    #[error(
        "log {log_id} changed before event {event_index} could be appended; reduce it again and decide anew"
    )]
    #[non_exhaustive]
    ConcurrentAppend {
        /// The log.
        log_id: LogId,
        /// The index that the event would have had.
        event_index: u64,
    },
    /// A log was to be created that has events.
    #[error("log {log_id} already exists; reduce it and append, or use a new id")]
    #[non_exhaustive]
    LogAlreadyExists {
        /// The log.
        log_id: LogId,
    },
    /// The log has no events, or had none at the time asked for.
    #[error("log {log_id} does not exist; check the id, or create the log first")]
    #[non_exhaustive]
    LogNotFound {
        /// The log.
        log_id: LogId,
    },
    /// The log has events of another enum: an id of an order was given where one of a payment is expected, say.
    #[error(
        "log {log_id} is of the kind `{found}`, not of the kind `{expected}`; check the id, and what it is the id of"
    )]
    #[non_exhaustive]
    WrongKind {
        /// The log.
        log_id: LogId,
        /// The kind of the log.
        found: String,
        /// The kind that the events of this manager have.
        expected: &'static str,
    },
    /// The call itself is at fault.
    #[error(transparent)]
    Invalid(InvalidAppend),
    /// An event cannot be stored.
    #[error(transparent)]
    Encode(EncodeError),
    /// A stored event cannot be read by this code.
    #[error(transparent)]
    Decode(Box<DecodeError>),
    /// The log's indices do not rise by one from zero, so its fold would be wrong.
    #[error(
        "log {log_id} is damaged: expected event {expected}, found event {found}; restore it from a backup"
    )]
    #[non_exhaustive]
    BrokenLog {
        /// The log.
        log_id: LogId,
        /// The index that should have come.
        expected: u64,
        /// The index that came.
        found: u64,
    },
    /// The events are stored, but the state after them could not be computed: the aggregate's `apply` panicked, the store could
    /// not be read, or the deadline passed. Only [`decide`](crate::LogManager::decide) says this.
    ///
    /// Take the decision as made. To decide again would be to decide a second time, unless it is with the same idempotency
    /// key, which finds the events.
    #[error(
        "the events are stored, {event_count} from event {event_index} of log {log_id} on, but the state after them could not be computed; do not decide again, reduce the log"
    )]
    #[non_exhaustive]
    StoredWithoutState {
        /// The log.
        log_id: LogId,
        /// The index of the first event that was written.
        event_index: u64,
        /// How many events were written.
        event_count: u64,
        /// Why there is no state.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The store failed. Of these only [`StoreError::OutcomeUnknown`] leaves open whether something was written.
    #[error(transparent)]
    Store(StoreError),
    /// The cache could not be told to forget a log, and may give back what it has. Of all calls only
    /// [`forget_cached`](crate::LogManager::forget_cached) fails with a cache.
    #[error(
        "the cache could not be told to forget log {log_id}, and may still have it; make the call again when the cache answers"
    )]
    #[non_exhaustive]
    NotForgotten {
        /// The log.
        log_id: LogId,
        /// What the cache says.
        source: CacheError,
    },
}

impl LogManagerError {
    /// A key that was found on the log it was used for now.
    pub(super) fn replay(replay: Replay) -> Self {
        Self::IdempotentReplay {
            log_id: replay.state.log_id(),
            event_index: replay.first_index,
            event_count: replay.event_count,
            state: replay.state,
        }
    }

    /// A key that was used for something else.
    pub(super) fn reused(replay: Replay) -> Self {
        Self::IdempotencyKeyReused {
            log_id: replay.state.log_id(),
            event_index: replay.first_index,
        }
    }
}

/// Counts an error on its way to the caller.
pub(super) fn counted(error: LogManagerError) -> LogManagerError {
    match &error {
        LogManagerError::IdempotentReplay { .. } => telemetry::replayed(),
        LogManagerError::ConcurrentAppend { .. } | LogManagerError::LogAlreadyExists { .. } => {
            telemetry::conflicted();
        }
        _ => {}
    }
    error
}

impl From<AppendError> for LogManagerError {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Replay(replay) => Self::replay(replay),
            AppendError::Conflict {
                log_id,
                event_index,
            } => Self::ConcurrentAppend {
                log_id,
                event_index,
            },
            AppendError::LogAlreadyExists { log_id } => Self::LogAlreadyExists { log_id },
            AppendError::LogNotFound { log_id } => Self::LogNotFound { log_id },
            AppendError::WrongKind {
                log_id,
                found,
                expected,
            } => Self::WrongKind {
                log_id,
                found,
                expected,
            },
            AppendError::KeyReused(replay) => Self::reused(replay),
            AppendError::Invalid(invalid) => Self::Invalid(invalid),
            AppendError::Encode(error) => Self::Encode(error),
            AppendError::Store(error) => Self::Store(error),
        }
    }
}

impl From<ReadError> for LogManagerError {
    fn from(error: ReadError) -> Self {
        match error {
            // Reductions drop the cached aggregate and start afresh; only a page that follows another one of the same
            // reduction can get here, when the log was rewritten in between.
            ReadError::HistoryChanged { log_id, index } => Self::ConcurrentAppend {
                log_id,
                event_index: index.saturating_add(1),
            },
            ReadError::WrongKind {
                log_id,
                found,
                expected,
            } => Self::WrongKind {
                log_id,
                found,
                expected,
            },
            ReadError::Decode(error) => Self::Decode(error),
            ReadError::Store(error) => Self::Store(error),
        }
    }
}

impl From<StoreError> for LogManagerError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Why [`LogManager::decide`](crate::LogManager::decide) has no new state to return. Nothing was recorded, unless the
/// [`LogManagerError`] says otherwise.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecideError<R> {
    /// The closure refused, on a state that the store has confirmed.
    #[error("the decision was refused: {0}")]
    Refused(R),
    /// The log could not be read or written.
    #[error(transparent)]
    Log(#[from] LogManagerError),
}
