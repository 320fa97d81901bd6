//! What to do after an error of a projection.

use crate::error_kind::ErrorKind;
#[cfg(feature = "_database")]
use crate::projection::catch_up::CatchUpError;
use crate::projection::checkpoint::RegisterError;
use crate::projection::handler::HandlerError;
use crate::projection::page::PageError;
use crate::projection::row_error::RowError;
use crate::stores::error::passing::{kind_of_cause, passes};

impl HandlerError {
    /// Returns what to do after this error.
    ///
    /// - [`Unreadable`](ErrorKind::Unreadable): [`Decode`](HandlerError::Decode).
    /// - [`Internal`](ErrorKind::Internal): [`Panicked`](HandlerError::Panicked) and [`TimedOut`](HandlerError::TimedOut).
    /// - [`Failed`](HandlerError::Failed): [`TryAgain`](ErrorKind::TryAgain) if a connection or a lock is among the causes, as in
    ///   [`StoreError::kind`](crate::stores::StoreError::kind); else [`Internal`](ErrorKind::Internal).
    /// - [`Row`](HandlerError::Row): [the kind](RowError::kind) of the row's error.
    ///
    /// ```
    /// use eventlogs::{ErrorKind, HandlerError};
    ///
    /// let panicked = HandlerError::Panicked { message: "index out of bounds".to_owned() };
    /// assert_eq!(panicked.kind(), ErrorKind::Internal);
    /// ```
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Decode(error) => error.kind(),
            Self::Failed { source } => kind_of_cause(&**source),
            Self::Panicked { .. } | Self::TimedOut { .. } => ErrorKind::Internal,
            Self::Row(error) => error.kind(),
        }
    }

    /// Returns `true` if the same event may be handled later although nobody changes anything: the cause passes.
    ///
    /// ```
    /// use eventlogs::HandlerError;
    /// use std::io;
    ///
    /// let lost = io::Error::from(io::ErrorKind::ConnectionReset);
    /// assert!(HandlerError::Failed { source: lost.into() }.is_retryable());
    /// ```
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Decode(_) | Self::Panicked { .. } | Self::TimedOut { .. } => false,
            Self::Failed { source } => passes(&**source),
            Self::Row(error) => error.is_retryable(),
        }
    }
}

impl PageError {
    /// Returns what to do after this error: [the kind](HandlerError::kind) of the handler's error.
    ///
    /// ```
    /// use eventlogs::{ErrorKind, HandlerError, projection::PageError};
    ///
    /// let error = PageError::OneEvent(3, HandlerError::TimedOut { seconds: 30 });
    /// assert_eq!(error.kind(), ErrorKind::Internal);
    /// ```
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::OneEvent(_, error) | Self::SomeEvent(error) => error.kind(),
        }
    }

    /// Returns `true` if the same page may be applied later although nobody changes anything: the cause passes.
    ///
    /// ```
    /// use eventlogs::{HandlerError, projection::PageError};
    ///
    /// assert!(!PageError::SomeEvent(HandlerError::TimedOut { seconds: 30 }).is_retryable());
    /// ```
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::OneEvent(_, error) | Self::SomeEvent(error) => error.is_retryable(),
        }
    }
}

impl RowError {
    /// Returns what to do after this error.
    ///
    /// - [`Internal`](ErrorKind::Internal): [`Table`](RowError::Table) and [`Unwritable`](RowError::Unwritable).
    /// - [`Unreadable`](ErrorKind::Unreadable): [`Unreadable`](RowError::Unreadable).
    /// - [`Database`](RowError::Database): [`TryAgain`](ErrorKind::TryAgain) if its cause passes, as in
    ///   [`StoreError::kind`](crate::stores::StoreError::kind); else [`Internal`](ErrorKind::Internal).
    ///
    /// ```
    /// use eventlogs::{ErrorKind, projection::RowError};
    ///
    /// let error = RowError::Database { table: "orders", source: "no such column: total".into() };
    /// assert_eq!(error.kind(), ErrorKind::Internal);
    /// ```
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Table { .. } | Self::Unwritable { .. } => ErrorKind::Internal,
            Self::Unreadable { .. } => ErrorKind::Unreadable,
            Self::Database { source, .. } => kind_of_cause(&**source),
        }
    }

    /// Returns `true` if the same rows may be read or written later although nobody changes anything: the cause passes.
    ///
    /// ```
    /// use eventlogs::projection::RowError;
    ///
    /// let error = RowError::Database { table: "orders", source: "no such column: total".into() };
    /// assert!(!error.is_retryable());
    /// ```
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Table { .. } | Self::Unwritable { .. } | Self::Unreadable { .. } => false,
            Self::Database { source, .. } => passes(&**source),
        }
    }
}

