//! Requests that no store accepts.

use crate::ids::LogId;
use crate::stores::limits::Limits;
use chrono::{DateTime, Utc};

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
