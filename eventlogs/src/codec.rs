//! Codecs: they turn payloads into bytes and back.

// Nothing here depends on events: `event` uses `codec`, never the reverse.

pub(crate) mod built_in;
pub(crate) mod exact;
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

/// The number of a codec. It is stored with each event that the codec wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CodecId(i16);

impl CodecId {
    /// Makes the id of a codec of your own: 100 or more. Smaller numbers belong to this crate.
    ///
    /// # Panics
    /// If `id` is below 100. In a `const`, as for [`Codec::ID`], that is a compiler error.
    #[must_use]
    pub const fn custom(id: i16) -> Self {
        assert!(
            id >= 100,
            "codec ids below 100 are reserved for eventlogs; choose 100 or more"
        );
        Self(id)
    }

    /// Makes the id of a number that was read from a store, whether a codec has it or not.
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

/// The error of a codec, as the library that the codec uses returned it.
pub type CodecError = Box<dyn std::error::Error + Send + Sync>;

/// A format for payloads.
///
/// To use your own, implement it on an empty type, and name that type in `#[event(codec = path::to::Type)]`.
///
/// ```
/// use eventlogs::codec::{Codec, CodecError, CodecId, exact_in_json};
/// use serde::{Serialize, de::DeserializeOwned};
///
/// /// JSON with line breaks, for people who read the database themselves.
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
/// [`codec_laws!`](crate::testing::codec_laws) tests that it reads every value back unchanged.
///
/// # What cannot be stored
///
/// A value that a codec would read back as another value is refused before it is written, at any depth in the event. The
/// append then fails with [`EncodeError::Codec`](crate::stores::EncodeError::Codec) or
/// [`EncodeError::NotReadable`](crate::stores::EncodeError::NotReadable), which has the event's name and the reason. Nothing is
/// stored.
///
/// | value | JSON | MessagePack |
/// |---|---|---|
/// | a `Some` of a value that is written as null: `Some(None)`, `Some(())`, `Some(Value::Null)` | refused | refused |
/// | a `Some` of a struct without fields (`struct Unit;`) | refused | kept |
/// | NaN and the infinities | refused | kept |
/// | a map whose keys are neither strings, numbers, booleans nor variants without fields | refused | kept |
/// | a map with a key that begins with `$serde_json::private::` | refused | kept |
/// | values nested more than 127 levels deep (MessagePack: 1,000) | refused | refused |
/// | 128-bit integers | kept | kept |
///
/// All other values of serde's data model are kept bit for bit: all other numbers, including `-0.0` and subnormal ones,
/// strings, bytes, sequences, maps, structs and enums. A `Some` of a newtype, of an untagged enum or of a type with its own
/// `Serialize` is judged by the value that it writes.
///
/// To store a refused value, use an enum with a variant for each case, or `#[serde(with = …)]` with functions that write the
/// field in another way, such as `double_option` of the crate `serde_with`.
///
/// A codec cannot know how the `Deserialize` of a type reads a value. These values are read back as others, and are not
/// refused. [`event_laws!`](crate::testing::event_laws) finds them if a sample has such a value:
///
/// - an `untagged` enum of which an earlier variant reads the value of a later one;
/// - `flatten` of an `Option`: `None` is read as `Some` if all fields of the struct may be missing, and a struct that cannot be
///   read becomes `None`;
/// - `flatten` of two maps: each is read with the entries of both;
/// - keys of a map that differ but are written alike;
/// - functions of `#[serde(with = …)]` that lose something, and fields that serde skips.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a codec; implement `eventlogs::Codec`",
    label = "this type does not implement `Codec`"
)]
pub trait Codec: Send + Sync + 'static {
    /// The number stored with every payload. After events are stored it must never change or be reused.
    const ID: CodecId;

    /// Appends the encoded value to `buffer`.
    ///
    /// # Errors
    /// - If the format cannot express the value.
    fn encode<T: Serialize + ?Sized>(value: &T, buffer: &mut Vec<u8>) -> Result<(), CodecError>;

    /// Reads a value back from exactly these bytes.
    ///
    /// # Errors
    /// - If the bytes are not such a value.
    /// - If other bytes follow the value.
    fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError>;
}