#[cfg(feature = "_database")]
impl CatchUpError {
    /// Returns what to do after this error.
    ///
    /// - [`NotApplied`](CatchUpError::NotApplied): [the kind](HandlerError::kind) of the handler's error.
    /// - [`Internal`](ErrorKind::Internal): [`NoIndex`](CatchUpError::NoIndex).
    /// - [`Unreadable`](ErrorKind::Unreadable): [`BrokenLog`](CatchUpError::BrokenLog).
    /// - [`Row`](CatchUpError::Row) and [`Store`](CatchUpError::Store): the kind of [the row's error](RowError::kind) or of
    ///   [the store's](crate::stores::StoreError::kind).
    ///
    /// ```
    /// use eventlogs::{ErrorKind, projection::CatchUpError, stores::StoreError};
    ///
    /// let error = CatchUpError::Store(StoreError::Overloaded);
    /// assert_eq!(error.kind(), ErrorKind::TryAgain);
    /// ```
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NotApplied { source, .. } => source.kind(),
            Self::NoIndex { .. } => ErrorKind::Internal,
            Self::BrokenLog { .. } => ErrorKind::Unreadable,
            Self::Row(error) => error.kind(),
            Self::Store(error) => error.kind(),
        }
    }

    /// Returns `true` if the whole transaction may succeed later although nobody changes anything: the cause passes. Roll it back,
    /// and run it from its beginning.
    ///
    /// ```
    /// use eventlogs::{projection::CatchUpError, stores::StoreError};
    ///
    /// assert!(CatchUpError::Store(StoreError::Overloaded).is_retryable());
    /// ```
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::NotApplied { source, .. } => source.is_retryable(),
            Self::NoIndex { .. } | Self::BrokenLog { .. } => false,
            Self::Row(error) => error.is_retryable(),
            Self::Store(error) => error.is_retryable(),
        }
    }
}

impl RegisterError {
    /// Returns what to do after this error.
    ///
    /// - [`Internal`](ErrorKind::Internal): [`Refused`](RegisterError::Refused).
    /// - [`Create`](RegisterError::Create): [`TryAgain`](ErrorKind::TryAgain) if its cause passes, as in
    ///   [`StoreError::kind`](crate::stores::StoreError::kind); else [`Internal`](ErrorKind::Internal).
    /// - [`Store`](RegisterError::Store): [the kind](crate::stores::StoreError::kind) of the store's error.
    ///
    /// ```
    /// use eventlogs::{ErrorKind, projection::RegisterError};
    ///
    /// let error = RegisterError::Create { source: "syntax error at end of input".into() };
    /// assert_eq!(error.kind(), ErrorKind::Internal);
    /// ```
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Refused { .. } => ErrorKind::Internal,
            Self::Create { source } => kind_of_cause(&**source),
            Self::Store(error) => error.kind(),
        }
    }

    /// Returns `true` if the same subscription may be registered later although nobody changes anything: the cause passes.
    ///
    /// ```
    /// use eventlogs::{projection::RegisterError, stores::StoreError};
    ///
    /// assert!(RegisterError::Store(StoreError::Overloaded).is_retryable());
    /// ```
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Refused { .. } => false,
            Self::Create { source } => passes(&**source),
            Self::Store(error) => error.is_retryable(),
        }
    }
}
