//! What of stored events an aggregate looks at.

use crate::event::EventSchema;
use crate::event::interest::Interest;

/// What of stored events an aggregate looks at: stores need not fetch the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventNeeds {
    /// The variants that have a handler.
    interest: Interest,
    /// `true` if a handler looks at the record of an event.
    uses_record: bool,
}

impl EventNeeds {
    /// All events, with all that is stored with them.
    pub const EVERYTHING: Self = Self::new(Interest::All, true);

    /// Makes the needs of handlers.
    #[must_use]
    pub const fn new(interest: Interest, uses_record: bool) -> Self {
        Self {
            interest,
            uses_record,
        }
    }

    /// Returns `true` if the position, the times and the metadata of events are needed.
    #[must_use]
    pub const fn uses_record(&self) -> bool {
        self.uses_record
    }

    /// Returns the stored names and versions of events that are ignored.
    pub fn ignores(
        &self,
        schema: &'static [EventSchema],
    ) -> impl Iterator<Item = (&'static str, i32)> + use<> {
        let interest = self.interest;
        let entries = schema.iter();
        let ignored =
            entries.filter(move |entry| !entry.is_flattened && !interest.includes(entry.variant));
        ignored.flat_map(|entry| {
            let version = i32::from(entry.event_type.version);
            let names =
                std::iter::once(entry.event_type.name).chain(entry.aliases.iter().copied());
            names.map(move |name| (name, version))
        })
    }
}
