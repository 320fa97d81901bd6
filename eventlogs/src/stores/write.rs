//! The context of a write: its idempotency key, time, metadata and deadline.

use crate::ids::LogId;
use crate::metadata::Metadata;
use crate::stores::error::invalid::InvalidAppend;
use crate::stores::idempotency::{IdempotencyKey, RequestFingerprint};
use crate::stores::limits::Limits;
use crate::stores::times;
use crate::stores::times::stored_time;
use chrono::{DateTime, Utc};
use std::time::Instant;

/// The context of a write: its idempotency key, time, metadata and deadline. Every request to write holds one.
///
/// ```
/// use eventlogs::Metadata;
/// use eventlogs::stores::{IdempotencyKey, WriteContext};
///
/// let mut context = WriteContext::default();
/// context.idempotency_key = Some(IdempotencyKey::new("4f2c"));
/// context.metadata = Metadata::new().with_correlation_id("request-17");
/// assert!(context.check().is_ok());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WriteContext<'a> {
    /// The key that makes the write happen only once.
    pub idempotency_key: Option<IdempotencyKey<'a>>,
    /// The time at which the events occurred, if the caller gives it: from [`Limits::EARLIEST_OCCURRED_AT`] to
    /// [`Limits::LATEST_OCCURRED_AT`]. Stores keep whole microseconds and cut off the rest.
    pub occurred_at: Option<DateTime<Utc>>,
    /// The metadata to be stored with each event.
    pub metadata: Metadata,
    /// When the caller stops waiting. The store may stop earlier.
    pub deadline: Option<Instant>,
}

impl WriteContext<'_> {
    /// Checks the rules that are the same for every store, before anything is written.
    ///
    /// This method does not check the size of the metadata. The store does, because the store encodes the metadata.
    ///
    /// # Errors
    /// - [`OccurredAt`](InvalidAppend::OccurredAt) if not every store can keep the time.
    /// - [`IdempotencyKey`](InvalidAppend::IdempotencyKey) if the key is empty or too long.
    pub fn check(&self) -> Result<(), InvalidAppend> {
        times::check(self.occurred_at)?;
        self.idempotency_key.map_or(Ok(()), |key| key.check())
    }

    /// Encodes the metadata, or returns `None` if it is empty.
    pub(in crate::stores) fn encode_metadata(
        &self,
        limits: &Limits,
    ) -> Result<Option<Vec<u8>>, InvalidAppend> {
        let encoded = self.metadata.encode();
        let bytes = encoded.as_ref().map_or(0, Vec::len);
        let limit = limits.max_metadata_bytes;
        if bytes > limit {
            return Err(InvalidAppend::MetadataTooLarge { bytes, limit });
        }
        Ok(encoded)
    }
}

/// The part of a [`WriteContext`] that is stored, converted to the form in which databases keep it. It borrows nothing, so that
/// it can wait in a queue.
#[derive(Debug)]
pub(in crate::stores) struct StoredContext {
    /// The key that makes the write happen only once.
    pub(in crate::stores) key: Option<StoredKey>,
    /// The time at which the events occurred, in whole microseconds.
    pub(in crate::stores) occurred_at: Option<DateTime<Utc>>,
    /// The encoded metadata, to be stored with each event.
    pub(in crate::stores) metadata: Option<Vec<u8>>,
}

/// An idempotency key that owns its parts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::stores) struct StoredKey {
    /// The log among whose writes it is unique; `None` means all logs.
    pub(in crate::stores) scope: Option<LogId>,
    /// The key.
    pub(in crate::stores) key: String,
    /// The digest of the request.
    pub(in crate::stores) request_fingerprint: Option<RequestFingerprint>,
}

impl StoredContext {
    /// Encodes the part of the context that is stored.
    pub(in crate::stores) fn encode(
        context: &WriteContext<'_>,
        limits: &Limits,
    ) -> Result<Self, InvalidAppend> {
        Ok(Self {
            key: context.idempotency_key.map(StoredKey::new),
            occurred_at: context.occurred_at.map(stored_time),
            metadata: context.encode_metadata(limits)?,
        })
    }
}

impl StoredKey {
    fn new(key: IdempotencyKey<'_>) -> Self {
        Self {
            scope: key.scope,
            key: key.key.to_owned(),
            request_fingerprint: key.request_fingerprint,
        }
    }
}
