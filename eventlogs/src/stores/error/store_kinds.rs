//! What to do after an error of a database.

use crate::error_kind::ErrorKind;
use crate::stores::error::passing::kind_of_cause;
use crate::stores::error::store::StoreError;

impl StoreError {
    /// Returns what to do after this error.
    ///
    /// - [`TryAgain`](ErrorKind::TryAgain): [`Unavailable`](StoreError::Unavailable), [`NoPrimary`](StoreError::NoPrimary),
    ///   [`Busy`](StoreError::Busy), [`Overloaded`](StoreError::Overloaded), [`DeadlineExceeded`](StoreError::DeadlineExceeded),
    ///   [`TransactionFailed`](StoreError::TransactionFailed) and [`TransactionTooOld`](StoreError::TransactionTooOld).
    /// - [`InDoubt`](ErrorKind::InDoubt): [`OutcomeUnknown`](StoreError::OutcomeUnknown).
    /// - [`Unreadable`](ErrorKind::Unreadable): [`Corrupt`](StoreError::Corrupt).
    /// - [`Database`](StoreError::Database) depends on its cause. It is [`TryAgain`](ErrorKind::TryAgain) for a lost connection, a
    ///   lock, and the SQLSTATE classes 08 (connection), 40 (conflict of transactions), 53 (resources) and 57 (operator), but not
    ///   57014 (statement cancelled). Everything else is [`Internal`](ErrorKind::Internal): a trigger that refuses, a changed
    ///   table, or a bug of this crate.
    /// - [`Internal`](ErrorKind::Internal): all others.
    ///
    /// A full disk is [`Internal`](ErrorKind::Internal) because it stays full until somebody acts. So is
    /// [`Closed`](StoreError::Closed): the service has closed the store before its last call. So is
    /// [`TransactionUnusable`](StoreError::TransactionUnusable), whose cause is in the code that uses the transaction.
    ///
    /// ```
    /// use eventlogs::{ErrorKind, stores::StoreError};
    ///
    /// let locked = StoreError::Busy { source: "database is locked".into() };
    /// assert_eq!(locked.kind(), ErrorKind::TryAgain);
    ///
    /// let refused = StoreError::Database { source: "a trigger refuses the row".into() };
    /// assert_eq!(refused.kind(), ErrorKind::Internal);
    /// ```
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Unavailable { .. }
            | Self::NoPrimary { .. }
            | Self::Busy { .. }
            | Self::Overloaded
            | Self::DeadlineExceeded
            | Self::TransactionTooOld { .. }
            | Self::TransactionFailed { .. } => ErrorKind::TryAgain,
            Self::OutcomeUnknown { .. } => ErrorKind::InDoubt,
            Self::Corrupt { .. } => ErrorKind::Unreadable,
            Self::Database { source } => kind_of_cause(&**source),
            Self::FileReplaced { .. }
            | Self::UnrelatedTable { .. }
            | Self::LogTypeTwice { .. }
            | Self::NotMigrated { .. }
            | Self::NewerSchema { .. }
            | Self::AccessDenied { .. }
            | Self::Tls { .. }
            | Self::InsufficientPrivilege { .. }
            | Self::StorageFull { .. }
            | Self::ReadOnly { .. }
            | Self::Pooler { .. }
            | Self::UnstorableName { .. }
            | Self::TransactionUnusable { .. }
            | Self::Closed => ErrorKind::Internal,
        }
    }

    /// Returns `true` if the same call may succeed later although nobody changes anything, and repeating it does no harm: after
    /// all errors of the kind [`TryAgain`](ErrorKind::TryAgain) except [`DeadlineExceeded`](StoreError::DeadlineExceeded), whose
    /// deadline stays over. [`ErrorKind`](ErrorKind#repeating-a-call) has the details.
    ///
    /// ```
    /// use eventlogs::stores::StoreError;
    ///
    /// assert!(StoreError::Overloaded.is_retryable());
    /// assert!(!StoreError::DeadlineExceeded.is_retryable());
    /// // It may be stored: whoever repeats it needs an idempotency key.
    /// assert!(!StoreError::OutcomeUnknown { source: None }.is_retryable());
    /// ```
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.kind() == ErrorKind::TryAgain && !matches!(self, Self::DeadlineExceeded)
    }
}
