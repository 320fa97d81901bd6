//! What an event must be to be stored in a database.

use crate::Codec;
use crate::codec::{DecodeProblem, StoredPayload};
use serde::{Serialize, Serializer};

/// The stable name and the version under which an event is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EventType {
    /// The stored name. It outlives every renaming of the variant in code.
    pub name: &'static str,
    /// The version of the payload's shape, from 1.
    pub version: u16,
}

/// One entry of an event enum's schema: what is written for a variant, and what else is read as it.
///
/// Reading and writing go by the first two fields. The others are for
/// [`check_events_lock!`](crate::testing::check_events_lock), which remembers what was ever stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventSchema {
    /// The name and version that are written.
    pub event_type: EventType,
    /// Former names that are still read.
    pub aliases: &'static [&'static str],
    /// The older versions that are upgraded on reading.
    pub upcast_from: &'static [u16],
    /// The variant, as the code calls it.
    pub variant: &'static str,
    /// The fields of the payload as the code spells them, each with those of serde's attributes that shape what is stored:
    /// `amount: u64`, `note: Option<String> #[serde(default)]`, `0: Refund`. An attribute of all fields stands alone.
    pub fields: &'static [&'static str],
}

/// An enum whose variants are the events of a log, storable in a database.
///
/// Derive it: `#[derive(Event)]` writes the names, versions and codecs. The payload of an event holds the fields of its
/// variant only; name and version stand beside it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an event that a database can store",
    label = "this type does not implement `Event`",
    note = "add `#[derive(Event)]` to the enum of your events"
)]
pub trait Event: Sized + Send + Sync + 'static {
    /// The codec that payloads are written with. Reading goes by the codec that is stored with each event.
    type Codec: Codec;

    /// Every name that is written or read, in the order of the variants; those of a flattened event stand in its place.
    const SCHEMA: &'static [EventSchema];

    /// The name and version of this event.
    fn event_type(&self) -> EventType;

    /// Writes the fields of the variant, without its name.
    ///
    /// # Errors
    /// Those of the serializer, and those of the fields' own `Serialize` implementations.
    fn serialize_payload<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;

    /// Reads an event back, upgrading it if it was stored in an older version.
    ///
    /// # Errors
    /// When the code does not know the name, the version or the codec, and when the payload has another shape.
    fn decode(stored: &StoredPayload<'_>) -> Result<Self, DecodeProblem>;

    /// The same as a part of another event, which was written with that one's codec `C`.
    ///
    /// # Errors
    /// Those of [`decode`](Event::decode).
    #[doc(hidden)]
    fn decode_with<C: Codec>(stored: &StoredPayload<'_>) -> Result<Self, DecodeProblem> {
        Self::decode(stored)
    }
}

/// Lends an event's own payload writer to serde.
pub(crate) struct Payload<'a, E>(pub(crate) &'a E);

impl<E: Event> Serialize for Payload<'_, E> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize_payload(serializer)
    }
}
