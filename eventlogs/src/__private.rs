//! Items that the macros' output uses. They are not part of the public interface: they change with the macros, in any release.
//!
//! | For | Items |
//! |---|---|
//! | `derive(Event)`, reading | `StoredPayload` and `DecodeProblem` in signatures; `decode` with the enum's own codec; `upcast` and `Upcast` for past versions, `accept` and `Accept` for newer ones |
//! | `derive(Event)`, its schema | `count`, `concat`, `flattened` and `assert_distinct` for flattened events |
//! | `derive(Event)`, its codec | `codec`, a macro for each codec of this crate; `StubCodec` after a mistake |
//! | `derive(Event)`, payloads | `serde`, whose derives read and write them; `Payload` asks for its traits first |
//! | `#[event_handler]` | `FieldValue` and `ClonedField`, which clone the field for a parameter that is no reference; `EventsOf`, `assert_all_named`, `assert_all_named_or_retired` and `assert_named_fields`, which check the block against the schema of its events |
//! | `derive(Aggregate)` | `RetiredEvents`, which finds the entries of retired events |
//! | `derive(Projection)` | `database`, a macro for each database with a feature; `assert_distinct_sources` compares its enums; `LogKey` is the key of a row, `LastIndex` its last event, `EventKeys` what a function returns that names the rows |
//! | `derive(Aggregate)`, `derive(Projection)` and `#[event_handler]` | `fingerprint`, `SchemaFingerprint` and `text_fingerprint`, which make the fingerprint of the code |

mod field_value;
mod handlers;
mod message;
mod payload;
mod projection;
mod retired;
mod schema;
mod upcast;

pub use crate::codec::stored::{DecodeProblem, StoredPayload};
pub use crate::codec::stub::StubCodec;
pub use field_value::{ClonedField, FieldValue, NoField};
pub use handlers::{
    EventsOf, NoSchema, assert_all_named, assert_all_named_or_retired, assert_named_fields,
};
pub use payload::Payload;
pub use projection::{EventKeys, LastIndex, LogKey, assert_distinct_sources, text_fingerprint};
pub use retired::RetiredEvents;
pub use schema::{assert_distinct, concat, count, flattened};
pub use upcast::{Accept, Upcast, accept, upcast};

#[cfg(feature = "macros")]
pub use serde;

use crate::event::{Event, EventSchema, EventType};
use crate::hash::Fnv1a64;
use std::marker::PhantomData;

/// The macros with which `derive(Event)` names a codec of this crate.
pub mod codec {
    pub use crate::codec::built_in::named::*;
}

/// The macros with which `derive(Projection)` names a database that has a feature.
pub mod database {
    pub use crate::projection::database::named::*;
}

/// Reads an event with its own codec.
///
/// It is a function because a type that does not implement the trait would get a second compiler error for a method of the
/// trait.
///
/// # Errors
/// - Those of [`Event::decode`].
pub fn decode<E: Event>(stored: &StoredPayload<'_>) -> Result<E, DecodeProblem> {
    E::decode_with::<E::Codec>(stored)
}

/// Combines the hashes of pieces of code into one.
#[must_use]
pub fn fingerprint(parts: &[u64]) -> u64 {
    let parts = parts.iter();
    parts
        .fold(Fnv1a64::EMPTY, |hash, part| hash.with(&part.to_le_bytes()))
        .finish()
}

/// The hash of the stored names and versions of events, if they have any.
///
/// An aggregate's events need not implement [`Event`], and no bound can express "if they do". A method call on
/// `&PhantomData::<E>` can: the compiler tries the implementation for the reference first, and the one for `PhantomData` if
/// there is none.
pub trait SchemaFingerprint {
    /// Returns the hash.
    fn schema_fingerprint(self) -> u64;
}

impl<E: Event> SchemaFingerprint for &PhantomData<E> {
    fn schema_fingerprint(self) -> u64 {
        let entry = |entry: &EventSchema| {
            let EventType { name, version } = entry.event_type;
            Fnv1a64::EMPTY
                .with(name.as_bytes())
                .with(&version.to_le_bytes())
                .finish()
        };
        // A sum, because the order of the variants must make no difference.
        E::SCHEMA.iter().map(entry).fold(0, u64::wrapping_add)
    }
}

impl<E> SchemaFingerprint for PhantomData<E> {
    fn schema_fingerprint(self) -> u64 {
        0
    }
}
