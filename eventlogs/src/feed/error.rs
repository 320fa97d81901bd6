//! The errors of a feed.

use crate::cursor::Cursor;
use crate::error_kind::ErrorKind;
use crate::ids::LogId;
use crate::stores::error::DecodeError;
use crate::stores::error::store::StoreError;

/// The feed cannot go on.
///
/// [`kind`](FeedError::kind) says what to do next, and the guide has [a page about it](crate::guide::errors).
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum FeedError {
    /// The feed comes to an event out of the order of its log. Either the event before it was not delivered, and the log does
    /// not have it; or a later event was delivered before. Only a program that writes to the tables by itself can cause that.
    #[error(
        "the feed comes to event {index} of log {log_id} out of order: either the event before it was neither delivered nor found \
         in the log, or a later event was delivered before; find out which program changes the table of events, and rebuild what \
         was derived from the feed"
    )]
    Skipped {
        /// The log.
        log_id: LogId,
        /// The index of the event that comes too early or too late.
        index: u64,
    },
    /// The feed does not have the event that the cursor names: the database was restored to an earlier state, or another server
    /// has taken over without the last events. Events that were delivered may be gone, and others may have taken their place.
    #[error(
        "the feed does not have the event of cursor `{cursor}`: the database was restored to an earlier state, or is another one; \
         rebuild what was derived from the feed from the beginning, or continue from a cursor that is older than the restored state"
    )]
    FeedRewound {
        /// The cursor.
        cursor: Cursor,
    },
    /// This code cannot read an event that it wants.
    #[error(transparent)]
    Decode(#[from] Box<DecodeError>),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl FeedError {
    /// Returns what to do after this error.
    ///
    /// - [`Unreadable`](ErrorKind::Unreadable): [`Skipped`](FeedError::Skipped) and [`Decode`](FeedError::Decode).
    /// - [`Internal`](ErrorKind::Internal): [`FeedRewound`](FeedError::FeedRewound). An operator has restored the database or
    ///   changed servers, and decides what is rebuilt.
    /// - [`Store`](FeedError::Store): [the kind](StoreError::kind) of the store's error.
    ///
    /// ```
    /// use eventlogs::{Cursor, ErrorKind, FeedError};
    ///
    /// let rewound = FeedError::FeedRewound { cursor: Cursor::START };
    /// assert_eq!(rewound.kind(), ErrorKind::Internal);
    /// ```
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Skipped { .. } => ErrorKind::Unreadable,
            Self::FeedRewound { .. } => ErrorKind::Internal,
            Self::Decode(error) => error.kind(),
            Self::Store(error) => error.kind(),
        }
    }

    /// Returns `true` if the same page may be read later although nobody changes anything: after some errors of the store.
    ///
    /// ```
    /// use eventlogs::{FeedError, stores::StoreError};
    ///
    /// assert!(FeedError::Store(StoreError::Overloaded).is_retryable());
    /// ```
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Skipped { .. } | Self::FeedRewound { .. } | Self::Decode(_) => false,
            Self::Store(error) => error.is_retryable(),
        }
    }
}
