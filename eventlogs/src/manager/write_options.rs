//! What callers may say of a single write.

use crate::ids::LogId;
use crate::manager::error::LogManagerError;
use crate::metadata::Metadata;
use crate::stores::appends::AppendManyRequest;
use crate::stores::error::AppendError;
use crate::stores::idempotency::{IdempotencyKey, IdempotencyScope, Replay, RequestFingerprint};
use crate::stores::request::AppendRequest;
use chrono::{DateTime, Utc};
use std::time::Instant;

/// Options of [`LogManager::create`](crate::LogManager::create).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CreateOptions {
    /// Lets the log be created only once, however often the call is retried: 1 to 512 bytes.
    pub idempotency_key: Option<String>,
    /// Among which writes the key is unique: those to all logs, unless said otherwise.
    pub idempotency_scope: IdempotencyScope,
    /// What the request asks for, so that a key that comes with another request is an error and not a replay.
    pub request_fingerprint: Option<RequestFingerprint>,
    /// When the event happened, if that differs from when it is recorded; within the range of
    /// [`Limits::EARLIEST_OCCURRED_AT`](crate::stores::Limits::EARLIEST_OCCURRED_AT).
    pub occurred_at: Option<DateTime<Utc>>,
    /// What is recorded beside the event.
    pub metadata: Metadata,
    /// When to stop waiting, if that is before the store's own timeout.
    ///
    /// If it passes before anything was written, as it may have before the call, the answer is
    /// [`DeadlineExceeded`](crate::stores::StoreError::DeadlineExceeded); if it passes while the event is being written,
    /// [`OutcomeUnknown`](crate::stores::StoreError::OutcomeUnknown), unless the store knows better within 25 ms.
    pub deadline: Option<Instant>,
}

/// Options of [`LogManager::append`](crate::LogManager::append), [`append_all`](crate::LogManager::append_all) and
/// [`append_many`](crate::LogManager::append_many).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AppendOptions {
    /// Lets the append happen only once, however often the call is retried: 1 to 512 bytes.
    pub idempotency_key: Option<String>,
    /// Among which writes the key is unique: those to all logs, unless said otherwise.
    pub idempotency_scope: IdempotencyScope,
    /// What the request asks for, so that a key that comes with another request is an error and not a replay.
    pub request_fingerprint: Option<RequestFingerprint>,
    /// When the events happened, if that differs from when they are recorded; within the range of
    /// [`Limits::EARLIEST_OCCURRED_AT`](crate::stores::Limits::EARLIEST_OCCURRED_AT).
    pub occurred_at: Option<DateTime<Utc>>,
    /// What is recorded beside each of the events.
    pub metadata: Metadata,
    /// When to stop waiting, if that is before the store's own timeout; what is answered then, see
    /// [`CreateOptions::deadline`].
    pub deadline: Option<Instant>,
}

/// Options of [`LogManager::decide`](crate::LogManager::decide).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecideOptions {
    /// Lets the decision take effect only once, however often the call is retried: 1 to 512 bytes.
    pub idempotency_key: Option<String>,
    /// Among which writes the key is unique: those to all logs, unless said otherwise.
    pub idempotency_scope: IdempotencyScope,
    /// What the request asks for, so that a key that comes with another request is an error and not a replay.
    pub request_fingerprint: Option<RequestFingerprint>,
    /// When the events happened, if that differs from when they are recorded; within the range of
    /// [`Limits::EARLIEST_OCCURRED_AT`](crate::stores::Limits::EARLIEST_OCCURRED_AT).
    pub occurred_at: Option<DateTime<Utc>>,
    /// What is recorded beside each of the events.
    pub metadata: Metadata,
    /// Decides on the default aggregate where there is no log yet, and creates it with the events decided on.
    pub create_if_missing: bool,
    /// How often the closure may decide on a state that others then change; 20 by default, and at least once. A state that
    /// others had changed before, which a cache still held, costs no attempt.
    pub max_attempts: u32,
    /// When to stop trying: checked between the steps, while others decide on the log, and by the store while it writes. What
    /// is answered then, see [`CreateOptions::deadline`].
    pub deadline: Option<Instant>,
}

impl Default for DecideOptions {
    fn default() -> Self {
        Self::NONE.clone()
    }
}

