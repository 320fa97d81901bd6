//! Reading a stored payload: the one decode path of all stores.

use super::{Codec, CodecId};
use crate::codec::built_in::decode_built_in;
use crate::error_kind::ErrorKind;
use crate::shared_error::SharedError;
use serde::de::DeserializeOwned;

/// A payload as a database holds it: name, version, codec and bytes.
///
/// [`Event::decode`](crate::Event::decode) turns it into an event.
#[derive(Debug, Clone, Copy)]
pub struct StoredPayload<'a> {
    /// The stored name.
    pub name: &'a str,
    /// The stored version, as the database holds it.
    pub version: i32,
    /// The codec that wrote the bytes.
    pub codec: CodecId,
    /// The payload.
    pub bytes: &'a [u8],
}

/// The reason why this code cannot read a stored payload.
///
/// The store adds the event's position and makes it a [`DecodeError`](crate::stores::DecodeError).
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeProblem {
    /// No variant is stored under this name.
    #[error(
        "this code knows no event of that name; deploy the code that writes it, or add a variant or an alias"
    )]
    UnknownName,
    /// The variant is known, but not in this version.
    #[error(
        "this code reads that event up to version {supported}; deploy newer code, accept the newer version, or add an upcaster for an older one"
    )]
    UnknownVersion {
        /// The newest version that this code reads.
        supported: u16,
    },
    /// The payload was written by a codec that is neither the enum's own nor one of this build.
    #[error(
        "this build has no codec number {codec}; enable the feature of the codec that wrote the payload, or restore that codec"
    )]
    UnknownCodec {
        /// The stored number of the codec.
        codec: i16,
    },
    /// The bytes do not have the variant's shape.
    #[error(
        "its payload does not have the shape of the variant: {}; give the variant the fields that were stored, or a new version with an upcaster",
        .0.cause()
    )]
    Payload(#[source] SharedError),
    /// The metadata stored with the payload cannot be read. This crate did not write it.
    #[error(
        "its metadata cannot be read: {}; find the program that wrote it, and correct what it stores",
        .0.cause()
    )]
    Metadata(#[source] SharedError),
}

impl DecodeProblem {
    /// Returns [`Unreadable`](ErrorKind::Unreadable): code that reads the payload must be deployed.
    ///
    /// ```
    /// use eventlogs::{ErrorKind, codec::DecodeProblem};
    ///
    /// assert_eq!(DecodeProblem::UnknownName.kind(), ErrorKind::Unreadable);
    /// ```
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::UnknownName
            | Self::UnknownVersion { .. }
            | Self::UnknownCodec { .. }
            | Self::Payload(_)
            | Self::Metadata(_) => ErrorKind::Unreadable,
        }
    }

    /// Returns `false`: the same code fails again on the same payload.
    ///
    /// ```
    /// use eventlogs::codec::DecodeProblem;
    ///
    /// assert!(!DecodeProblem::UnknownName.is_retryable());
    /// ```
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        matches!(self.kind(), ErrorKind::TryAgain)
    }

    /// Returns the cause without the advice, which is for events that are stored already.
    pub(crate) fn cause(&self) -> String {
        match self {
            Self::Payload(source) | Self::Metadata(source) => source.cause().to_string(),
            Self::UnknownName | Self::UnknownVersion { .. } | Self::UnknownCodec { .. } => {
                self.to_string()
            }
        }
    }
}

impl StoredPayload<'_> {
    /// Reads the bytes as a `T` with the codec that wrote them: the enum's `Own`, or one of this crate's.
    ///
    /// # Errors
    /// - [`UnknownCodec`](DecodeProblem::UnknownCodec) if this build does not have that codec.
    /// - [`Payload`](DecodeProblem::Payload) if the bytes are not a `T`.
    pub fn read<Own: Codec, T: DeserializeOwned>(&self) -> Result<T, DecodeProblem> {
        let value = if self.codec == Own::ID {
            Own::decode(self.bytes)
        } else {
            decode_built_in(self.codec, self.bytes).ok_or(DecodeProblem::UnknownCodec {
                codec: self.codec.get(),
            })?
        };
        value.map_err(|error| DecodeProblem::Payload(error.into()))
    }
}
