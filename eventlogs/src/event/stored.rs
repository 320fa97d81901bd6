//! What a schema says of a stored payload.

use super::{Event, EventSchema};
use crate::codec::stored::{DecodeProblem, StoredPayload};

impl StoredPayload<'_> {
    /// Whether one of these entries reads the name, in whatever version.
    #[must_use]
    pub fn is_in(&self, schema: &[EventSchema]) -> bool {
        schema.iter().any(|entry| entry.reads(self.name))
    }

    /// The reason why no variant of `E` reads this name and version.
    #[must_use]
    pub fn not_in_schema<E: Event>(&self) -> DecodeProblem {
        match E::SCHEMA.iter().find(|entry| entry.reads(self.name)) {
            Some(entry) => DecodeProblem::UnknownVersion {
                supported: entry.event_type.version,
            },
            None => DecodeProblem::UnknownName,
        }
    }
}
