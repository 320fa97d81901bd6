//! The traits and types that make an event storable in a database.

pub(crate) mod interest;
pub(crate) mod needs;
mod stored;

use crate::codec::Codec;
use crate::codec::stored::{DecodeProblem, StoredPayload};
use crate::hash;
use serde::{Serialize, Serializer};
use std::marker::PhantomData;

/// The stable name and the version under which an event is stored.
///
/// ```
/// use eventlogs::EventType;
///
/// const CAPTURED: EventType = EventType::new("payment.captured", 2);
/// assert_eq!((CAPTURED.name, CAPTURED.version), ("payment.captured", 2));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct EventType {
    /// The stored name. It outlives every renaming of the variant in code.
    pub name: &'static str,
    /// The version of the payload's shape, starting at 1.
    pub version: u16,
}

impl EventType {
    /// Makes the type with this name and version.
    #[must_use]
    pub const fn new(name: &'static str, version: u16) -> Self {
        Self { name, version }
    }
}

/// One entry of an event enum's schema: the name and version that are written for a variant, and the other names and versions
/// that are also read as that variant.
///
/// Reading and writing use the names, the versions and whether the event is retired. The other fields are for
/// [`check_events_lock!`](crate::testing::check_events_lock), which records all that was ever stored.
///
/// `derive(Event)` writes the entries of an enum. By hand an entry is built in steps, so that a later release can add fields:
///
/// ```
/// use eventlogs::{EventSchema, EventType};
///
/// const SCHEMA: &[EventSchema] = &[
///     EventSchema::new(EventType::new("payment.captured", 2), "Captured")
///         .with_aliases(&["payment.taken"])
///         .with_upcast_from(&[1])
///         .with_accepts(&[3])
///         .with_fields(&["amount: u64"]),
///     EventSchema::new(EventType::new("payment.voided", 1), "Voided").retired(),
/// ];
/// assert_eq!(SCHEMA[0].aliases, ["payment.taken"]);
/// assert!(SCHEMA[0].reads("payment.captured") && SCHEMA[0].reads("payment.taken"));
/// assert!(SCHEMA[1].fields.is_empty());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventSchema {
    /// The name and version that are written.
    pub event_type: EventType,
    /// Former names that are still read.
    pub aliases: &'static [&'static str],
    /// The older versions that are upgraded on reading.
    pub upcast_from: &'static [u16],
    /// The newer versions that are read, although this code does not write them yet.
    pub accepts: &'static [u16],
    /// The name of the variant in the code.
    pub variant: &'static str,
    /// The fields of the payload, as they are written in the code. Each is followed by its serde attributes, if they influence
    /// the stored payload: `amount: u64`, `note: Option<String> #[serde(default)]`, `0: Refund`. A serde attribute that applies
    /// to all fields is listed as a separate entry.
    pub fields: &'static [&'static str],
    /// `true` if the variant belongs to an enum that is flattened into this one.
    pub is_flattened: bool,
    /// `true` if the variant is read but no longer written. A store refuses to append such an event.
    pub is_retired: bool,
}

impl EventSchema {
    /// Makes the entry of a variant. The entry lists no fields, and the variant is read only under this name and in this
    /// version.
    #[must_use]
    pub const fn new(event_type: EventType, variant: &'static str) -> Self {
        Self {
            event_type,
            aliases: &[],
            upcast_from: &[],
            accepts: &[],
            variant,
            fields: &[],
            is_flattened: false,
            is_retired: false,
        }
    }

    /// Sets the former names that are still read.
    #[must_use]
    pub const fn with_aliases(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }

    /// Sets the older versions that are upgraded on reading.
    #[must_use]
    pub const fn with_upcast_from(self, upcast_from: &'static [u16]) -> Self {
        Self {
            upcast_from,
            ..self
        }
    }

    /// Sets the newer versions that are read, although this code does not write them yet.
    #[must_use]
    pub const fn with_accepts(self, accepts: &'static [u16]) -> Self {
        Self { accepts, ..self }
    }

    /// Sets the [fields](EventSchema::fields) of the payload.
    #[must_use]
    pub const fn with_fields(self, fields: &'static [&'static str]) -> Self {
        Self { fields, ..self }
    }

    /// Marks the variant as one of an enum that is flattened into this one.
    #[must_use]
    pub const fn flattened(self) -> Self {
        Self {
            is_flattened: true,
            ..self
        }
    }

    /// Marks the variant as one that is read but no longer written.
    #[must_use]
    pub const fn retired(self) -> Self {
        Self {
            is_retired: true,
            ..self
        }
    }

    /// Returns `true` if events of this name are read as the variant, in whatever version.
    #[must_use]
    pub fn reads(&self, name: &str) -> bool {
        self.event_type.name == name || self.aliases.contains(&name)
    }

    /// Returns the newest version that is read.
    pub(crate) fn newest(&self) -> u16 {
        let accepted = self.accepts.iter().copied().max();
        accepted.map_or(self.event_type.version, |newest| {
            newest.max(self.event_type.version)
        })
    }

    /// Returns `true` if versions other than the one that is written are read.
    #[cfg_attr(
        not(feature = "postgres"),
        allow(dead_code, reason = "only PostgreSQL compares versions on the server")
    )]
    pub(crate) const fn reads_other_versions(&self) -> bool {
        !(self.upcast_from.is_empty() && self.accepts.is_empty())
    }

    /// Returns the names under which the event may be stored.
    pub(crate) fn names(&'static self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.event_type.name).chain(self.aliases.iter().copied())
    }

    /// Returns the names under which the current version of the event may be stored, each with that version.
    pub(crate) fn current(&'static self) -> impl Iterator<Item = (&'static str, i32)> {
        let version = i32::from(self.event_type.version);
        self.names().map(move |name| (name, version))
    }
}

