//! What to do after an error of a manager.

use crate::error_kind::ErrorKind;
use crate::manager::error::{DecideError, LogManagerError};

impl LogManagerError {
    /// Returns what to do after this error.
    ///
    /// - [`Done`](ErrorKind::Done): [`IdempotentReplay`](LogManagerError::IdempotentReplay) and
    ///   [`StoredWithoutState`](LogManagerError::StoredWithoutState). The events are stored.
    /// - [`Conflict`](ErrorKind::Conflict): [`ConcurrentAppend`](LogManagerError::ConcurrentAppend),
    ///   [`UnexpectedIndex`](LogManagerError::UnexpectedIndex) and [`LogAlreadyExists`](LogManagerError::LogAlreadyExists).
    /// - [`NotFound`](ErrorKind::NotFound): [`LogNotFound`](LogManagerError::LogNotFound), and
    ///   [`WrongKind`](LogManagerError::WrongKind), because there is no log of this manager's kind with that id.
    /// - [`Invalid`](ErrorKind::Invalid): [`IdempotencyKeyReused`](LogManagerError::IdempotencyKeyReused) and
    ///   [`OtherListOrder`](LogManagerError::OtherListOrder).
    /// - [`Unreadable`](ErrorKind::Unreadable): [`Decode`](LogManagerError::Decode) and
    ///   [`BrokenLog`](LogManagerError::BrokenLog).
    /// - [`Internal`](ErrorKind::Internal): [`Encode`](LogManagerError::Encode).
    /// - [`TryAgain`](ErrorKind::TryAgain): [`NotForgotten`](LogManagerError::NotForgotten).
    /// - [`Invalid`](LogManagerError::Invalid) and [`Store`](LogManagerError::Store): the kind of
    ///   [the request's error](crate::stores::InvalidAppend::kind) or of [the store's](crate::stores::StoreError::kind).
    ///
    /// ```
    /// use eventlogs::stores::{InvalidAppend, StoreError};
    /// use eventlogs::{ErrorKind, LogManagerError};
    ///
    /// let lost = LogManagerError::Store(StoreError::OutcomeUnknown { source: None });
    /// assert_eq!(lost.kind(), ErrorKind::InDoubt);
    ///
    /// let too_long = LogManagerError::Invalid(InvalidAppend::IdempotencyKey { bytes: 9_000 });
    /// assert_eq!(too_long.kind(), ErrorKind::Invalid);
    /// ```
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::IdempotentReplay { .. } | Self::StoredWithoutState { .. } => ErrorKind::Done,
            Self::IdempotencyKeyReused { .. } => ErrorKind::Invalid,
            Self::ConcurrentAppend { .. }
            | Self::UnexpectedIndex { .. }
            | Self::LogAlreadyExists { .. } => ErrorKind::Conflict,
            Self::LogNotFound { .. } | Self::WrongKind { .. } => ErrorKind::NotFound,
            Self::BrokenLog { .. } => ErrorKind::Unreadable,
            Self::NotForgotten { .. } => ErrorKind::TryAgain,
            Self::Invalid(error) => error.kind(),
            Self::Encode(error) => error.kind(),
            Self::Decode(error) => error.kind(),
            Self::Store(error) => error.kind(),
            Self::OtherListOrder(error) => error.kind(),
        }
    }

    /// Returns `true` if the same call may succeed later although nobody changes anything, and repeating it does no harm. Wait
    /// before you repeat it.
    ///
    /// That is so after [`NotForgotten`](LogManagerError::NotForgotten), and after some errors of the store: see
    /// [`StoreError::is_retryable`](crate::stores::StoreError::is_retryable). It is not so after
    /// [`ConcurrentAppend`](LogManagerError::ConcurrentAppend): the state that the append builds on is over.
    ///
    /// ```
    /// use eventlogs::{ErrorKind, LogManagerError, stores::StoreError};
    ///
    /// let busy = LogManagerError::Store(StoreError::Busy { source: "database is locked".into() });
    /// assert!(busy.is_retryable());
    ///
    /// // May a call with an idempotency key be repeated?
    /// let with_key = |error: &LogManagerError| error.is_retryable() || error.kind() == ErrorKind::InDoubt;
    /// let lost = LogManagerError::Store(StoreError::OutcomeUnknown { source: None });
    /// assert!(!lost.is_retryable());
    /// assert!(with_key(&lost));
    /// ```
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::IdempotentReplay { .. }
            | Self::StoredWithoutState { .. }
            | Self::IdempotencyKeyReused { .. }
            | Self::ConcurrentAppend { .. }
            | Self::UnexpectedIndex { .. }
            | Self::LogAlreadyExists { .. }
            | Self::LogNotFound { .. }
            | Self::WrongKind { .. }
            | Self::BrokenLog { .. }
            | Self::Invalid(_)
            | Self::Encode(_)
            | Self::Decode(_)
            | Self::OtherListOrder(_) => false,
            Self::NotForgotten { .. } => true,
            Self::Store(error) => error.is_retryable(),
        }
    }
}

impl<R> DecideError<R> {
    /// Returns what to do after this error: [`Refused`](ErrorKind::Refused) if the closure has refused, else
    /// [the kind](LogManagerError::kind) of the [`LogManagerError`].
    ///
    /// ```
    /// use eventlogs::{DecideError, ErrorKind};
    ///
    /// let refused = DecideError::Refused("too much");
    /// assert_eq!(refused.kind(), ErrorKind::Refused);
    /// ```
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Refused(_) => ErrorKind::Refused,
            Self::Log(error) => error.kind(),
        }
    }

    /// Returns `true` if the same decision may succeed later although nobody changes anything, and repeating it does no harm. Wait
    /// before you repeat it.
    ///
    /// That is so if [`LogManagerError::is_retryable`] says so, and after
    /// [`ConcurrentAppend`](LogManagerError::ConcurrentAppend): the decision has used up its attempts, and the next call begins
    /// with the newest state. A refusal is not such: it was made on a confirmed state, and stands until the state changes.
    ///
    /// ```
    /// use eventlogs::{DecideError, stores::StoreError};
    ///
    /// let error: DecideError<&str> = DecideError::Log(StoreError::Overloaded.into());
    /// assert!(error.is_retryable());
    /// assert!(!DecideError::Refused("too much").is_retryable());
    /// ```
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Refused(_) => false,
            Self::Log(LogManagerError::ConcurrentAppend { .. }) => true,
            Self::Log(error) => error.is_retryable(),
        }
    }
}
