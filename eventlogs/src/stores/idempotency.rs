//! Idempotency keys, which make a write happen only once, and the replay of a write that used one.

use crate::ids::LogId;
use crate::log_state::LogPosition;
use crate::stores::error::invalid::InvalidAppend;
use crate::stores::limits::Limits;
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// The scope of an idempotency key: the writes among which it must be unique.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum IdempotencyScope {
    /// All writes to the store: a key that was used on one log counts as used on every other log. For keys that are unique
    /// anyway, such as UUIDs and the request ids of clients.
    #[default]
    Global,
    /// The writes to one log: the same key may be used once per log. For keys such as `invoice-7`, which identify a write only
    /// together with the log. A [`create`](crate::LogManager::create) that is retried with another log id is not recognised as
    /// a replay.
    Log,
}

/// A short digest of the content of a request, stored with its idempotency key.
///
/// A client that uses a key again for another request has a bug. A plain replay would hide the bug: the client would take the
/// outcome of the first request for the outcome of the second. If both requests have a fingerprint, the second fails with
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
    /// The namespace of the digests. Its value is arbitrary, but must never change.
    const NAMESPACE: Uuid = Uuid::from_u128(0x6e1f_8c1a_64b2_5d0b_9a53_0c9f_5a3e_7b11);

    /// Makes the digest of a request from its bytes: its body, or other bytes that distinguish two requests.
    ///
    /// Equal bytes give equal digests on every machine and in every version. The digest is a UUID v5: SHA-1 cut to 122 bits.
    #[must_use]
    pub fn new(request: &[u8]) -> Self {
        Self(Uuid::new_v5(&Self::NAMESPACE, request).into_bytes())
    }

    /// Uses a digest that you have computed yourself.
    #[must_use]
    pub const fn from_bytes(digest: [u8; 16]) -> Self {
        Self(digest)
    }

    /// Returns the digest as it is stored.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// An idempotency key with its scope and fingerprint, as a store gets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct IdempotencyKey<'a> {
    /// The key: 1 to [`Limits::MAX_KEY_BYTES`] bytes.
    pub key: &'a str,
    /// The log among whose writes the key is unique; `None` means all logs.
    pub scope: Option<LogId>,
    /// The fingerprint of the request, if the caller gives one.
    pub request_fingerprint: Option<RequestFingerprint>,
}

impl<'a> IdempotencyKey<'a> {
    /// Makes a key that is unique among all logs.
    #[must_use]
    pub const fn new(key: &'a str) -> Self {
        Self {
            key,
            scope: None,
            request_fingerprint: None,
        }
    }

    /// Limits the scope of the key to the writes to one log.
    #[must_use]
    pub const fn in_log(mut self, log_id: LogId) -> Self {
        self.scope = Some(log_id);
        self
    }

    /// Sets the fingerprint of the request.
    #[must_use]
    pub const fn with_fingerprint(mut self, fingerprint: Option<RequestFingerprint>) -> Self {
        self.request_fingerprint = fingerprint;
        self
    }

    /// Checks the length of the key.
    ///
    /// # Errors
    /// - [`InvalidAppend::IdempotencyKey`] if the key is empty or too long.
    pub const fn check(&self) -> Result<(), InvalidAppend> {
        let bytes = self.key.len();
        if bytes == 0 || bytes > Limits::MAX_KEY_BYTES {
            return Err(InvalidAppend::IdempotencyKey { bytes });
        }
        Ok(())
    }
}

impl<'a> From<&'a str> for IdempotencyKey<'a> {
    fn from(key: &'a str) -> Self {
        Self::new(key)
    }
}

impl<'a> From<&'a String> for IdempotencyKey<'a> {
    fn from(key: &'a String) -> Self {
        Self::new(key)
    }
}

/// The earlier write that used an idempotency key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replay {
    /// The index of its first event.
    pub first_index: u64,
    /// The number of events that it wrote.
    pub event_count: u64,
    /// The end of its log right after the write.
    pub state: LogPosition,
    /// The time that was recorded with its events.
    pub recorded_at: DateTime<Utc>,
    /// The fingerprint of its request, if its caller gave one.
    pub request_fingerprint: Option<RequestFingerprint>,
}

impl Replay {
    /// Returns `true` if the key was used for another request, that is, if both fingerprints are known and differ.
    #[must_use]
    pub fn is_of_another_request(&self, fingerprint: Option<RequestFingerprint>) -> bool {
        matches!((self.request_fingerprint, fingerprint), (Some(then), Some(now)) if then != now)
    }
}
