//! What the macros' output calls. Not part of the public interface: it changes with the macros, in any release.

mod schema;
mod upcast;

pub use crate::codec::{DecodeProblem, StoredPayload};
pub use schema::{assert_distinct, concat, count};
pub use upcast::{Upcast, upcast};

#[cfg(feature = "macros")]
pub use serde;

#[cfg(feature = "json")]
pub use crate::codec::Json;
#[cfg(feature = "msgpack")]
pub use crate::codec::MsgPack;

use crate::codec::Codec;
use crate::event::{Event, EventSchema, EventType};
use serde::de::DeserializeOwned;
use std::marker::PhantomData;

/// Reads an event with its own codec. A function of its own, since whoever names a method of a trait is told a second time
/// what the type lacks for it.
///
/// # Errors
/// Those of [`Event::decode`].
pub fn decode<E: Event>(stored: &StoredPayload<'_>) -> Result<E, DecodeProblem> {
    E::decode_with::<E::Codec>(stored)
}

/// Combines the hashes of pieces of code into one.
#[must_use]
pub fn fingerprint(parts: &[u64]) -> u64 {
    parts
        .iter()
        .fold(EMPTY, |hash, part| hashed(hash, &part.to_le_bytes()))
}

/// The hash of nothing.
const EMPTY: u64 = 0xcbf2_9ce4_8422_2325;

/// Adds bytes to a hash (FNV-1a, 64 bits): unlike the standard library's it is the same in every release.
fn hashed(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The hash of the stored names and versions of events, if they have any.
///
/// An aggregate's events need not implement [`Event`], and no bound can say "if they do". A call on
/// `&PhantomData::<E>` can: the compiler tries the reference first, and what it refers to where that is not implemented.
pub trait SchemaFingerprint {
    /// The hash.
    fn schema_fingerprint(self) -> u64;
}

impl<E: Event> SchemaFingerprint for &PhantomData<E> {
    fn schema_fingerprint(self) -> u64 {
        let entry = |entry: &EventSchema| {
            let EventType { name, version } = entry.event_type;
            hashed(hashed(EMPTY, name.as_bytes()), &version.to_le_bytes())
        };
        // A sum, as the order of the variants makes no difference.
        E::SCHEMA.iter().map(entry).fold(0, u64::wrapping_add)
    }
}

impl<E> SchemaFingerprint for PhantomData<E> {
    fn schema_fingerprint(self) -> u64 {
        0
    }
}

/// Names the JSON codec.
#[cfg(feature = "json")]
#[macro_export]
#[doc(hidden)]
macro_rules! __codec_json {
    ($name:ident) => {
        type $name = $crate::__private::Json;
    };
}

/// Says which feature the JSON codec needs, and names another that keeps the enum free of further complaints.
#[cfg(not(feature = "json"))]
#[macro_export]
#[doc(hidden)]
macro_rules! __codec_json {
    ($name:ident) => {
        ::core::compile_error!("codec `json` needs the `json` feature of `eventlogs`");
        type $name = $crate::__private::StubCodec;
    };
}

/// Names the MessagePack codec.
#[cfg(feature = "msgpack")]
#[macro_export]
#[doc(hidden)]
macro_rules! __codec_msgpack {
    ($name:ident) => {
        type $name = $crate::__private::MsgPack;
    };
}

/// Says which feature the MessagePack codec needs, and names another that keeps the enum free of further complaints.
#[cfg(not(feature = "msgpack"))]
#[macro_export]
#[doc(hidden)]
macro_rules! __codec_msgpack {
    ($name:ident) => {
        ::core::compile_error!("codec `msgpack` needs the `msgpack` feature of `eventlogs`");
        type $name = $crate::__private::StubCodec;
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