impl CreateOptions {
    /// The defaults, for a call whose future is kept in a variable: unlike `&CreateOptions::default()` it is borrowed for ever,
    /// as in `create(LogId::new(), &event, CreateOptions::NONE)`.
    pub const NONE: &'static Self = &Self {
        idempotency_key: None,
        idempotency_scope: IdempotencyScope::Global,
        request_fingerprint: None,
        occurred_at: None,
        metadata: Metadata::new(),
        deadline: None,
    };

    /// Puts what was chosen into a request.
    pub(crate) fn apply_to<'a, E>(&'a self, request: &mut AppendRequest<'a, E>) {
        let fingerprint = self.request_fingerprint;
        let scope = self.idempotency_scope;
        request.idempotency_key = key(
            self.idempotency_key.as_deref(),
            scope,
            request.log_id,
            fingerprint,
        );
        request.occurred_at = self.occurred_at;
        request.metadata = self.metadata.clone();
        request.deadline = self.deadline;
    }

    /// What the caller is told. A key that was found on another log is a replay: not to create twice is its point.
    pub(crate) fn error(&self, error: AppendError) -> LogManagerError {
        match error {
            AppendError::Replay(replay)
                if replay.is_of_another_request(self.request_fingerprint) =>
            {
                LogManagerError::reused(replay)
            }
            error => error.into(),
        }
    }
}

impl AppendOptions {
    /// The defaults, for a call whose future is kept in a variable: unlike `&AppendOptions::default()` it is borrowed for ever,
    /// as in `append(state, &event, AppendOptions::NONE)`.
    pub const NONE: &'static Self = &Self {
        idempotency_key: None,
        idempotency_scope: IdempotencyScope::Global,
        request_fingerprint: None,
        occurred_at: None,
        metadata: Metadata::new(),
        deadline: None,
    };

    /// Puts what was chosen into a request.
    pub(crate) fn apply_to<'a, E>(&'a self, request: &mut AppendRequest<'a, E>) {
        let fingerprint = self.request_fingerprint;
        let scope = self.idempotency_scope;
        request.idempotency_key = key(
            self.idempotency_key.as_deref(),
            scope,
            request.log_id,
            fingerprint,
        );
        request.occurred_at = self.occurred_at;
        request.metadata = self.metadata.clone();
        request.deadline = self.deadline;
    }

    /// Puts what was chosen into a request for several logs. A key of one log is refused by its check.
    pub(super) fn apply_to_many<'a>(&'a self, request: &mut AppendManyRequest<'a>) {
        request.idempotency_key = request.parts.first().and_then(|first| {
            let text = self.idempotency_key.as_deref();
            let scope = self.idempotency_scope;
            key(text, scope, first.log_id(), self.request_fingerprint)
        });
        request.occurred_at = self.occurred_at;
        request.metadata = self.metadata.clone();
        request.deadline = self.deadline;
    }

    /// What the caller of an append to one log is told.
    pub(crate) fn error(&self, error: AppendError, log_id: LogId) -> LogManagerError {
        match error {
            AppendError::Replay(replay) if is_reused(&replay, log_id, self.request_fingerprint) => {
                LogManagerError::reused(replay)
            }
            error => error.into(),
        }
    }
}

impl DecideOptions {
    /// The defaults, for a call whose future is kept in a variable: unlike `&DecideOptions::default()` it is borrowed for ever,
    /// as in `decide(log_id, DecideOptions::NONE, closure)`.
    pub const NONE: &'static Self = &Self {
        idempotency_key: None,
        idempotency_scope: IdempotencyScope::Global,
        request_fingerprint: None,
        occurred_at: None,
        metadata: Metadata::new(),
        create_if_missing: false,
        max_attempts: 20,
        deadline: None,
    };

    /// Puts what was chosen into a request, but for the metadata: that is put together once, for all attempts.
    pub(super) fn apply_to<'a, E>(&'a self, request: &mut AppendRequest<'a, E>) {
        request.idempotency_key = self.key(request.log_id);
        request.occurred_at = self.occurred_at;
        request.deadline = self.deadline;
    }

    /// The key for a log.
    pub(super) fn key(&self, log_id: LogId) -> Option<IdempotencyKey<'_>> {
        let scope = self.idempotency_scope;
        key(
            self.idempotency_key.as_deref(),
            scope,
            log_id,
            self.request_fingerprint,
        )
    }

    /// Whether the key was used for something else than this decision.
    pub(super) fn is_reused(&self, replay: &Replay, log_id: LogId) -> bool {
        is_reused(replay, log_id, self.request_fingerprint)
    }
}

fn key(
    key: Option<&str>,
    scope: IdempotencyScope,
    log_id: LogId,
    fingerprint: Option<RequestFingerprint>,
) -> Option<IdempotencyKey<'_>> {
    let key = IdempotencyKey::new(key?).with_fingerprint(fingerprint);
    Some(match scope {
        IdempotencyScope::Global => key,
        IdempotencyScope::Log => key.in_log(log_id),
    })
}

/// Whether a key was used on another log, or for another request.
fn is_reused(replay: &Replay, log_id: LogId, fingerprint: Option<RequestFingerprint>) -> bool {
    replay.state.log_id() != log_id || replay.is_of_another_request(fingerprint)
}
