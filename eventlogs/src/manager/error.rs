//! The errors of a [`LogManager`](crate::LogManager).

mod kinds;

use crate::ids::LogId;
use crate::log_state::LogPosition;
use crate::shared_error::SharedError;
use crate::stores::error::invalid::InvalidAppend;
use crate::stores::error::store::StoreError;
use crate::stores::error::{AppendError, DecodeError, EncodeError, ReadError};
use crate::stores::idempotency::Replay;
use crate::stores::list::cursor::OtherListOrder;

/// An operation failed.
///
/// [`kind`](LogManagerError::kind) says what to do next, and the guide has [a page about it](crate::guide::errors).
///
/// Nothing was written, with two exceptions. After [`StoredWithoutState`](LogManagerError::StoredWithoutState) the events are
/// stored. After [`StoreError::OutcomeUnknown`] they may be.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum LogManagerError {
    /// The idempotency key was used before: the operation has already happened, and this call did nothing.
    #[error(
        "this idempotency key was already used for event {event_index} of log {log_id}; take that event as the outcome"
    )]
    #[non_exhaustive]
    IdempotentReplay {
        /// The log that the key was used on.
        log_id: LogId,
        /// The index of the first event that was written with the key.
        event_index: u64,
        /// The number of events that were written with the key.
        event_count: u64,
        /// The end of the log right after that write.
        state: LogPosition,
    },
    /// The idempotency key was used before for another operation: on other logs, on a log of another kind, or with another
    /// request fingerprint.
    #[error(
        "this idempotency key was already used for another operation, which wrote event {event_index} of log {log_id}; use a new key"
    )]
    #[non_exhaustive]
    IdempotencyKeyReused {
        /// The log that the key was used on.
        log_id: LogId,
        /// The index of the first event that was written with the key.
        event_index: u64,
    },
    /// Another append was first, or the log no longer holds the event that the append was based on.
    #[error(
        "log {log_id} changed before event {event_index} could be appended; reduce the log and decide again"
    )]
    #[non_exhaustive]
    ConcurrentAppend {
        /// The log.
        log_id: LogId,
        /// The index that the event would have had.
        event_index: u64,
    },
    /// The log does not end at the index that the caller expects
    /// ([`DecideOptions::expected_index`](crate::DecideOptions::expected_index)): others have appended since the caller saw it.
    /// The closure has not decided.
    #[error(
        "log {log_id} does not end with event {expected}, as the caller expects{}; show the caller the current state, and let it decide again", now_ends(*found)
    )]
    #[non_exhaustive]
    UnexpectedIndex {
        /// The log.
        log_id: LogId,
        /// The index that the caller expects.
        expected: u64,
        /// The index of the last event; `None` if the log does not exist.
        found: Option<u64>,
    },
    /// The log to be created already has events.
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
    /// The log has events of another enum. For example, the caller gave the id of an order instead of the id of a payment.
    #[error(
        "log {log_id} is of the kind `{found}`, not of the kind `{expected}`; check that the id belongs to the right entity"
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
    /// The request is not valid.
    #[error(transparent)]
    Invalid(InvalidAppend),
    /// An event cannot be stored.
    #[error(transparent)]
    Encode(EncodeError),
    /// A stored event cannot be read by this code.
    #[error(transparent)]
    Decode(Box<DecodeError>),
    /// The indices of the log's events do not rise by 1 from 0, so a fold of the log would be wrong.
    #[error(
        "log {log_id} is damaged: expected event {expected}, found event {found}; restore it from a backup"
    )]
    #[non_exhaustive]
    BrokenLog {
        /// The log.
        log_id: LogId,
        /// The index that should follow.
        expected: u64,
        /// The index that follows instead.
        found: u64,
    },
    /// The events are stored, but the state after them could not be computed: the aggregate's `apply` panicked, the store could
    /// not be read, or the deadline passed. Only decisions return this error: [`decide`](crate::LogManager::decide),
    /// [`decide_each`](crate::LogManager::decide_each) and [`across`](crate::across). With several logs, it names one of them.
    ///
    /// Treat the decision as made. Another call would make a second decision, unless it uses the same idempotency key: then it
    /// finds the stored events.
    #[error(
        "the events are stored ({event_count} of log {log_id}, the first at index {event_index}), but the state after them could not be computed: {}; reduce the log, and do not decide again",
        source.cause()
    )]
    #[non_exhaustive]
    StoredWithoutState {
        /// The log.
        log_id: LogId,
        /// The index of the first event that was written.
        event_index: u64,
        /// The number of events that were written.
        event_count: u64,
        /// Why the state could not be computed.
        source: SharedError,
    },
    /// The store failed. Nothing was written, except that after [`StoreError::OutcomeUnknown`] the events may be stored.
    #[error(transparent)]
    Store(StoreError),
    /// A list was asked to continue after a cursor of a list in another order. Only [`list`](crate::LogManager::list) returns
    /// this error.
    #[error(transparent)]
    OtherListOrder(OtherListOrder),
    /// The cache could not forget a log, and may still return its aggregation. Only
    /// [`forget_cached`](crate::LogManager::forget_cached) fails when a cache fails.
    #[error(
        "the cache could not forget log {log_id} and may still hold it: {}; call again when the cache is available",
        source.cause()
    )]
    #[non_exhaustive]
    NotForgotten {
        /// The log.
        log_id: LogId,
        /// The error of the cache.
        source: SharedError,
    },
}

impl LogManagerError {
    /// Makes the error for a key that an earlier attempt of the same operation used.
    pub(super) fn replay(replay: Replay) -> Self {
        Self::IdempotentReplay {
            log_id: replay.state.log_id(),
            event_index: replay.first_index,
            event_count: replay.event_count,
            state: replay.state,
        }
    }

    /// Makes the error for a key that another operation used.
    pub(super) fn reused(replay: Replay) -> Self {
        Self::IdempotencyKeyReused {
            log_id: replay.state.log_id(),
            event_index: replay.first_index,
        }
    }
}

/// Returns a part of the message of [`LogManagerError::UnexpectedIndex`].
fn now_ends(found: Option<u64>) -> String {
    found.map_or_else(
        || ": it does not exist".to_owned(),
        |found| format!(", but with event {found}"),
    )
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
            // A reduction that starts from a cached aggregation drops it and starts again. So this error comes only from a page
            // that follows another page of the same reduction, if the log was rewritten between the two.
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

impl From<OtherListOrder> for LogManagerError {
    fn from(error: OtherListOrder) -> Self {
        Self::OtherListOrder(error)
    }
}

/// A decision has no new state to return: one on a log with [`decide`](crate::LogManager::decide), or on several logs. Nothing was written, unless the
/// [`LogManagerError`] says otherwise.
///
/// [`kind`](DecideError::kind) says what to do next, and the guide has [a page about it](crate::guide::errors).
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum DecideError<R> {
    /// The closure refused, based on a state that the store has confirmed.
    #[error("the decision was refused: {0}")]
    Refused(R),
    /// A log could not be read or written.
    #[error(transparent)]
    Log(#[from] LogManagerError),
}
