//! What the macros' output calls. Not part of the public interface: it changes with the macros, in any release.

pub use crate::codec::{DecodeProblem, StoredPayload};
#[cfg(feature = "macros")]
pub use serde;

#[cfg(feature = "json")]
pub use crate::codec::Json;
#[cfg(feature = "msgpack")]
pub use crate::codec::MsgPack;

use crate::Codec;
use serde::de::DeserializeOwned;

/// Reads a payload of a past version and upgrades it. A function of its own so that the type of the old payload is
/// inferred from the upcaster's parameter.
///
/// # Errors
/// Those of [`StoredPayload::read`].
pub fn upcast<Own, Old, E>(
    stored: &StoredPayload<'_>,
    upcaster: impl Fn(Old) -> E,
) -> Result<E, DecodeProblem>
where
    Own: Codec,
    Old: DeserializeOwned,
{
    stored.read::<Own, Old>().map(upcaster)
}

/// Names the JSON codec, or says which feature is missing.
#[cfg(feature = "json")]
#[macro_export]
#[doc(hidden)]
macro_rules! __codec_json {
    () => {
        $crate::__private::Json
    };
}

/// Names the JSON codec, or says which feature is missing.
#[cfg(not(feature = "json"))]
#[macro_export]
#[doc(hidden)]
macro_rules! __codec_json {
    () => {
        ::core::compile_error!("codec `json` needs the `json` feature of `eventlogs`")
    };
}

/// Names the MessagePack codec, or says which feature is missing.
#[cfg(feature = "msgpack")]
#[macro_export]
#[doc(hidden)]
macro_rules! __codec_msgpack {
    () => {
        $crate::__private::MsgPack
    };
}

/// Names the MessagePack codec, or says which feature is missing.
#[cfg(not(feature = "msgpack"))]
#[macro_export]
#[doc(hidden)]
macro_rules! __codec_msgpack {
    () => {
        ::core::compile_error!("codec `msgpack` needs the `msgpack` feature of `eventlogs`")
    };
}

/// The codec of an enum whose `derive(Event)` reported mistakes. Such code never runs, but it must not cause further
/// complaints.
#[derive(Debug)]
pub struct StubCodec;

impl Codec for StubCodec {
    const ID: crate::codec::CodecId = crate::codec::CodecId::custom(i16::MAX);

    fn encode<T: serde::Serialize + ?Sized>(
        _: &T,
        _: &mut Vec<u8>,
    ) -> Result<(), crate::codec::CodecError> {
        Err("the event does not compile".into())
    }

    fn decode<T: DeserializeOwned>(_: &[u8]) -> Result<T, crate::codec::CodecError> {
        Err("the event does not compile".into())
    }
}
