//! Errors by what their reader does next.

use std::fmt;

/// What to do after an error.
///
/// The errors of this crate have a `kind()` and an `is_retryable()`. A service that turns errors into responses, counts them or
/// tries again needs these two, and not a list of all variants. The guide shows that on the page
/// [Errors and HTTP](crate::guide::errors).
///
/// | Kind | What to do | HTTP |
/// |---|---|---|
/// | [`Invalid`](ErrorKind::Invalid) | correct the request | 400 |
/// | [`Refused`](ErrorKind::Refused) | return the reason to the caller | 422 |
/// | [`NotFound`](ErrorKind::NotFound) | check the id | 404 |
/// | [`Conflict`](ErrorKind::Conflict) | read the newest state, and decide again | 409 |
/// | [`TryAgain`](ErrorKind::TryAgain) | repeat it after a pause; nothing was written | 503 |
/// | [`InDoubt`](ErrorKind::InDoubt) | repeat it with the same idempotency key only | 504 |
/// | [`Done`](ErrorKind::Done) | take it as the outcome | 200 |
/// | [`Internal`](ErrorKind::Internal) | call an operator or a developer | 500 |
/// | [`Unreadable`](ErrorKind::Unreadable) | call an operator or a developer; decide nothing on this log | 500 |
///
/// ```
/// use eventlogs::{ErrorKind, LogManagerError, stores::StoreError};
///
/// fn status(error: &LogManagerError) -> u16 {
///     match error.kind() {
///         ErrorKind::Invalid => 400,
///         ErrorKind::NotFound => 404,
///         ErrorKind::Conflict => 409,
///         ErrorKind::TryAgain => 503,
///         _ => 500,
///     }
/// }
///
/// assert_eq!(status(&StoreError::Overloaded.into()), 503);
/// assert_eq!(status(&StoreError::Closed.into()), 500);
/// ```
///
/// # Repeating a call
///
/// `is_retryable()` returns `true` if both hold: the same call may succeed later although nobody changes anything, and repeating
/// it as it is does no harm. Wait before you repeat it, and longer each time: an overloaded database does not recover from a
/// storm of retries. It is narrower than [`TryAgain`](ErrorKind::TryAgain):
///
/// - [`Busy`](crate::stores::StoreError::Busy), [`Overloaded`](crate::stores::StoreError::Overloaded),
///   [`Unavailable`](crate::stores::StoreError::Unavailable) and [`NoPrimary`](crate::stores::StoreError::NoPrimary): `true`.
///   Nothing was written, and the cause may pass.
/// - [`DeadlineExceeded`](crate::stores::StoreError::DeadlineExceeded): `false`. Nothing was written, but the deadline is a point
///   in time, and the same call fails at once. A caller who has more time gives a later deadline.
/// - [`OutcomeUnknown`](crate::stores::StoreError::OutcomeUnknown): `false`. The call may be repeated if it has an idempotency
///   key, which the error does not know. Without a key it could write twice.
/// - [`ConcurrentAppend`](crate::LogManagerError::ConcurrentAppend): `false` for an append, which builds on a state that is over.
///   `true` in a [`DecideError`](crate::DecideError): a decision that has used up its attempts begins with the newest state again.
/// - [`TransactionFailed`](crate::stores::StoreError::TransactionFailed) and
///   [`TransactionTooOld`](crate::stores::StoreError::TransactionTooOld): `true`, and so is every other passing error in a
///   transaction of the caller. What is repeated is the whole transaction: roll it back, and run it from its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request is wrong, and nothing was written. Correct it; the same request fails again.
    ///
    /// Examples: an idempotency key that is too long or was used for another operation, a payload that is too large, a text that
    /// is not a cursor. HTTP: 400, or 413 and 422 where the variant is known.
    Invalid,
    /// The closure of a decision has refused, on a state that the store has confirmed. Nothing was written.
    ///
    /// The reason is the service's own: return it to the caller. HTTP: 422, or what the reason asks for.
    Refused,
    /// The request names a log, or something else, that does not exist or is of another kind. For example, it gives the id of an
    /// order as that of a payment. Nothing was written. HTTP: 404.
    NotFound,
    /// Another writer was first, and nothing was written. Read the newest state and decide again, or tell the caller to do so.
    ///
    /// HTTP: 409; 412 if the request had an `If-Match` header.
    Conflict,
    /// A passing failure: nothing was written, and a later attempt may succeed. HTTP: 503 with `Retry-After`.
    TryAgain,
    /// The write may be stored or not: its answer was lost. Repeat it with the same idempotency key, or reduce the log to see what
    /// is stored. Without a key, a repetition could write twice. HTTP: 504.
    InDoubt,
    /// The write has happened: by an earlier call with the same idempotency key, or by this call, which then failed to compute the
    /// state. Take it as the outcome; do not repeat it with another key. HTTP: the status of a success.
    Done,
    /// The service cannot do this as it is deployed: its configuration, its privileges, its storage space or its code are the
    /// cause. Nothing was written. Neither the caller nor a later attempt can change that: alert an operator or a developer.
    /// HTTP: 500.
    Internal,
    /// Stored data cannot be read: an event is of newer or removed code, a log has a gap, a file is damaged. Nothing was written,
    /// and nothing was skipped. Deploy code that reads the data, or restore it; until then no decision on it is possible. HTTP: 500.
    Unreadable,
}

impl ErrorKind {
    /// Returns the name of the kind, for labels of metrics and fields of logs. The names do not change with later versions.
    ///
    /// ```
    /// use eventlogs::{ErrorKind, stores::StoreError};
    ///
    /// assert_eq!(ErrorKind::TryAgain.as_str(), "try_again");
    /// assert_eq!(StoreError::Closed.kind().to_string(), "internal");
    /// ```
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Refused => "refused",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::TryAgain => "try_again",
            Self::InDoubt => "in_doubt",
            Self::Done => "done",
            Self::Internal => "internal",
            Self::Unreadable => "unreadable",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
