//! The codecs of this crate: their files, their numbers, and what each needs beside its implementation.

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

/// Makes, of one line for each codec:
///
/// - `decode_built_in`, which reads bytes by the number of the codec that wrote them;
/// - the macros by which `derive(Event)` names a codec, in the module `named`. With its feature off, a codec's macro says which
///   feature is missing, and names a stand-in that keeps the enum free of further complaints.
///
/// A line is `Type in feature "x": CodecId::X, named x by __codec_x;`. The feature has the codec's name, and so has its macro;
/// at the crate's root, where every exported macro also is, it is called `__codec_x`. The `$` in front of the lines is for the
/// macros that are made: in a macro of macros it cannot be written.
macro_rules! built_in_codecs {
    ($d:tt $($codec:ident in feature $feature:literal: CodecId::$number:ident, named $name:ident by $exported:ident;)*) => {
        /// Reads bytes with the codec of this crate that has this number, if it is in this build.
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

        /// The macros by which `derive(Event)` names a codec: `named::json!(Name)` declares `Name`.
        pub(crate) mod named {
            $(pub use $exported as $name;)*
        }
    };
}

// For reading, and for the derive.
built_in_codecs! { $
    Json in feature "json": CodecId::JSON, named json by __codec_json;
    MsgPack in feature "msgpack": CodecId::MSGPACK, named msgpack by __codec_msgpack;
}
