//! How payloads become bytes and come back.

// Nothing in here knows what an event is: `event` stands on `codec`, and not the other way round.

pub(crate) mod built_in;
mod exact;
pub(crate) mod stored;
pub(crate) mod stub;

#[allow(
    unreachable_pub,
    unused_imports,
    reason = "a build without codecs has none to pass on"
)]
pub use built_in::*;
pub use exact::{exact_in_json, exact_in_msgpack};
pub use stored::{DecodeProblem, StoredPayload};
#[doc(hidden)]
pub use stub::StubCodec;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The number that is stored with each event and says which codec wrote its payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CodecId(i16);

impl CodecId {
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
/// use eventlogs::codec::{Codec, CodecError, CodecId, exact_in_json};
/// use serde::{Serialize, de::DeserializeOwned};
///
/// /// JSON with line breaks, for people who read their database by eye.
/// pub struct PrettyJson;
///
/// impl Codec for PrettyJson {
///     const ID: CodecId = CodecId::custom(100);
///
///     fn encode<T: Serialize + ?Sized>(value: &T, buffer: &mut Vec<u8>) -> Result<(), CodecError> {
///         Ok(serde_json::to_writer_pretty(buffer, &exact_in_json(value))?)
///     }
///
///     fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
///         Ok(serde_json::from_slice(bytes)?)
///     }
/// }
/// ```
///
/// [`codec_laws!`](crate::testing::codec_laws) tests that it brings back what it was given.
///
/// # What cannot be stored
///
/// What a codec would bring back as something else is refused before it is written, however deep in the event it lies. The
/// append then fails with [`EncodeError::Codec`](crate::stores::EncodeError::Codec) or
/// [`EncodeError::NotReadable`](crate::stores::EncodeError::NotReadable), which names the event and says why; nothing is stored.
///
/// | value | JSON | MessagePack |
/// |---|---|---|
/// | a `Some` of what is written as null: `Some(None)`, `Some(())`, `Some(Value::Null)` | refused | refused |
/// | a `Some` of a struct without fields (`struct Unit;`) | refused | kept |
/// | NaN and the infinities | refused | kept |
/// | a map whose keys are neither texts, numbers, booleans nor variants without fields | refused | kept |
/// | a map with a key that begins with `$serde_json::private::` | refused | kept |
/// | more than 127 values within one another (MessagePack: 1,000) | refused | refused |
/// | 128-bit integers | kept | kept |
///
/// Whatever else has one of serde's shapes is kept bit for bit: all other numbers, `-0.0` and subnormal ones among them,
/// texts, bytes, sequences, maps, structs and enums. A `Some` of a newtype, of an untagged enum or of a type with a
/// `Serialize` of its own is judged by what that one writes. There are two ways out: an enum with a variant for each case, or
/// `#[serde(with = …)]` with functions that write the field in another way, such as `double_option` of the crate
/// `serde_with`.
///
/// What a codec cannot know is what the `Deserialize` of a type makes of what it is given. These come back as something else,
/// and are not refused. [`event_laws!`](crate::testing::event_laws) finds them, if a sample has such a value:
///
/// - an `untagged` enum of which an earlier variant reads what a later one has written;
/// - `flatten` of an `Option`: `None` is read as `Some` where all fields of the struct may be missing, and a struct that
///   cannot be read is `None`; `flatten` of two maps: each is read with the entries of both;
/// - keys of a map that differ, and are written alike;
/// - functions behind `#[serde(with = …)]` that lose something, and fields that serde skips.
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
