//! Which variants of an enum a reader wants.

use crate::event::EventSchema;

/// Which variants of an enum are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interest {
    /// All.
    All,
    /// All but these.
    Except(&'static [&'static str]),
    /// Only these, and those of enums that are flattened into the enum.
    Only(&'static [&'static str]),
}

impl Interest {
    /// Returns `true` if the variant is wanted.
    pub(crate) fn includes(self, variant: &str) -> bool {
        match self {
            Self::All => true,
            Self::Except(variants) => !variants.contains(&variant),
            Self::Only(variants) => variants.contains(&variant),
        }
    }

    /// Returns the entries of the events that are not wanted in their current version.
    ///
    /// Whether a flattened event is wanted depends on the variant that holds it, which its entry does not name.
    pub(crate) fn unwanted(
        self,
        schema: &'static [EventSchema],
    ) -> impl Iterator<Item = &'static EventSchema> {
        let entries = schema.iter();
        entries.filter(move |entry| !entry.is_flattened && !self.includes(entry.variant))
    }
}
