//! What can go wrong in a store.

pub(crate) mod invalid;
pub(crate) mod open;
pub(crate) mod store;

pub use invalid::InvalidAppend;
pub use open::OpenError;
pub use store::StoreError;

use crate::codec::CodecError;
use crate::codec::stored::{DecodeProblem, StoredPayload};
use crate::ids::LogId;
use crate::stores::idempotency::Replay;

/// Why nothing was appended; except for [`StoreError::OutcomeUnknown`], nothing was stored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AppendError {
    /// The idempotency key was used before.
    #[error("the idempotency key was used before, at index {} of log {}", .0.first_index, .0.state.log_id())]
    Replay(Replay),
    /// The log ends elsewhere, or with another event, than expected.
    #[error(
        "log {log_id} does not end before index {event_index} with the event that the append was based on"
    )]
    Conflict {
        /// The log.
        log_id: LogId,
        /// The index at which the first event would have been written.
        event_index: u64,
    },
    /// A log was to be created that has events.
    #[error("log {log_id} already exists")]
    LogAlreadyExists {
        /// The log.
        log_id: LogId,
    },
    /// A log was to be continued that has no events.
    #[error("log {log_id} does not exist")]
    LogNotFound {
        /// The log.
        log_id: LogId,
    },
    /// The log has events of another enum.
    #[error(
        "log {log_id} is of the kind `{found}` and cannot take events of the kind `{expected}`; check the id"
    )]
    WrongKind {
        /// The log.
        log_id: LogId,
        /// The kind of the log.
        found: String,
        /// The kind of the events that were to be appended.
        expected: &'static str,
    },
    /// The idempotency key was used before by a log of another kind.
    #[error("the idempotency key was used before for a log of another kind, at index {} of log {}", .0.first_index, .0.state.log_id())]
    KeyReused(Replay),
    /// The request itself is at fault.
    #[error(transparent)]
    Invalid(#[from] InvalidAppend),
    /// An event cannot be stored.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An event that a codec cannot store such that it could be read again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The codec refused the event: it has no form for it, or would bring it back as something else. What that is is listed
    /// at [`Codec`](crate::Codec#what-cannot-be-stored).
    #[error("`{event_type}` cannot be encoded; change the field that its codec cannot express")]
    Codec {
        /// The event's stored name.
        event_type: &'static str,
        /// The codec's reason.
        source: CodecError,
    },
    /// The codec wrote bytes that the event does not read back, as where a `Deserialize` of the user's own is stricter than
    /// the `Serialize` beside it. Stored, they would make the whole log unreadable.
    #[error(
        "`{event_type}` was encoded into bytes that do not decode again; change the field that does not survive its codec"
    )]
    NotReadable {
        /// The event's stored name.
        event_type: &'static str,
        /// What reading it back said.
        source: DecodeProblem,
    },
}

/// A stored event that this code cannot read. Nothing was skipped, and nothing derived from the log was cached.
#[derive(Debug, thiserror::Error)]
#[error("event {index} of log {log_id}, `{event_type}` version {version}, cannot be decoded")]
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
    /// What is wrong with it.
    #[source]
    pub problem: DecodeProblem,
}

impl DecodeError {
    /// The error of a store that has found an event it cannot decode.
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

/// Why a page could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The event behind which the page should start is not there, or is another one.
    #[error("log {log_id} no longer holds the event that was read before at index {index}")]
    HistoryChanged {
        /// The log.
        log_id: LogId,
        /// The index of the event that is gone.
        index: u64,
    },
    /// The log has events of another enum.
    #[error("log {log_id} is of the kind `{found}`, not of the kind `{expected}`; check the id")]
    WrongKind {
        /// The log.
        log_id: LogId,
        /// The kind of the log.
        found: String,
        /// The kind of the events that were to be read.
        expected: &'static str,
    },
    /// An event on the page cannot be decoded.
    #[error(transparent)]
    Decode(#[from] Box<DecodeError>),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
