//! The errors of a store.

pub(crate) mod invalid;
mod kinds;
pub(crate) mod open;
pub(crate) mod passing;
pub(crate) mod store;
mod store_kinds;

pub use invalid::InvalidAppend;
pub use open::OpenError;
pub use store::StoreError;

use crate::codec::stored::{DecodeProblem, StoredPayload};
use crate::ids::LogId;
use crate::shared_error::SharedError;
use crate::stores::idempotency::Replay;

/// An append failed. Nothing was stored, unless the error is [`StoreError::OutcomeUnknown`].
///
/// [`kind`](AppendError::kind) says what to do next, and the guide has [a page about it](crate::guide::errors).
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum AppendError {
    /// The idempotency key was used before.
    #[error("the idempotency key was already used, at index {} of log {}; take that write as the outcome", .0.first_index, .0.state.log_id())]
    Replay(Replay),
    /// The log ends at another index or with another event than expected.
    #[error(
        "log {log_id} does not end with the event before index {event_index} that the append was based on; read the log again, then retry"
    )]
    Conflict {
        /// The log.
        log_id: LogId,
        /// The index at which the first event would have been written.
        event_index: u64,
    },
    /// The log to be created already has events.
    #[error("log {log_id} already exists; append to it, or use a new id")]
    LogAlreadyExists {
        /// The log.
        log_id: LogId,
    },
    /// The log to be continued has no events.
    #[error("log {log_id} does not exist; check the id, or create the log first")]
    LogNotFound {
        /// The log.
        log_id: LogId,
    },
    /// The log has events of another enum.
    #[error(
        "log {log_id} is of the kind `{found}` and cannot store events of the kind `{expected}`; check the id"
    )]
    WrongKind {
        /// The log.
        log_id: LogId,
        /// The kind of the log.
        found: String,
        /// The kind of the events to be appended.
        expected: &'static str,
    },
    /// The idempotency key was used before by a log of another kind.
    #[error("the idempotency key was already used for a log of another kind, at index {} of log {}; use a new key", .0.first_index, .0.state.log_id())]
    KeyReused(Replay),
    /// The request is not valid.
    #[error(transparent)]
    Invalid(#[from] InvalidAppend),
    /// An event cannot be stored.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An event that a codec cannot store and read back.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The codec refused the event: its format cannot express the event, or the event would be read back as another value.
    /// [`Codec`](crate::Codec#what-cannot-be-stored) lists these values.
    #[error(
        "`{event_type}` cannot be encoded: {}; change the field that its codec cannot express",
        source.cause()
    )]
    Codec {
        /// The event's stored name.
        event_type: &'static str,
        /// The codec's reason.
        source: SharedError,
    },
    /// The codec wrote bytes that cannot be decoded as the event. For example, a `Deserialize` written by hand is stricter
    /// than its `Serialize`. If the bytes were stored, the whole log would be unreadable.
    #[error(
        "`{event_type}` was encoded as bytes that cannot be decoded again: {}; change the field that cannot be read back",
        source.cause()
    )]
    NotReadable {
        /// The event's stored name.
        event_type: &'static str,
        /// Why the bytes cannot be decoded.
        source: DecodeProblem,
    },
}

/// A stored event that this code cannot read. No event was skipped, and nothing derived from the log was cached.
#[derive(Debug, Clone, thiserror::Error)]
#[error(
    "event {index} of log {log_id} (`{event_type}` version {version}) cannot be decoded: {problem}"
)]
#[non_exhaustive]
pub struct DecodeError {
    /// The log.
    pub log_id: LogId,
    /// The event's index.
    pub index: u64,
    /// The stored name.
    pub event_type: String,
    /// The stored version.
    pub version: i32,
    /// Why it cannot be decoded.
    #[source]
    pub problem: DecodeProblem,
}

impl DecodeError {
    /// Makes the error for an event that a store has read but cannot decode.
    #[must_use]
    pub fn new(
        log_id: LogId,
        index: u64,
        stored: &StoredPayload<'_>,
        problem: DecodeProblem,
    ) -> Self {
        Self {
            log_id,
            index,
            event_type: stored.name.to_owned(),
            version: stored.version,
            problem,
        }
    }
}

/// A page could not be read.
///
/// [`kind`](ReadError::kind) says what to do next, and the guide has [a page about it](crate::guide::errors).
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The event after which the page should start is missing, or has another id.
    #[error(
        "log {log_id} no longer holds the event that was read before at index {index}; read the log from its start"
    )]
    HistoryChanged {
        /// The log.
        log_id: LogId,
        /// The index of the missing event.
        index: u64,
    },
    /// The log has events of another enum.
    #[error("log {log_id} is of the kind `{found}`, not of the kind `{expected}`; check the id")]
    WrongKind {
        /// The log.
        log_id: LogId,
        /// The kind of the log.
        found: String,
        /// The kind of the events to be read.
        expected: &'static str,
    },
    /// An event on the page cannot be decoded.
    #[error(transparent)]
    Decode(#[from] Box<DecodeError>),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
