//! Everything that is said of a write besides its events.

use crate::ids::LogId;
use crate::metadata::Metadata;
use crate::stores::error::invalid::InvalidAppend;
use crate::stores::idempotency::{IdempotencyKey, RequestFingerprint};
use crate::stores::limits::Limits;
use crate::stores::times;
use crate::stores::times::stored_time;
use chrono::{DateTime, Utc};
use std::time::Instant;

/// Everything that is said of a write besides its events: requests of all forms hold one.
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
    /// Makes the write happen only once.
    pub idempotency_key: Option<IdempotencyKey<'a>>,
    /// When the events happened, if the caller says so: within the range of [`Limits::EARLIEST_OCCURRED_AT`] and
    /// [`Limits::LATEST_OCCURRED_AT`]. Stores keep it in whole microseconds and cut off the rest.
    pub occurred_at: Option<DateTime<Utc>>,
    /// The metadata that is stored with each of the events.
    pub metadata: Metadata,
    /// When the caller stops waiting. The store may stop earlier.
    pub deadline: Option<Instant>,
}

impl WriteContext<'_> {
    /// Checks what every store refuses alike, before anything is written.
    ///
    /// # Errors
    /// [`InvalidAppend::OccurredAt`] for a time that not every store can keep, and [`InvalidAppend::IdempotencyKey`] for a key
    /// that is empty or too long. The size of the metadata is checked by the store, which encodes it.
    pub fn check(&self) -> Result<(), InvalidAppend> {
        times::check(self.occurred_at)?;
        self.idempotency_key.map_or(Ok(()), |key| key.check())
    }

    /// The metadata as bytes, if there is some.
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

/// The part of a [`WriteContext`] that is stored, as a database holds it. It borrows nothing, so that it can wait in a queue.
#[derive(Debug)]
pub(in crate::stores) struct StoredContext {
    /// Makes the write happen only once.
    pub(in crate::stores) key: Option<StoredKey>,
    /// The caller's time, in whole microseconds.
    pub(in crate::stores) occurred_at: Option<DateTime<Utc>>,
    /// The metadata that is stored with each event.
    pub(in crate::stores) metadata: Option<Vec<u8>>,
}

/// An idempotency key.
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
    /// Encodes what is stored.
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
