//! Looking a stored payload up in a schema.

use super::{Event, EventSchema};
use crate::codec::stored::{DecodeProblem, StoredPayload};

impl StoredPayload<'_> {
    /// Returns `true` if one of these entries reads the name, in whatever version.
    #[must_use]
    pub fn is_in(&self, schema: &[EventSchema]) -> bool {
        schema.iter().any(|entry| entry.reads(self.name))
    }

    /// Makes the error for a name and version that no variant of `E` reads.
    #[must_use]
    pub fn unknown_event<E: Event>(&self) -> DecodeProblem {
        match E::SCHEMA.iter().find(|entry| entry.reads(self.name)) {
            Some(entry) => DecodeProblem::UnknownVersion {
                supported: entry.newest(),
            },
            None => DecodeProblem::UnknownName,
        }
    }
}
