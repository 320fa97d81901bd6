//! What to do after an error of a list.

use crate::error_kind::ErrorKind;
use crate::stores::list::cursor::{OtherListOrder, UnknownListCursor};

impl UnknownListCursor {
    /// Returns [`Invalid`](ErrorKind::Invalid): the text is not a cursor of a list.
    ///
    /// ```
    /// use eventlogs::{ErrorKind, ListCursor};
    ///
    /// let error = "yesterday".parse::<ListCursor>().unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Invalid);
    /// ```
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }

    /// Returns `false`: the same text fails again.
    ///
    /// ```
    /// use eventlogs::ListCursor;
    ///
    /// let error = "yesterday".parse::<ListCursor>().unwrap_err();
    /// assert!(!error.is_retryable());
    /// ```
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        false
    }
}

impl OtherListOrder {
    /// Returns [`Invalid`](ErrorKind::Invalid): the request has a cursor of another order.
    ///
    /// ```
    /// use eventlogs::stores::ListStart;
    /// use eventlogs::{ErrorKind, ListCursor, ListOrder, ids::LogId};
    ///
    /// let by_id = ListCursor::from(LogId::new());
    /// let error = ListStart::new(ListOrder::NewestChange, Some(&by_id)).unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Invalid);
    /// ```
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }

    /// Returns `false`: the same cursor with the same order fails again.
    ///
    /// ```
    /// use eventlogs::{ListCursor, ListOrder, ids::LogId, stores::ListStart};
    ///
    /// let by_id = ListCursor::from(LogId::new());
    /// let error = ListStart::new(ListOrder::NewestChange, Some(&by_id)).unwrap_err();
    /// assert!(!error.is_retryable());
    /// ```
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        false
    }
}
