//! Options of a single write.

use crate::ids::LogId;
use crate::manager::error::LogManagerError;
use crate::metadata::Metadata;
use crate::stores::error::AppendError;
use crate::stores::idempotency::{IdempotencyKey, IdempotencyScope, Replay, RequestFingerprint};
use crate::stores::write::WriteContext;
use chrono::{DateTime, Utc};
use std::fmt;
use std::time::Instant;

/// Declares a struct of options that includes the fields shared by all writes. So each shared field appears only once in the
/// source. The structs stay flat, because users write them out in their code.
macro_rules! write_options {
    (
        $(#[$about:meta])*
        pub struct $name:ident {
            $($(#[$doc:meta])* pub $field:ident: $type:ty = $default:expr,)*
        }
        $(#[$none:meta])*
        NONE
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name {
            /// A key that makes the write happen only once, however often the call is retried. It has 1 to 512 bytes. None by
            /// default.
            pub idempotency_key: Option<String>,
            /// The scope of the key: the writes among which it is unique. All logs by default.
            pub idempotency_scope: IdempotencyScope,
            /// A digest of the content of the request. If the key is used again with another digest, that is an error and not a
            /// replay.
            pub request_fingerprint: Option<RequestFingerprint>,
            /// The time at which the events happened, if that is not the time at which they are recorded. It must be in the
            /// range given at [`Limits::EARLIEST_OCCURRED_AT`](crate::stores::Limits::EARLIEST_OCCURRED_AT).
            pub occurred_at: Option<DateTime<Utc>>,
            /// The metadata stored with each of the events.
            pub metadata: Metadata,
            /// The point in time at which the call stops waiting, if that is before the store's own timeout.
            ///
            /// If the deadline passes before anything is written, or had passed before the call, the error is
            /// [`DeadlineExceeded`](crate::stores::StoreError::DeadlineExceeded). If the deadline passes while the events are
            /// written, the error is [`OutcomeUnknown`](crate::stores::StoreError::OutcomeUnknown), unless the store learns the
            /// outcome within 25 ms.
            pub deadline: Option<Instant>,
            $($(#[$doc])* pub $field: $type,)*
        }

        impl Default for $name {
            fn default() -> Self {
                Self::NONE.clone()
            }
        }

        impl $name {
            $(#[$none])*
            pub const NONE: &'static Self = &Self {
                idempotency_key: None,
                idempotency_scope: IdempotencyScope::Global,
                request_fingerprint: None,
                occurred_at: None,
                metadata: Metadata::new(),
                deadline: None,
                $($field: $default,)*
            };

            /// Makes options with an idempotency key, and the defaults for everything else. The key is anything that prints: a text,
            /// a UUID, a number.
            #[must_use]
            pub fn with_key(key: impl fmt::Display) -> Self {
                Self {
                    idempotency_key: Some(key.to_string()),
                    ..Self::default()
                }
            }

            /// Makes the context of a write to this log, with metadata that the manager's source has completed.
            pub(crate) fn context(&self, log_id: LogId, metadata: Metadata) -> WriteContext<'_> {
                WriteContext {
                    idempotency_key: self.key(log_id),
                    occurred_at: self.occurred_at,
                    metadata,
                    deadline: self.deadline,
                }
            }

            /// Returns the key with its scope.
            pub(crate) fn key(&self, log_id: LogId) -> Option<IdempotencyKey<'_>> {
                let key = IdempotencyKey::new(self.idempotency_key.as_deref()?)
                    .with_fingerprint(self.request_fingerprint);
                Some(match self.idempotency_scope {
                    IdempotencyScope::Global => key,
                    IdempotencyScope::Log => key.in_log(log_id),
                })
            }
        }
    };
}

write_options! {
    /// Options of [`LogManager::create`](crate::LogManager::create).
    pub struct CreateOptions {}
    /// The default options, for a call whose future is kept in a variable: `&CreateOptions::default()` would not live long
    /// enough there. Write `create(LogId::new(), &event, CreateOptions::NONE)`.
    NONE
}

write_options! {
    /// Options of [`LogManager::append`](crate::LogManager::append), [`append_all`](crate::LogManager::append_all) and
    /// [`append_across`](crate::LogManager::append_across).
    pub struct AppendOptions {}
    /// The default options, for a call whose future is kept in a variable: `&AppendOptions::default()` would not live long
    /// enough there. Write `append(state, &event, AppendOptions::NONE)`.
    NONE
}

write_options! {
    /// Options of [`LogManager::decide`](crate::LogManager::decide).
    ///
    /// The deadline applies between the steps of a decision, while it waits for its turn or for a read, and while the store
    /// writes.
    pub struct DecideOptions {
        /// Lets the closure decide on the default aggregate if the log does not exist, and creates the log with the events that
        /// it returns. `false` by default.
        pub create_if_missing: bool = false,
        /// The number of attempts: an attempt fails if another write changes the state that the closure has decided on. 20
        /// attempts by default, and at least 1. If the closure has decided on a cached state that was out of date before the
        /// call, this does not count as an attempt. From the 101st time in one call on, it does.
        pub max_attempts: u32 = 20,
        /// The index of the last event that the caller has seen, for instance from an `If-Match` header. If the log ends
        /// elsewhere, the closure does not decide, and the error is
        /// [`UnexpectedIndex`](crate::LogManagerError::UnexpectedIndex). None by default.
        ///
        /// An idempotency key counts first: the retry of a decision that took effect is a [replay](crate::Decided::replay),
        /// although the log has moved. It is for decisions on one log: decisions on several logs refuse it
        /// ([`InvalidAppend::ExpectedIndex`](crate::stores::InvalidAppend::ExpectedIndex)).
        pub expected_index: Option<u64> = None,
    }
    /// The default options, for a call whose future is kept in a variable: `&DecideOptions::default()` would not live long
    /// enough there. Write `decide(log_id, DecideOptions::NONE, closure)`.
    NONE
}

impl CreateOptions {
    /// Converts the store's error into the caller's. For `create`, a key that was used on another log means a replay, because
    /// the purpose of the key is that only one log is created.
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
    /// Converts the store's error into that of an append to one log.
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
    /// Returns `true` if the key was used for something else than this decision.
    pub(super) fn is_reused(&self, replay: &Replay, log_id: LogId) -> bool {
        is_reused(replay, log_id, self.request_fingerprint)
    }
}

/// Returns `true` if a key was used on another log, or for another request.
fn is_reused(replay: &Replay, log_id: LogId, fingerprint: Option<RequestFingerprint>) -> bool {
    replay.state.log_id() != log_id || replay.is_of_another_request(fingerprint)
}