/// The kind of the logs that hold events of one enum, such as `payment`.
///
/// Its name is stored with the first event of each log, its [number](LogType::number) with every event. A store refuses to
/// append an event to a log of another kind, and to read such a log. Two enums of one store need two kinds.
///
/// ```
/// use eventlogs::LogType;
///
/// const PAYMENT: LogType = LogType::new("payment").with_aliases(&["charge"]);
/// assert_eq!(PAYMENT.name(), "payment");
/// assert!(PAYMENT.accepts(LogType::new("charge").number()));
/// assert!(!PAYMENT.accepts(LogType::new("order").number()));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LogType {
    /// The name that new logs get.
    name: &'static str,
    /// Former names: logs that were created under them also have this kind.
    aliases: &'static [&'static str],
}

impl LogType {
    /// Makes the kind with this name.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self { name, aliases: &[] }
    }

    /// Adds the former names of this kind. Logs that were created under one of them are read and continued.
    #[must_use]
    pub const fn with_aliases(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }

    /// The name that is stored with new logs.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The former names.
    #[must_use]
    pub const fn aliases(&self) -> &'static [&'static str] {
        self.aliases
    }

    /// The number that is stored with each event of a new log: a 32-bit hash of the name, the same in every release.
    #[must_use]
    pub const fn number(&self) -> i32 {
        number_of(self.name)
    }

    /// Returns the numbers that logs of this kind have: that of the current name, and those of the former names.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = i32> {
        std::iter::once(self.number()).chain(self.aliases.iter().map(|alias| number_of(alias)))
    }

    /// Returns `true` if a log with this number has this kind, under its current or a former name.
    #[must_use]
    pub fn accepts(&self, number: i32) -> bool {
        number == self.number() || self.aliases.iter().any(|alias| number == number_of(alias))
    }
}

/// Returns the number of the kind with this name.
const fn number_of(name: &str) -> i32 {
    hash::fnv1a_32(name.as_bytes()).cast_signed()
}

/// An enum whose variants are the events of a log, storable in a database.
///
/// Derive it: `#[derive(Event)]` writes the names, versions and codecs. The payload of an event holds only the fields of its
/// variant; its name and version are stored separately.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an event that a database can store",
    label = "this type does not implement `Event`",
    note = "add `#[derive(Event)]` to the enum of your events"
)]
pub trait Event: Sized + Send + Sync + 'static {
    /// The codec that writes payloads. Reading uses the codec whose number is stored with each event.
    type Codec: Codec;

    /// The kind of the logs that these events belong to.
    ///
    /// The derive takes it from `#[event(log_type = "payment")]`; without that key it is the name of the enum in snake case
    /// without a trailing `_event`. It is stored, so it must not change while logs of that kind exist, unless the former name
    /// stays as an alias.
    const LOG_TYPE: LogType;

    /// The entries of all variants, in their order. A variant that flattens another event enum is replaced by the entries of
    /// that enum.
    const SCHEMA: &'static [EventSchema];

    /// The name and version of this event.
    fn event_type(&self) -> EventType;

    /// Writes the fields of the variant, without its name.
    ///
    /// # Errors
    /// - Those of the serializer.
    /// - Those of the fields' own `Serialize` implementations.
    fn serialize_payload<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;

    /// Reads an event back, converting it if it was stored in another version.
    ///
    /// # Errors
    /// - [`UnknownName`](DecodeProblem::UnknownName) if the code does not know the name.
    /// - [`UnknownVersion`](DecodeProblem::UnknownVersion) if the code does not know the version.
    /// - [`UnknownCodec`](DecodeProblem::UnknownCodec) if the build does not have the codec.
    /// - [`Payload`](DecodeProblem::Payload) if the payload has another shape.
    fn decode(stored: &StoredPayload<'_>) -> Result<Self, DecodeProblem>;

    /// Reads an event of an enum that is flattened into an outer enum. The outer enum's codec `C` wrote it.
    ///
    /// # Errors
    /// - Those of [`decode`](Event::decode).
    #[doc(hidden)]
    fn decode_with<C: Codec>(stored: &StoredPayload<'_>) -> Result<Self, DecodeProblem> {
        Self::decode(stored)
    }
}

/// Returns the entry of the event if it is retired.
///
/// An enum without retired variants is not searched.
pub(crate) fn retired<E: Event>(event: &E) -> Option<&'static EventSchema> {
    struct Any<E>(PhantomData<E>);
    impl<E: Event> Any<E> {
        const IS_RETIRED: bool = {
            let mut index = 0;
            let mut found = false;
            while index < E::SCHEMA.len() {
                found |= E::SCHEMA[index].is_retired;
                index += 1;
            }
            found
        };
    }
    if !Any::<E>::IS_RETIRED {
        return None;
    }
    let name = event.event_type().name;
    let mut entries = E::SCHEMA.iter();
    entries.find(|entry| entry.is_retired && entry.event_type.name == name)
}

/// Makes an event's payload serialisable with serde.
pub(crate) struct Payload<'a, E>(pub(crate) &'a E);

impl<E: Event> Serialize for Payload<'_, E> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize_payload(serializer)
    }
}
