//! How events become bytes and come back.

#[cfg(feature = "json")]
mod json;
#[cfg(feature = "msgpack")]
mod msgpack;
mod stored;

#[cfg(feature = "json")]
pub use json::Json;
#[cfg(feature = "msgpack")]
pub use msgpack::MsgPack;
pub use stored::{DecodeProblem, StoredPayload};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The number that is stored with each event and says which codec wrote its payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CodecId(i16);

impl CodecId {
    /// JSON, one object an event.
    pub const JSON: Self = Self(1);
    /// MessagePack with field names.
    pub const MSGPACK: Self = Self(2);

    /// The id of a codec of your own, from 100; smaller numbers belong to this crate.
    ///
    /// # Panics
    /// If `id` is below 100. Called in a `const`, as for [`Codec::ID`], that is a compiler error.
    #[must_use]
    pub const fn custom(id: i16) -> Self {
        assert!(
            id >= 100,
            "codec ids below 100 are reserved for eventlogs; choose one from 100"
        );
        Self(id)
    }

    /// The id as it was read from a store, known or not.
    #[must_use]
    pub const fn from_stored(id: i16) -> Self {
        Self(id)
    }

    /// The number itself.
    #[must_use]
    pub const fn get(self) -> i16 {
        self.0
    }
}

/// Why a codec failed, in the words of the library behind it.
pub type CodecError = Box<dyn std::error::Error + Send + Sync>;

/// A format for payloads. Implement it on an empty type to bring your own, and name that type in
/// `#[event(codec = path::to::Type)]`.
///
/// ```
/// use eventlogs::codec::{Codec, CodecError, CodecId};
/// use serde::{Serialize, de::DeserializeOwned};
///
/// /// JSON with line breaks, for people who read their database by eye.
/// pub struct PrettyJson;
///
/// impl Codec for PrettyJson {
///     const ID: CodecId = CodecId::custom(100);
///
///     fn encode<T: Serialize + ?Sized>(value: &T, buffer: &mut Vec<u8>) -> Result<(), CodecError> {
///         Ok(serde_json::to_writer_pretty(buffer, value)?)
///     }
///
///     fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
///         Ok(serde_json::from_slice(bytes)?)
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a codec; implement `eventlogs::Codec`",
    label = "this type does not implement `Codec`"
)]
pub trait Codec: Send + Sync + 'static {
    /// The number stored with every payload. Once events are stored it must never change or be reused.
    const ID: CodecId;

    /// Appends the encoded value to `buffer`.
    ///
    /// # Errors
    /// When the value has a shape that the format cannot express.
    fn encode<T: Serialize + ?Sized>(value: &T, buffer: &mut Vec<u8>) -> Result<(), CodecError>;

    /// Reads a value back from exactly these bytes.
    ///
    /// # Errors
    /// When the bytes are not such a value, or more than one.
    fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError>;
}
