//! The values of the label `result`.

use crate::manager::error::{DecideError, LogManagerError};
use crate::stores::error::store::StoreError;

/// The call has done what it was asked for.
pub(super) const OK: &str = "ok";
/// The idempotency key was used before.
pub(super) const REPLAY: &str = "replay";
/// The closure of a decision has refused.
pub(super) const REFUSED: &str = "refused";
/// The future of the call was dropped before its end.
pub(super) const DROPPED: &str = "dropped";
/// A closure, a handler of the aggregate or other code of the user has panicked.
pub(super) const PANICKED: &str = "panicked";

/// All values. A key is kept for each.
pub(super) const ALL: [&str; 13] = [
    OK,
    REPLAY,
    REFUSED,
    DROPPED,
    PANICKED,
    "caller",
    "conflict",
    "not_found",
    "try_again",
    "ours",
    "damaged",
    "done",
    "in_doubt",
];

/// Returns the result of a call.
pub(super) fn of<T>(answer: &Result<T, LogManagerError>) -> &'static str {
    match answer {
        Ok(_) => OK,
        Err(error) => of_error(error),
    }
}

/// Returns the result of a decision.
pub(super) fn of_decision<T, R>(
    answer: &Result<T, DecideError<R>>,
    is_replay: impl FnOnce(&T) -> bool,
) -> &'static str {
    match answer {
        Ok(decided) if is_replay(decided) => REPLAY,
        Ok(_) => OK,
        Err(DecideError::Refused(_)) => REFUSED,
        Err(DecideError::Log(error)) => of_error(error),
    }
}

/// Returns the result of a call about several logs: the first error, if there is one.
pub(super) fn of_all<T>(answers: &[Result<T, LogManagerError>]) -> &'static str {
    let failed = answers.iter().find(|answer| answer.is_err());
    failed.map_or(OK, of)
}

fn of_error(error: &LogManagerError) -> &'static str {
    match error {
        LogManagerError::IdempotentReplay { .. } => REPLAY,
        error => kind(error),
    }
}

/// Returns the kind of an error.
fn kind(error: &LogManagerError) -> &'static str {
    match error {
        LogManagerError::IdempotentReplay { .. } | LogManagerError::StoredWithoutState { .. } => {
            "done"
        }
        LogManagerError::IdempotencyKeyReused { .. }
        | LogManagerError::WrongKind { .. }
        | LogManagerError::Invalid(_)
        | LogManagerError::Encode(_)
        | LogManagerError::OtherListOrder(_) => "caller",
        LogManagerError::ConcurrentAppend { .. } | LogManagerError::LogAlreadyExists { .. } => {
            "conflict"
        }
        LogManagerError::LogNotFound { .. } => "not_found",
        LogManagerError::Decode(_) | LogManagerError::BrokenLog { .. } => "damaged",
        LogManagerError::NotForgotten { .. } => "try_again",
        LogManagerError::Store(error) => kind_of_store_error(error),
    }
}

fn kind_of_store_error(error: &StoreError) -> &'static str {
    match error {
        StoreError::OutcomeUnknown { .. } => "in_doubt",
        StoreError::Corrupt { .. } => "damaged",
        StoreError::Unavailable { .. }
        | StoreError::NoPrimary { .. }
        | StoreError::StorageFull { .. }
        | StoreError::Busy { .. }
        | StoreError::Overloaded
        | StoreError::DeadlineExceeded
        | StoreError::TransactionFailed { .. } => "try_again",
        StoreError::FileReplaced { .. }
        | StoreError::UnrelatedTable { .. }
        | StoreError::LogTypeTwice { .. }
        | StoreError::NotMigrated { .. }
        | StoreError::NewerSchema { .. }
        | StoreError::AccessDenied { .. }
        | StoreError::Tls { .. }
        | StoreError::InsufficientPrivilege { .. }
        | StoreError::ReadOnly { .. }
        | StoreError::Pooler { .. }
        | StoreError::UnstorableName { .. }
        | StoreError::TransactionTooOld { .. }
        | StoreError::TransactionUnusable { .. }
        | StoreError::Closed
        | StoreError::Database { .. } => "ours",
    }
}
