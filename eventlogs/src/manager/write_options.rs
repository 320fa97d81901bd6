//! Options of a single write.

use crate::ids::LogId;
use crate::manager::error::LogManagerError;
use crate::metadata::Metadata;
use crate::stores::error::AppendError;
use crate::stores::idempotency::{IdempotencyKey, IdempotencyScope, Replay, RequestFingerprint};
use crate::stores::write::WriteContext;
use chrono::{DateTime, Utc};
use std::time::Instant;

/// Declares a struct of options with the fields that all writes share, so that each of these is written once. The structs stay
/// flat, because users type them.
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
            /// Lets the write happen only once, however often the call is retried: 1 to 512 bytes.
            pub idempotency_key: Option<String>,
            /// The writes among which the key is unique; by default, those to all logs.
            pub idempotency_scope: IdempotencyScope,
            /// A digest of what the request asks for. A key that comes again with another digest is an error, not a replay.
            pub request_fingerprint: Option<RequestFingerprint>,
            /// When the events happened, if that differs from when they are recorded; within the range of
            /// [`Limits::EARLIEST_OCCURRED_AT`](crate::stores::Limits::EARLIEST_OCCURRED_AT).
            pub occurred_at: Option<DateTime<Utc>>,
            /// The metadata that is stored with each of the events.
            pub metadata: Metadata,
            /// When to stop waiting, if that is before the store's own timeout.
            ///
            /// If it passes before anything was written, as it may have before the call, the error is
            /// [`DeadlineExceeded`](crate::stores::StoreError::DeadlineExceeded); if it passes while the events are being
            /// written, it is [`OutcomeUnknown`](crate::stores::StoreError::OutcomeUnknown), unless the store learns the
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

            /// What a write to this log is given, with metadata that the manager's source has completed.
            pub(crate) fn context(&self, log_id: LogId, metadata: Metadata) -> WriteContext<'_> {
                WriteContext {
                    idempotency_key: self.key(log_id),
                    occurred_at: self.occurred_at,
                    metadata,
                    deadline: self.deadline,
                }
            }

            /// The key, in its scope.
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
    /// The defaults, for a call whose future is kept in a variable: `&CreateOptions::default()` would not live long enough
    /// there. Write `create(LogId::new(), &event, CreateOptions::NONE)`.
    NONE
}

write_options! {
    /// Options of [`LogManager::append`](crate::LogManager::append), [`append_all`](crate::LogManager::append_all) and
    /// [`append_across`](crate::LogManager::append_across).
    pub struct AppendOptions {}
    /// The defaults, for a call whose future is kept in a variable: `&AppendOptions::default()` would not live long enough
    /// there. Write `append(state, &event, AppendOptions::NONE)`.
    NONE
}

write_options! {
    /// Options of [`LogManager::decide`](crate::LogManager::decide).
    ///
    /// The deadline is checked between the steps, while others decide on the log, and by the store while it writes.
    pub struct DecideOptions {
        /// Decides on the default aggregate where there is no log yet, and creates the log with the events decided on.
        pub create_if_missing: bool = false,
        /// How often the closure may decide on a state that others then change; 20 by default, and at least once. A cached
        /// state that was already out of date costs no attempt.
        pub max_attempts: u32 = 20,
    }
    /// The defaults, for a call whose future is kept in a variable: `&DecideOptions::default()` would not live long enough
    /// there. Write `decide(log_id, DecideOptions::NONE, closure)`.
    NONE
}

impl CreateOptions {
    /// The error for the caller. A key that was found on another log is a replay: to create only one log is its purpose.
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
    /// The error for the caller of an append to one log.
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
    /// Whether the key was used for something else than this decision.
    pub(super) fn is_reused(&self, replay: &Replay, log_id: LogId) -> bool {
        is_reused(replay, log_id, self.request_fingerprint)
    }
}

/// Whether a key was used on another log, or for another request.
fn is_reused(replay: &Replay, log_id: LogId, fingerprint: Option<RequestFingerprint>) -> bool {
    replay.state.log_id() != log_id || replay.is_of_another_request(fingerprint)
}
