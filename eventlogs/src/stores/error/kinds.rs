//! What to do after an error of a store.

use crate::error_kind::ErrorKind;
use crate::stores::error::invalid::InvalidAppend;
use crate::stores::error::open::OpenError;
use crate::stores::error::{AppendError, DecodeError, EncodeError, ReadError};

impl AppendError {
    /// Returns what to do after this error.
    ///
    /// A log of another kind is [`NotFound`](ErrorKind::NotFound), because there is no log of the wanted kind with that id.
    ///
    /// ```
    /// use eventlogs::{ErrorKind, ids::LogId, stores::AppendError};
    ///
    /// let exists = AppendError::LogAlreadyExists { log_id: LogId::new() };
    /// assert_eq!(exists.kind(), ErrorKind::Conflict);
    /// ```
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Replay(_) => ErrorKind::Done,
            Self::Conflict { .. } | Self::LogAlreadyExists { .. } => ErrorKind::Conflict,
            Self::LogNotFound { .. } | Self::WrongKind { .. } => ErrorKind::NotFound,
            Self::KeyReused(_) => ErrorKind::Invalid,
            Self::Invalid(error) => error.kind(),
            Self::Encode(error) => error.kind(),
            Self::Store(error) => error.kind(),
        }
    }

    /// Returns `true` if the same append may succeed later although nobody changes anything, and repeating it does no harm. Only
    /// some errors of the database are such: see [`StoreError::is_retryable`](crate::stores::StoreError::is_retryable).
    ///
    /// ```
    /// use eventlogs::stores::{AppendError, StoreError};
    ///
    /// assert!(AppendError::Store(StoreError::Overloaded).is_retryable());
    /// ```
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Replay(_)
            | Self::Conflict { .. }
            | Self::LogAlreadyExists { .. }
            | Self::LogNotFound { .. }
            | Self::WrongKind { .. }
            | Self::KeyReused(_)
            | Self::Invalid(_)
            | Self::Encode(_) => false,
            Self::Store(error) => error.is_retryable(),
        }
    }
}

impl ReadError {
    /// Returns what to do after this error.
    ///
    /// A log of another kind is [`NotFound`](ErrorKind::NotFound), because there is no log of the wanted kind with that id.
    ///
    /// ```
    /// use eventlogs::{ErrorKind, ids::LogId, stores::ReadError};
    ///
    /// let changed = ReadError::HistoryChanged { log_id: LogId::new(), index: 7 };
    /// assert_eq!(changed.kind(), ErrorKind::Conflict);
    /// ```
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::HistoryChanged { .. } => ErrorKind::Conflict,
            Self::WrongKind { .. } => ErrorKind::NotFound,
            Self::Decode(error) => error.kind(),
            Self::Store(error) => error.kind(),
        }
    }

    /// Returns `true` if the same read may succeed later although nobody changes anything: after some errors of the database.
    ///
    /// ```
    /// use eventlogs::stores::{ReadError, StoreError};
    ///
    /// assert!(ReadError::Store(StoreError::Overloaded).is_retryable());
    /// ```
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::HistoryChanged { .. } | Self::WrongKind { .. } | Self::Decode(_) => false,
            Self::Store(error) => error.is_retryable(),
        }
    }
}

impl EncodeError {
    /// Returns [`Internal`](ErrorKind::Internal): the type of the event can have values that its codec cannot store, and a
    /// developer must change it.
    ///
    /// ```
    /// use eventlogs::{ErrorKind, stores::EncodeError};
    ///
    /// let event_type = "payment.captured";
    /// let error = EncodeError::Codec { event_type, source: "NaN is not a number in JSON".into() };
    /// assert_eq!(error.kind(), ErrorKind::Internal);
    /// ```
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::Codec { .. } | Self::NotReadable { .. } => ErrorKind::Internal,
        }
    }

    /// Returns `false`: the same event fails again.
    ///
    /// ```
    /// use eventlogs::stores::EncodeError;
    ///
    /// let event_type = "payment.captured";
    /// let error = EncodeError::Codec { event_type, source: "NaN is not a number in JSON".into() };
    /// assert!(!error.is_retryable());
    /// ```
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::Codec { .. } | Self::NotReadable { .. } => false,
        }
    }
}

