//! What to do after an error of subscriptions.

use crate::error_kind::ErrorKind;
use crate::subscriptions::error::{SubscriptionError, WaitError};

impl SubscriptionError {
    /// Returns what to do after this error.
    ///
    /// - [`NotFound`](ErrorKind::NotFound): [`NotFound`](SubscriptionError::NotFound) and
    ///   [`NotParked`](SubscriptionError::NotParked).
    /// - [`Internal`](ErrorKind::Internal): [`Duplicate`](SubscriptionError::Duplicate).
    /// - [`Refused`](SubscriptionError::Refused) and [`Store`](SubscriptionError::Store): the kind of
    ///   [the source](crate::projection::RegisterError::kind) or of [the store's error](crate::stores::StoreError::kind).
    ///
    /// ```
    /// use eventlogs::{ErrorKind, subscriptions::SubscriptionError};
    ///
    /// let error = SubscriptionError::NotFound { name: "sales".to_owned() };
    /// assert_eq!(error.kind(), ErrorKind::NotFound);
    /// ```
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Duplicate { .. } => ErrorKind::Internal,
            Self::NotFound { .. } | Self::NotParked { .. } => ErrorKind::NotFound,
            Self::Refused { source, .. } => source.kind(),
            Self::Store(error) => error.kind(),
        }
    }

    /// Returns `true` if the same call may succeed later although nobody changes anything: after some errors of the database.
    ///
    /// ```
    /// use eventlogs::{stores::StoreError, subscriptions::SubscriptionError};
    ///
    /// assert!(SubscriptionError::Store(StoreError::Overloaded).is_retryable());
    /// ```
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Duplicate { .. } | Self::NotFound { .. } | Self::NotParked { .. } => false,
            Self::Refused { source, .. } => source.is_retryable(),
            Self::Store(error) => error.is_retryable(),
        }
    }
}

impl WaitError {
    /// Returns what to do after this error.
    ///
    /// - [`TryAgain`](ErrorKind::TryAgain): [`TimedOut`](WaitError::TimedOut). The event was not lost; only the wait is over.
    /// - [`NotFound`](ErrorKind::NotFound): [`NoSuchEvent`](WaitError::NoSuchEvent).
    /// - [`Internal`](ErrorKind::Internal): [`Stopped`](WaitError::Stopped) and [`Parked`](WaitError::Parked), which somebody must
    ///   resume or retry; [`NotFound`](WaitError::NotFound), because the name of the subscription is in the code of the service.
    /// - [`Store`](WaitError::Store): [the kind](crate::stores::StoreError::kind) of the store's error.
    ///
    /// ```
    /// use eventlogs::{ErrorKind, subscriptions::WaitError};
    ///
    /// let late = WaitError::TimedOut { name: "sales".to_owned(), behind: Some(12) };
    /// assert_eq!(late.kind(), ErrorKind::TryAgain);
    /// ```
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::TimedOut { .. } => ErrorKind::TryAgain,
            Self::NoSuchEvent { .. } => ErrorKind::NotFound,
            Self::Stopped { .. } | Self::Parked { .. } | Self::NotFound { .. } => {
                ErrorKind::Internal
            }
            Self::Store(error) => error.kind(),
        }
    }

    /// Returns `true` if the same wait may succeed later although nobody changes anything: after a
    /// [`TimedOut`](WaitError::TimedOut), and after some errors of the database.
    ///
    /// ```
    /// use eventlogs::subscriptions::WaitError;
    ///
    /// let late = WaitError::TimedOut { name: "sales".to_owned(), behind: None };
    /// assert!(late.is_retryable());
    /// ```
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::TimedOut { .. } => true,
            Self::NoSuchEvent { .. }
            | Self::Stopped { .. }
            | Self::Parked { .. }
            | Self::NotFound { .. } => false,
            Self::Store(error) => error.is_retryable(),
        }
    }
}
