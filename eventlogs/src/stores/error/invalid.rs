//! The error for requests that no store accepts.

use crate::event::EventSchema;
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
    /// The number of ids differs from the number of events.
    #[error("the append has {events} events but {ids} event ids; give one id per event")]
    EventIds {
        /// The number of events.
        events: usize,
        /// The number of ids.
        ids: usize,
    },
    /// The append has too many events.
    #[error(
        "the append has {events} events, more than the limit of {limit}; split it, or raise `max_events_per_append`"
    )]
    TooManyEvents {
        /// The number of events.
        events: usize,
        /// The largest allowed number.
        limit: usize,
    },
    /// The append has too many logs, with those that it only requires.
    #[error(
        "the append names {logs} logs, more than the limit of {limit}; split it, or raise `max_events_per_append`"
    )]
    TooManyLogs {
        /// The number of logs.
        logs: usize,
        /// The largest allowed number.
        limit: usize,
    },
    /// An event is too large.
    #[error(
        "the payload of `{event_type}` has {bytes} bytes, more than the limit of {limit}; store large data elsewhere and record a reference to it, or raise `max_payload_bytes`"
    )]
    PayloadTooLarge {
        /// The event's stored name.
        event_type: &'static str,
        /// Its encoded size, in bytes.
        bytes: usize,
        /// The largest allowed size, in bytes.
        limit: usize,
    },
    /// An event is retired: stored ones are read, but no more are written.
    #[error(
        "`{event_type}` is retired, so it is read but no longer written; write the events that replace it, or remove `retired` from `{variant}`"
    )]
    Retired {
        /// The event's stored name.
        event_type: &'static str,
        /// The name of the variant in the code.
        variant: &'static str,
    },
    /// The metadata is too large.
    #[error(
        "the metadata has {bytes} bytes, more than the limit of {limit}; it is stored with every event, so keep it to ids and flags, or raise `max_metadata_bytes`"
    )]
    MetadataTooLarge {
        /// Its encoded size, in bytes.
        bytes: usize,
        /// The largest allowed size, in bytes.
        limit: usize,
    },
    /// The time at which the events occurred is outside the range that every store can keep.
    #[error(
        "`occurred_at` is {occurred_at}, outside the range from {} to {}; correct the time, or leave it out",
        Limits::EARLIEST_OCCURRED_AT,
        Limits::LATEST_OCCURRED_AT
    )]
    OccurredAt {
        /// The time.
        occurred_at: DateTime<Utc>,
    },
    /// An append to several logs has two parts for the same log.
    #[error("the append has two parts for log {log_id}; put all its events into one part")]
    LogTwice {
        /// The log.
        log_id: LogId,
    },
    /// A decision on several logs has an expected index.
    #[error(
        "a decision on several logs has no single end, so `expected_index` cannot be compared; let the closure compare the aggregates, or decide on one log"
    )]
    ExpectedIndex,
    /// A decision on several logs names no log.
    #[error("the decision names no log; skip the call when there is nothing to decide")]
    NoLogs,
    /// The closure of a decision on several logs has not returned one list of events per log.
    #[error(
        "the closure got {logs} logs but returned {lists} lists of events; return one list per log, which may be empty"
    )]
    EventLists {
        /// The number of logs.
        logs: usize,
        /// The number of lists.
        lists: usize,
    },
    /// The managers of a decision on several logs have different stores, which cannot be written to together.
    #[error(
        "the manager of log {log_id} has another store than the manager of the first log; open the store once, and give each manager a clone of it"
    )]
    OtherStore {
        /// The first log whose store is another one.
        log_id: LogId,
    },
    /// An append to several logs has an idempotency key whose scope is one log.
    #[error(
        "an idempotency key scoped to one log cannot be used in an append to several logs; use `IdempotencyScope::Global`"
    )]
    KeyOfOneLog,
    /// The store keeps the events of one enum only, and the append has events of another enum.
    #[error(
        "this store keeps the events of one enum only, but the events for log {log_id} are of another enum; use a database store"
    )]
    OtherEvents {
        /// The log.
        log_id: LogId,
    },
    /// The key is empty or too long.
    #[error(
        "an idempotency key must have 1 to {} bytes, but this one has {bytes}; use a UUID or a hash of the request",
        Limits::MAX_KEY_BYTES
    )]
    IdempotencyKey {
        /// The length of the key, in bytes.
        bytes: usize,
    },
}

impl InvalidAppend {
    /// Makes the error for an event whose entry is retired.
    pub(crate) const fn retired(entry: &EventSchema) -> Self {
        Self::Retired {
            event_type: entry.event_type.name,
            variant: entry.variant,
        }
    }
}
