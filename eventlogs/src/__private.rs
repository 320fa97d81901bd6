//! What the macros' output calls. Not part of the public interface: it changes with the macros, in any release.
//!
//! | for | what |
//! |---|---|
//! | `derive(Event)`, reading | `StoredPayload` and `DecodeProblem` in signatures; `decode`, the enum's own codec; `upcast` and `Upcast`, past versions |
//! | `derive(Event)`, its schema | `count`, `concat` and `assert_distinct`, where it flattens other events |
//! | `derive(Event)`, its codec | `codec`, a macro for each codec of this crate; `StubCodec`, beside mistakes |
//! | `derive(Event)`, payloads | `serde`, whose derives read and write them |
//! | `derive(Aggregate)` and `#[event_handler]` | `fingerprint` and `SchemaFingerprint`, of which the code fingerprint is made |

mod schema;
mod upcast;

pub use crate::codec::stored::{DecodeProblem, StoredPayload};
pub use crate::codec::stub::StubCodec;
pub use schema::{assert_distinct, concat, count};
pub use upcast::{Upcast, upcast};

#[cfg(feature = "macros")]
pub use serde;

use crate::event::{Event, EventSchema, EventType};
use crate::hash::Fnv1a64;
use std::marker::PhantomData;

/// The macros by which `derive(Event)` names a codec of this crate.
pub mod codec {
    pub use crate::codec::built_in::named::*;
}

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
    let parts = parts.iter();
    parts
        .fold(Fnv1a64::EMPTY, |hash, part| hash.with(&part.to_le_bytes()))
        .finish()
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
            Fnv1a64::EMPTY
                .with(name.as_bytes())
                .with(&version.to_le_bytes())
                .finish()
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
