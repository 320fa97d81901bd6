//! The values of the label `result`.

use crate::error_kind::ErrorKind;
use crate::manager::error::{DecideError, LogManagerError};

/// The call has done what it was asked for.
pub(super) const OK: &str = "ok";
/// The idempotency key was used before.
pub(super) const REPLAY: &str = "replay";
/// The closure of a decision has refused.
pub(super) const REFUSED: &str = ErrorKind::Refused.as_str();
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
    ErrorKind::Invalid.as_str(),
    ErrorKind::Conflict.as_str(),
    ErrorKind::NotFound.as_str(),
    ErrorKind::TryAgain.as_str(),
    ErrorKind::Internal.as_str(),
    ErrorKind::Unreadable.as_str(),
    ErrorKind::Done.as_str(),
    ErrorKind::InDoubt.as_str(),
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
        error => error.kind().as_str(),
    }
}