impl DecodeError {
    /// Returns [`Unreadable`](ErrorKind::Unreadable): code that reads the event must be deployed.
    ///
    /// ```
    /// use eventlogs::codec::{CodecId, DecodeProblem, StoredPayload};
    /// use eventlogs::{ErrorKind, ids::LogId, stores::DecodeError};
    ///
    /// let codec = CodecId::from_stored(1);
    /// let stored = StoredPayload { name: "order.paid", version: 1, codec, bytes: b"{}" };
    /// let error = DecodeError::new(LogId::new(), 0, &stored, DecodeProblem::UnknownName);
    /// assert_eq!(error.kind(), ErrorKind::Unreadable);
    /// ```
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.problem.kind()
    }

    /// Returns `false`: the same code fails again on the same event.
    ///
    /// ```
    /// use eventlogs::codec::{CodecId, DecodeProblem, StoredPayload};
    /// use eventlogs::{ids::LogId, stores::DecodeError};
    ///
    /// let codec = CodecId::from_stored(1);
    /// let stored = StoredPayload { name: "order.paid", version: 1, codec, bytes: b"{}" };
    /// let error = DecodeError::new(LogId::new(), 0, &stored, DecodeProblem::UnknownName);
    /// assert!(!error.is_retryable());
    /// ```
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        self.problem.is_retryable()
    }
}

impl InvalidAppend {
    /// Returns [`Invalid`](ErrorKind::Invalid) if the data of a request can be the cause: its size, its times, its key, or the logs
    /// that it names.
    ///
    /// Returns [`Internal`](ErrorKind::Internal) if only the code of the service can be: [`EventIds`](InvalidAppend::EventIds),
    /// [`EventLists`](InvalidAppend::EventLists), [`OtherStore`](InvalidAppend::OtherStore),
    /// [`OtherEvents`](InvalidAppend::OtherEvents), [`KeyOfOneLog`](InvalidAppend::KeyOfOneLog),
    /// [`ExpectedIndex`](InvalidAppend::ExpectedIndex) and [`Retired`](InvalidAppend::Retired).
    ///
    /// ```
    /// use eventlogs::{ErrorKind, stores::InvalidAppend};
    ///
    /// assert_eq!(InvalidAppend::IdempotencyKey { bytes: 0 }.kind(), ErrorKind::Invalid);
    /// assert_eq!(InvalidAppend::KeyOfOneLog.kind(), ErrorKind::Internal);
    /// ```
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::NoEvents
            | Self::TooManyEvents { .. }
            | Self::TooManyLogs { .. }
            | Self::PayloadTooLarge { .. }
            | Self::MetadataTooLarge { .. }
            | Self::OccurredAt { .. }
            | Self::LogTwice { .. }
            | Self::NoLogs
            | Self::IdempotencyKey { .. } => ErrorKind::Invalid,
            Self::EventIds { .. }
            | Self::EventLists { .. }
            | Self::OtherStore { .. }
            | Self::KeyOfOneLog
            | Self::ExpectedIndex
            | Self::Retired { .. }
            | Self::OtherEvents { .. } => ErrorKind::Internal,
        }
    }

    /// Returns `false`: the same append is refused again.
    ///
    /// ```
    /// use eventlogs::stores::InvalidAppend;
    ///
    /// assert!(!InvalidAppend::NoEvents.is_retryable());
    /// ```
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        matches!(self.kind(), ErrorKind::TryAgain)
    }
}

impl OpenError {
    /// Returns what to do after this error: [`Internal`](ErrorKind::Internal) for a path, an address or a file that cannot be used,
    /// else the kind of the [`StoreError`](crate::stores::StoreError).
    ///
    /// ```
    /// use eventlogs::ErrorKind;
    /// use eventlogs::stores::{OpenError, StoreError};
    ///
    /// let unreachable = StoreError::Unavailable { advice: "start it", source: "connection refused".into() };
    /// assert_eq!(OpenError::Store(unreachable).kind(), ErrorKind::TryAgain);
    /// ```
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::InvalidPath { .. }
            | Self::InvalidUrl { .. }
            | Self::InvalidSchema { .. }
            | Self::CannotOpen { .. }
            | Self::NotADatabase { .. } => ErrorKind::Internal,
            Self::Store(error) => error.kind(),
        }
    }

    /// Returns `true` if the store may open later although nobody changes anything: a server that does not answer yet, or a file
    /// that another program has locked.
    ///
    /// ```
    /// use eventlogs::stores::{OpenError, StoreError};
    ///
    /// let locked = StoreError::Busy { source: "database is locked".into() };
    /// assert!(OpenError::Store(locked).is_retryable());
    /// ```
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::InvalidPath { .. }
            | Self::InvalidUrl { .. }
            | Self::InvalidSchema { .. }
            | Self::CannotOpen { .. }
            | Self::NotADatabase { .. } => false,
            Self::Store(error) => error.is_retryable(),
        }
    }
}
