//! What can go wrong in a store.

pub(crate) mod store;

pub use store::StoreError;

use crate::codec::CodecError;
use crate::codec::stored::DecodeProblem;
use crate::ids::LogId;
use crate::stores::idempotency::Replay;
use crate::stores::limits::Limits;
use chrono::{DateTime, Utc};

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

/// A request that no store accepts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidAppend {
    /// There is nothing to append.
    #[error("an append needs at least one event; skip the call when there is nothing to record")]
    NoEvents,
    /// There are more ids than events, or fewer.
    #[error("{events} events have {ids} event ids; give each event one id")]
    EventIds {
        /// How many events there are.
        events: usize,
        /// How many ids there are.
        ids: usize,
    },
    /// Too many events at once.
    #[error(
        "{events} events in one append are more than the limit of {limit}; split them, or raise `max_events_per_append`"
    )]
    TooManyEvents {
        /// How many there are.
        events: usize,
        /// How many are allowed.
        limit: usize,
    },
    /// An event is too large.
    #[error(
        "the payload of `{event_type}` has {bytes} bytes, more than the limit of {limit}; store large data elsewhere and record where, or raise `max_payload_bytes`"
    )]
    PayloadTooLarge {
        /// The event's stored name.
        event_type: &'static str,
        /// Its encoded size.
        bytes: usize,
        /// The greatest allowed size.
        limit: usize,
    },
    /// The metadata is too large.
    #[error(
        "metadata of {bytes} bytes is more than the limit of {limit}; it is stored with every event, so keep it to ids and flags, or raise `max_metadata_bytes`"
    )]
    MetadataTooLarge {
        /// Its encoded size.
        bytes: usize,
        /// The greatest allowed size.
        limit: usize,
    },
    /// The events are said to have occurred at a time that not every store keeps.
    #[error(
        "an event cannot have occurred at {occurred_at}, but from {} to {}; correct the time, or leave it out",
        Limits::EARLIEST_OCCURRED_AT,
        Limits::LATEST_OCCURRED_AT
    )]
    OccurredAt {
        /// The time.
        occurred_at: DateTime<Utc>,
    },
    /// A log stands twice in one append to several logs.
    #[error("log {log_id} stands twice in one append; give all its events in one part")]
    LogTwice {
        /// The log.
        log_id: LogId,
    },
    /// An append to several logs has a key that is to be unique in one log.
    #[error(
        "an append to several logs cannot have an idempotency key of one log; use `IdempotencyScope::Global`"
    )]
    KeyOfOneLog,
    /// The store keeps the events of one enum only, and these are of another.
    #[error(
        "this store keeps one event enum only, and the events for log {log_id} are of another; use a database store"
    )]
    OtherEvents {
        /// The log.
        log_id: LogId,
    },
    /// The key is empty or too long.
    #[error(
        "an idempotency key has 1 to {} bytes, this one has {bytes}; use a UUID or a hash of the request",
        Limits::MAX_KEY_BYTES
    )]
    IdempotencyKey {
        /// The length of the key.
        bytes: usize,
    },
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
