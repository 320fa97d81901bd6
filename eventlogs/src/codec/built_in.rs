//! The codecs of this crate: their files, their numbers, and the code that each needs in addition to its implementation.

#[cfg(feature = "json")]
pub(crate) mod json;
#[cfg(feature = "msgpack")]
pub(crate) mod msgpack;

#[cfg(feature = "json")]
pub use json::Json;
#[cfg(feature = "msgpack")]
pub use msgpack::MsgPack;

#[cfg(any(feature = "json", feature = "msgpack"))]
use crate::codec::Codec;
use crate::codec::{CodecError, CodecId};
use serde::de::DeserializeOwned;

impl CodecId {
    /// JSON, one object per event.
    pub const JSON: Self = Self::from_stored(1);
    /// MessagePack with field names.
    pub const MSGPACK: Self = Self::from_stored(2);
}

/// Makes, from one line per codec:
///
/// - `decode_built_in`, which reads bytes by the number of the codec that wrote them;
/// - the macros with which `derive(Event)` names a codec, in the module `named`. If the codec's feature is off, its macro
///   reports the missing feature, and names a stub, so that the enum causes no further errors.
///
/// A line is `Type in feature "x": CodecId::X, named x by __codec_x;`. The feature and the macro have the codec's name. At the
/// crate's root, where every exported macro also is, the macro is called `__codec_x`. The `$` before the lines is for the
/// generated macros: a macro that defines macros cannot write it.
macro_rules! built_in_codecs {
    ($d:tt $($codec:ident in feature $feature:literal: CodecId::$number:ident, named $name:ident by $exported:ident;)*) => {
        /// Reads bytes with the codec of this crate that has this number. Returns `None` if this build does not have it.
        #[cfg_attr(
            not(any($(feature = $feature),*)),
            expect(unused_variables, reason = "a build without codecs has nothing to read with")
        )]
        pub(super) fn decode_built_in<T: DeserializeOwned>(
            codec: CodecId,
            bytes: &[u8],
        ) -> Option<Result<T, CodecError>> {
            match codec {
                $(
                    #[cfg(feature = $feature)]
                    CodecId::$number => Some($codec::decode(bytes)),
                )*
                _ => None,
            }
        }

        $(
            #[cfg(feature = $feature)]
            #[macro_export]
            #[doc(hidden)]
            macro_rules! $exported {
                ($d name:ident) => {
                    type $d name = $d crate::codec::$codec;
                };
            }

            #[cfg(not(feature = $feature))]
            #[macro_export]
            #[doc(hidden)]
            macro_rules! $exported {
                ($d name:ident) => {
                    ::core::compile_error!(::core::concat!(
                        "codec `", $feature, "` needs the `", $feature, "` feature of `eventlogs`"
                    ));
                    type $d name = $d crate::codec::StubCodec;
                };
            }
        )*

        /// The macros with which `derive(Event)` names a codec: `named::json!(Name)` declares `Name`.
        pub(crate) mod named {
            $(pub use $exported as $name;)*
        }
    };
}

// One line per codec, for reading and for the derive.
built_in_codecs! { $
    Json in feature "json": CodecId::JSON, named json by __codec_json;
    MsgPack in feature "msgpack": CodecId::MSGPACK, named msgpack by __codec_msgpack;
}
