//! Keys that make a write happen only once, and what is known of the write that used one.

use crate::ids::LogId;
use crate::log_state::LogPosition;
use crate::stores::error::invalid::InvalidAppend;
use crate::stores::limits::Limits;
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// Among which writes an idempotency key must be unique.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum IdempotencyScope {
    /// Among all writes to the store: a key that was used on one log is known on every other. For keys that are unique
    /// anyway, such as UUIDs and the request ids of clients.
    #[default]
    Global,
    /// Among the writes to one log: the same key may be used once on every log. For keys such as `invoice-7` that only mean
    /// something beside the log. A [`create`](crate::LogManager::create) retried with another log id is not recognised.
    Log,
}

/// A short digest of what a request asks for, kept beside its idempotency key.
///
/// A client that uses a key again for something else has a fault, and a plain replay would hide it: the client would take
/// the outcome of the first request for that of the second. With a fingerprint on both, the second is refused with
/// [`IdempotencyKeyReused`](crate::LogManagerError::IdempotencyKeyReused).
///
/// ```
/// use eventlogs::{AppendOptions, RequestFingerprint};
///
/// let body = br#"{"amount":500}"#; // of the HTTP request, say
/// let options = AppendOptions {
///     idempotency_key: Some("4f2c".to_owned()),
///     request_fingerprint: Some(RequestFingerprint::new(body)),
///     ..Default::default()
/// };
/// assert_ne!(options.request_fingerprint, Some(RequestFingerprint::new(br#"{"amount":700}"#)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestFingerprint([u8; 16]);

impl RequestFingerprint {
    /// The namespace that the digests are made in; any constant would do, and it must never change.
    const NAMESPACE: Uuid = Uuid::from_u128(0x6e1f_8c1a_64b2_5d0b_9a53_0c9f_5a3e_7b11);

    /// The digest of a request's bytes: its body, or whatever else tells two requests apart. The same bytes give the same
    /// digest on every machine and in every version (a UUID v5, so SHA-1 cut to 122 bits).
    #[must_use]
    pub fn new(request: &[u8]) -> Self {
        Self(Uuid::new_v5(&Self::NAMESPACE, request).into_bytes())
    }

    /// A digest of your own making.
    #[must_use]
    pub const fn from_bytes(digest: [u8; 16]) -> Self {
        Self(digest)
    }

    /// The digest, as it is stored.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// An idempotency key, as a store is given it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct IdempotencyKey<'a> {
    /// The key: 1 to [`Limits::MAX_KEY_BYTES`] bytes.
    pub key: &'a str,
    /// The log among whose writes it is unique; `None` means all logs.
    pub scope: Option<LogId>,
    /// What the request was, if the caller says so.
    pub request_fingerprint: Option<RequestFingerprint>,
}

impl<'a> IdempotencyKey<'a> {
    /// A key that is unique among all logs.
    #[must_use]
    pub const fn new(key: &'a str) -> Self {
        Self {
            key,
            scope: None,
            request_fingerprint: None,
        }
    }

    /// The same key, unique among the writes to one log.
    #[must_use]
    pub const fn in_log(mut self, log_id: LogId) -> Self {
        self.scope = Some(log_id);
        self
    }

    /// The same key with what its request was.
    #[must_use]
    pub const fn with_fingerprint(mut self, fingerprint: Option<RequestFingerprint>) -> Self {
        self.request_fingerprint = fingerprint;
        self
    }

    /// Checks its length.
    ///
    /// # Errors
    /// [`InvalidAppend::IdempotencyKey`] for an empty key and one that is too long.
    pub const fn check(&self) -> Result<(), InvalidAppend> {
        let bytes = self.key.len();
        if bytes == 0 || bytes > Limits::MAX_KEY_BYTES {
            return Err(InvalidAppend::IdempotencyKey { bytes });
        }
        Ok(())
    }
}

/// The earlier write that used an idempotency key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replay {
    /// The index of its first event.
    pub first_index: u64,
    /// How many events it wrote.
    pub event_count: u64,
    /// Where its log ended right after it.
    pub state: LogPosition,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
    /// What its request was, if its caller said so.
    pub request_fingerprint: Option<RequestFingerprint>,
}

impl Replay {
    /// Whether the key was used for another request then. Unknown requests are taken for the same.
    #[must_use]
    pub fn is_of_another_request(&self, fingerprint: Option<RequestFingerprint>) -> bool {
        matches!((self.request_fingerprint, fingerprint), (Some(then), Some(now)) if then != now)
    }
}
